"""`compare`."""

import argparse
from typing import Any

import numpy as np
import pandas as pd

from analysis.commands import common
from analysis.output import comparison, paper
from analysis.output import names as naming
from analysis.output.formats import bounded, counted, interval, number, p_value, ranged
from analysis.output.tables import table_text, texts, write_table
from analysis.runs.selection import conditions
from analysis.runs.tables import Tables, mixtures
from analysis.stats.testing import ALTERNATIVES
from grokpipe.curves.definitions import is_ratio
from grokpipe.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_folder(parser)
    common.add_to(parser)
    parser.add_argument("--event", required=True, help=common.EVENT_HELP)
    parser.add_argument(
        "--by", required=True, help="the configuration column by which the arms differ, or several"
    )
    parser.add_argument(
        "--baseline", required=True, help="the arm with which the others are compared"
    )
    parser.add_argument(
        "--within",
        metavar="COLUMNS",
        help="compare runs only with those that have the same value of this configuration column, "
        "or several with commas: a stratified test, and a table for each value",
    )
    parser.add_argument(
        "--test", default="log-rank", help="the test in the table; all are in <name>_tests"
    )
    parser.add_argument(
        "--alternative", choices=ALTERNATIVES, default="two-sided",
        help="how the other arms are expected to differ; choose it before you look",
    )  # fmt: skip
    parser.add_argument(
        "--margin",
        help="also test equivalence: the largest difference that counts as none, in steps (500) or "
        "as a share of the baseline's mean (10%%)",
    )
    parser.add_argument(
        "--long", action="store_true",
        help="print all that the files have: shares, ranges, means, effect sizes and all tests",
    )  # fmt: skip
    common.add_format(parser)


def run(options: argparse.Namespace) -> None:
    """Compare arms with a baseline. Runs without the event are censored, never dropped: medians are
    Kaplan–Meier's, means are restricted to what all arms were followed for, and tests that would
    need equal budgets are refused where they differ. p-values are also adjusted by Holm for all
    comparisons of the command. Arms that mix runs which differ in another swept column are refused:
    name it in --by, choose by --where, or compare --within it. Writes
    tables/compare_<what was asked>.{csv,md,tex}, the table of all tests, and figures/survival_…
    and figures/differences_…; with --within also tables/compare_…_strata."""
    from analysis.times.compare import TESTS, compare, out_of_reach, trend
    from analysis.times.timescales import undefined

    margin = _margin(options.margin)
    if options.test not in TESTS:
        raise InputError(f"--test {options.test}: must be one of {', '.join(TESTS)}")
    tables, long, names = common.read_events(options, options.event)
    assert names is not None  # --event is required
    by = common.columns(options.by, tables)
    within = _within_columns(options.within, by, tables)
    common.refuse_pooled(tables, [*by, *within], within="--within")
    common.print_notes(
        [
            *mixtures(tables.cells),
            *common.unfinished(tables),
            *undefined(long, tables, by, names),
        ]
    )
    long = long[long["event"].isin(names)]
    if within:
        _compare_within(options, tables, long, by, within, margin)
        return
    table, tested = compare(
        long, by, options.baseline, common.generator(), options.test,
        options.alternative, margin, tables.cells,
    )  # fmt: skip
    trends = trend(long, by[0]) if len(by) == 1 else pd.DataFrame()
    tested = pd.concat([tested, trends.rename(columns={"arms": "arm"})], ignore_index=True)
    shown = tables.only(long["key"])
    _print(readable(table), options.long)
    common.print_notes(filter(None, [out_of_reach(tested, options.test)]))
    for row in trends.to_dict("records"):
        print(f"\ntrend of {row['event']} along {row['arms']}: {_trend(row)}")
    _print_tests(tested, options)
    written = {"": (table, readable(table)), "_tests": (tested, readable_tests(tested))}
    _write(options, shown, long, by, [], written, table)


def _within_columns(given: str | None, by: list[str], tables: Tables) -> list[str]:
    """The columns of --within. Raises InputError for a column of --by or one that does not vary."""
    columns = [] if given is None else [
        common.column(name, tables, "--within") for name in dict.fromkeys(given.split(","))
    ]  # fmt: skip
    for column in columns:
        if column in by:
            raise InputError(f"--within {given}: {column} makes the arms (--by); name another")
        if tables.cells[column].nunique(dropna=False) == 1:
            one = conditions.written(tables.cells[column].iloc[0])
            raise InputError(f"--within {given}: {column} is {one} in all runs")
    return columns


def _compare_within(
    options: argparse.Namespace,
    tables: Tables,
    long: pd.DataFrame,
    by: list[str],
    within: list[str],
    margin: Any,
) -> None:
    """Print, write and draw the comparison within strata."""
    from analysis.times.compare import out_of_reach
    from analysis.times.strata import compare_within

    found = compare_within(
        long, by, within, options.baseline, common.generator(), options.test,
        options.alternative, margin, tables.cells,
    )  # fmt: skip
    common.print_notes(found.notes)
    columns = ", ".join(within)
    print(f"Within {columns}: runs are compared with those of the same {columns} only\n")
    _print(readable_within(found.combined), options.long)
    common.print_notes(
        filter(None, [out_of_reach(found.tests, f"{options.test} within {columns}")])
    )
    each = dict(iter(found.strata.groupby(within, sort=False, dropna=False)))
    shown = []
    for values, table in each.items():
        pairs = zip(within, map(conditions.written, values), strict=True)
        name = ", ".join(f"{column}={value}" for column, value in pairs)
        print(f"\n{name} (Holm: over all strata)\n")
        _print(readable(table), options.long)
        shown.append(table.assign(event=[f"{event}, {name}" for event in table["event"]]))
    _print_tests(found.tests, options)
    every = pd.concat(shown, ignore_index=True)
    whole = found.combined.assign(event=[f"{e}, within {columns}" for e in found.combined["event"]])
    written = {
        "": (found.combined, readable_within(found.combined)),
        "_tests": (found.tests, readable_tests(found.tests)),
        "_strata": (found.strata, readable(every)),
        "_strata_tests": (found.strata_tests, None),
    }
    drawn = pd.concat([whole, every], ignore_index=True)
    _write(options, tables.only(long["key"]), long, by, within, written, drawn)


def _print(shown: pd.DataFrame, long: bool) -> None:
    print(table_text(shown) if long else comparison.screen(shown))


def _print_tests(tested: pd.DataFrame, options: argparse.Namespace) -> None:
    """All tests with --long, otherwise where they are."""
    if options.long:
        print(f"\nAll tests, arm against {options.baseline}; Holm: over all rows of a test\n")
        print(table_text(readable_tests(tested)))
    else:
        print("\nall tests, shares, means and effect sizes: --long, and the files")


def _write(
    options: argparse.Namespace,
    shown: Tables,
    long: pd.DataFrame,
    by: list[str],
    within: list[str],
    written: dict[str, tuple[pd.DataFrame, pd.DataFrame | None]],
    drawn: pd.DataFrame,
) -> None:
    """Write the tables, exact and for people, by the end of their names, and draw the figures."""
    from analysis.figures import forest, survival
    from analysis.figures.style import prepare, save

    to = common.destination(options)
    paths = []
    for ending, (exact, shown_table) in written.items():
        without = ["long", *(["test", "format"] if ending else [])]
        name = naming.stem("compare", options, without=without)
        contents = None if shown_table is None else texts([shown_table])
        if options.format == "paper" and not ending and shown_table is not None:
            tables = comparison.printed(shown_table, by, options.baseline, within)
            contents = paper.texts(tables, name)
            print(f"\nthe LaTeX table needs {paper.NEEDED}")
        paths += write_table(shown, to / "tables", f"{name}{ending}", exact, contents)
    prepare()
    for event, of_event in long.groupby("event", sort=False):
        figure = survival.draw(of_event, [*by, *within])
        stem = naming.stem(["survival", str(event)], options, "by", "within", "where")
        paths += save(shown, to / "figures", stem, figure)
    shown_in_tables = ["test", "alternative", "margin", "long", "format"]
    stem = naming.stem("differences", options, without=shown_in_tables)
    paths += save(shown, to / "figures", stem, forest.draw(drawn))
    common.print_written(paths)


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """The comparison for people. Where events have different horizons, each mean names its own."""
    rows = []
    horizons = table["horizon"].dropna().unique()
    several = len(horizons) > 1
    diverged, spans = table["diverged"].any(), table["range_level"].notna().any()
    for row in table.to_dict("records"):
        decimals = 2 if is_ratio(row["event"]) else 0
        others = not pd.isna(row.get("test"))
        rows.append(
            {
                "event": row["event"],
                "arm": row["arm"],
                "reached": counted(row["reached"], row["n"], row["runs"]),
                **({"diverged": row["diverged"]} if diverged else {}),
                "share [95 %]": _estimate(row, "share", 2),
                "median [95 %]": (
                    bounded(row["median"], row["followed"], row["n"], decimals) + " "
                    + interval(row["median_lower"], row["median_upper"], decimals)
                ).rstrip(),
                **({"range (level)": _range(row, decimals)} if spans else {}),
                "mean [95 %]": _estimate(row, "mean", decimals)
                + _until(row["horizon"], several and not np.isnan(row["mean"])),
                **_difference(row, several),
                "Cliff's δ [95 %]": _estimate(row, "cliff_delta", 2, "+") if others else "",
                **(
                    {"within margin": _within(row, decimals) if others else ""}
                    if "margin" in row else {}
                ),
                "known to within": number(row["resolution"], decimals),
            }
        )  # fmt: skip
    shown = pd.DataFrame(rows)
    until = f" ≤ {horizons[0]:,.0f}" if not several and np.isfinite(horizons[0]) else ""
    test = table["test"].dropna()
    return shown.rename(columns={"mean [95 %]": f"mean{until} [95 %]", "p": f"p ({test.iloc[0]})"})


def readable_within(table: pd.DataFrame) -> pd.DataFrame:
    """The combined comparison within strata for people."""
    rows = []
    for row in table.to_dict("records"):
        rows.append(
            {
                "event": row["event"],
                "arm": row["arm"],
                "strata": f"{row['strata']}/{row['of_strata']}",
                "reached": counted(row["reached"], row["n"], row["runs"]),
                **_difference(row, True),
            }
        )
    test = table["test"].dropna().iloc[0]
    return pd.DataFrame(rows).rename(columns={"p": f"p ({test})"})


def readable_tests(tested: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "event": tested["event"],
            "arm": tested["arm"],
            "test": tested["name"],
            "statistic": tested["statistic"].map(lambda value: f"{value:.4g}"),
            "p": tested["p"].map(p_value),
            "p, Holm": tested["p_holm"].map(p_value),
            "how": [
                f"{row['method']}; {row['direction']} along the arms"
                if row.get("direction") in ("later", "earlier")
                else row["method"]
                for row in tested.to_dict("records")
            ],
        }
    ).replace("nan", "–")


def _trend(row: dict[str, Any]) -> str:
    if np.isnan(row["p"]):
        return f"not tested: {row['method'].removeprefix('refused: ')}"
    way = f"; {row['direction']} along the arms" if row["direction"] else ""
    return f"{row['name']}, p = {p_value(row['p'])} ({row['method']}{way})"


def _difference(row: dict[str, Any], several: bool) -> dict[str, str]:
    """The difference to the baseline with its p, or that the row is the baseline's."""
    if pd.isna(row.get("test")):
        return {
            "difference of means [95 %]": "baseline" if row["n"] else "–", "p": "", "p, Holm": "",
        }  # fmt: skip
    decimals = 2 if is_ratio(row["event"]) else 0
    return {
        "difference of means [95 %]": _estimate(row, "difference", decimals, "+")
        + _until(row["horizon"], several),
        "p": p_value(row["p"]),
        "p, Holm": p_value(row["p_holm"]),
    }


def _estimate(row: dict[str, float], name: str, decimals: int, sign: str = "") -> str:
    ends = interval(row[f"{name}_lower"], row[f"{name}_upper"], decimals, sign)
    return f"{number(row[name], decimals, sign)} {ends}".rstrip()


def _range(row: dict[str, float], decimals: int) -> str:
    return ranged(row["range_lower"], row["range_upper"], row["range_level"], decimals)


def _until(horizon: float, several: bool) -> str:
    """The horizon of a mean, unless the heading names it."""
    return f" to {number(horizon)}" if several and np.isfinite(horizon) else ""


def _within(row: dict[str, Any], decimals: int) -> str:
    if row["equivalent_method"].startswith("none"):
        return f"not shown: {row['equivalent_method'].removeprefix('none: ')}"
    ends = interval(row["difference_lower_90"], row["difference_upper_90"], decimals, "+")
    said = "yes" if row["equivalent"] else "not shown"
    return f"{said}: 90 % {ends} in ±{number(row['margin'], decimals)}"


def _margin(given: str | None):  # type: ignore[no-untyped-def]
    from analysis.times.compare import Margin

    if given is None:
        return None
    relative = given.endswith("%")
    try:
        size = float(given.removesuffix("%"))
    except ValueError:
        size = np.nan
    if not 0 < size < np.inf:
        raise InputError(f"--margin {given}: must be a positive number of steps, or like 10%")
    return Margin(size / 100 if relative else size, relative)
