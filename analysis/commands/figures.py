"""`figures`."""

import argparse
from collections.abc import Sequence

import pandas as pd

from analysis.commands import common
from analysis.runs.tables import Tables, mixtures
from grokpipe.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_folder(parser)
    common.add_to(parser)
    parser.add_argument(
        "--by", help="a configuration column, or several with commas; default: what was swept"
    )


def run(options: argparse.Namespace) -> None:
    """Draw the figures that the folder's runs allow, as pdf and png, into <folder>/figures/ (or
    <to>/figures/)."""
    from analysis.figures import collapse
    from analysis.figures.style import prepare, save

    tables = common.read(options, collapse.PANELS)
    by = common.columns(options.by, tables)
    if options.by is None:
        by = _distinguishing(tables.cells, by)
    panels = [column for column in collapse.PANELS if column in tables.curves]
    if not panels:
        valid = ", ".join(collapse.PANELS)
        raise InputError(f"{options.folder}: nothing to draw; the runs measured none of: {valid}")
    shown = tables.only(tables.cells.dropna(subset=by, how="all")["key"]).spread([*by, "seed"])
    missing = {column: collapse.not_drawn(shown.curves, by, column) for column in panels}
    if set.intersection(*missing.values()) == set(shown.curves["key"]):
        raise InputError(f"{options.folder}: nothing to draw; no run has a value after step 0")
    absent = [column for column in collapse.PANELS if column not in panels]
    common.print_notes(
        [
            *mixtures(tables.cells),
            *common.pooled(tables, by),
            *common.unfinished(tables),
            *([f"note: no run measured {', '.join(absent)}: no panel"] if absent else []),
            *_left_out(tables, by, missing),
        ]
    )
    prepare()
    name = "_".join(["collapse", *map(common.file_stem, by)])
    figure = collapse.draw(shown.curves, by)
    paths = save(shown, common.destination(options) / "figures", name, figure)
    print("written: " + " ".join(map(str, paths)))


def _distinguishing(cells: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Those of the columns that part the runs as all of them do: of two tasks, whose other columns
    differ with it, the task's name alone."""

    def groups(by: Sequence[str]) -> int:
        return cells.groupby(list(by), dropna=False).ngroups if by else 1

    chosen: list[str] = []
    for column in columns:
        if groups([*chosen, column]) > groups(chosen):
            chosen.append(column)
    for column in chosen[:-1]:
        others = [name for name in chosen if name != column]
        if groups(others) == groups(columns):
            chosen = others
    return chosen or list(columns[:1])


def _left_out(tables: Tables, by: Sequence[str], missing: dict[str, set[str]]) -> list[str]:
    """A note for each reason why runs are not drawn, with their number; `missing` has the keys of
    those without a line by panel."""
    notes, runs = [], len(tables.cells)
    if without := int(tables.cells[list(by)].isna().all(axis=1).sum()):
        notes.append(f"note: {without} runs have no {', '.join(by)}: they are not drawn")
    if begun := int((~tables.cells["key"].isin(tables.curves["key"])).sum()):
        notes.append(f"note: {begun} of {runs} runs have no evaluation yet: they are not drawn")
    panels: dict[frozenset[str], list[str]] = {}
    for column, keys in missing.items():
        panels.setdefault(frozenset(keys), []).append(column)
    notes += [
        f"note: {len(keys)} of {runs} runs have no value to draw after step 0 of "
        f"{', '.join(columns)}"
        for keys, columns in panels.items()
        if keys
    ]
    return notes
