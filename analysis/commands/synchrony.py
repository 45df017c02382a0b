"""`synchrony`."""

import argparse
import math

import pandas as pd

from analysis.commands import common
from analysis.output import names as naming
from analysis.output.formats import interval, number, p_value
from analysis.output.tables import table_text, write_table
from analysis.runs.tables import mixtures
from analysis.times.labels import texts
from grokpipe.curves import definitions

MEMORISATION = definitions.columns(["t_mem"])
"""from which half-changes are counted, where it was logged"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_folder(parser)
    common.add_to(parser)
    parser.add_argument("--first", default="test_accuracy", help="default: test_accuracy")
    parser.add_argument(
        "--second", default="collapse/rnc1", help="a column of the curves; default: collapse/rnc1"
    )
    parser.add_argument("--given", help="a third column to hold fixed (train_loss)")
    common.add_by(parser)


def run(options: argparse.Namespace) -> None:
    """The lag from the half-change of the first curve to that of the second, in steps (positive:
    the second is later), counted from the plateau after memorisation, of an accuracy from the first
    value; and Spearman's rank correlations of their levels and of their increments from evaluation
    to evaluation, per run; with --given also the partial ones. Then medians over runs with 95 %
    intervals. Writes tables/synchrony_<first>_<second>.{csv,md,tex}."""
    from analysis.forecasting.synchrony import half_changes, summary
    from analysis.times.half_changes import notes

    columns = [name for name in (options.first, options.second, options.given) if name]
    tables = common.read(options, MEMORISATION, common.required(*columns))
    by = common.columns(options.by, tables)
    common.refuse_pooled(tables, by)
    halves = half_changes(tables, [options.first, options.second])
    common.print_notes(
        [
            *mixtures(tables.cells),
            *common.unfinished(tables),
            *notes(halves, [name for name in halves["event"].unique() if name != "t_mem"]),
        ]
    )
    table = summary(tables, options.first, options.second, options.given, by, common.generator())
    print(f"From {options.first} to {options.second}" + (
        f", given {options.given}" if options.given else ""
    ) + "\n")  # fmt: skip
    print(table_text(readable(table, by)))
    name, to = naming.stem(["synchrony", *columns], options), common.destination(options)
    common.print_written(write_table(tables, to / "tables", name, table, readable(table, by)))


def readable(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The same table for people."""
    shown = pd.DataFrame({c: table[c].map(texts(table[c])).fillna("–") for c in by})
    shown["observed"] = [f"{k}/{n}" for k, n in zip(table["observed"], table["n"], strict=True)]
    correlations = [name.removesuffix("_n") for name in table if name.endswith("_n")]
    for name in ("lag", *correlations):
        digits = 0 if name == "lag" else 2
        columns = (table[name], table[f"{name}_lower"], table[f"{name}_upper"])
        shown[f"{name.replace('_', ' ')} [95 %]"] = [
            f"{number(value, digits, '+')} {interval(lower, upper, digits, '+')}".rstrip()
            if not math.isnan(value)
            else "–"
            for value, lower, upper in zip(*columns, strict=True)
        ]
        if name == "lag":
            shown["later"], shown["earlier"] = table["later"], table["earlier"]
            shown["p (sign)"] = table["sign_p"].map(p_value)
    return shown
