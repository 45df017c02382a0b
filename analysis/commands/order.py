"""`order`."""

import argparse
import textwrap

import pandas as pd

from analysis.commands import common
from analysis.output import names as naming
from analysis.output.formats import estimated, interval, number, p_value
from analysis.output.tables import table_text, write_table
from analysis.runs.tables import mixtures
from analysis.stats.intervals import Interval
from grokpipe.curves import columns as logged
from grokpipe.curves import definitions
from grokpipe.curves.conditions import half_change
from grokpipe.errors import InputError

WIDTH = 100
"""letters of a line on the screen"""
LEAST_ARM = 8
"""letters of an arm's name that are left in one line, however wide the numbers are"""
LEAD = "median lead [95 %]"
HEADINGS = ("not known", "p (sign)")
"""those that are wider than what stands below them"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_folder(parser)
    common.add_to(parser)
    parser.add_argument(
        "--event", help=f"{common.EVENT_HELP}; half(column) is what --columns takes"
    )
    parser.add_argument(
        "--columns",
        help="columns of the curves with commas (spectral/entropy_train,test_accuracy): the "
        "half-change of each, counted from its plateau after memorisation; of accuracies, from the "
        "first value",
    )
    common.add_by(parser)


def run(options: argparse.Namespace) -> None:
    """For each two of the events and columns: in how many runs the first comes before the second,
    after it, or neither is known, as both lie between the same evaluations or neither was seen;
    the share of the known orders with its exact 95 % interval, a sign test, and the median lead in
    steps. An event that did not come within a run's budget is later than one that did. Writes
    tables/order_<names>.{csv,md,tex}, a csv with a row for each run beside it, and a figure."""
    from analysis.figures import order as figures
    from analysis.figures.style import prepare, save
    from analysis.times.order import summary
    from analysis.times.timescales import undefined

    columns = _columns(options.columns)
    asked = ",".join(filter(None, [options.event, *(f"half({column})" for column in columns)]))
    names = common.event_names(asked) if asked else []
    _check(names, options)
    needed = {
        column: f"--columns {options.columns}: the runs have no column {column}"
        for column in columns
    }
    tables, long, _ = common.read_events(options, asked, needed=needed)
    by = common.columns(options.by, tables)
    common.refuse_pooled(tables, by)
    common.print_notes(
        [
            *mixtures(tables.cells),
            *common.unfinished(tables),
            *undefined(long, tables, by, names),
        ]
    )
    long = long[long["event"].isin(names)]
    table, runs = summary(long, names, by, tables)
    titles = titled(names)
    print("\n".join(words(table, titles)))
    for (first, second), of_pair in table.groupby(["first", "second"], sort=False):
        print(f"\n{titles[first]} before {titles[second]}\n")
        print(table_text(narrowed(readable(of_pair, titles).drop(columns=["first", "second"]))))
    name = naming.stem(["order", *(titles[name] for name in names)], options, "by", "where")
    shown, to = tables.only(long["key"]), common.destination(options)
    paths = [
        *write_table(shown, to / "tables", name, table, readable(table, titles)),
        *write_table(shown, to / "tables", f"{name}_runs", runs),
    ]
    prepare()
    figure = figures.draw(long, by, {name: label(titles[name]) for name in names})
    paths += save(shown, to / "figures", name, figure)
    common.print_written(paths)


def titled(names: list[str]) -> dict[str, str]:
    """What events are called: half-changes by their columns, if there is nothing else."""
    found = {name: half_change(name) for name in names}
    alone = all(half and not half.from_first for half in found.values())
    return {name: half.column if half and alone else name for name, half in found.items()}


def label(title: str) -> str:
    """A title in the figure: a column as its axis is labelled elsewhere."""
    return logged.COLUMNS[title].label if title in logged.COLUMNS else title


def words(table: pd.DataFrame, titles: dict[str, str]) -> list[str]:
    """A line for each pair of events: which comes first, in how many of all runs."""
    lines = []
    for (first, second), rows in table.groupby(["first", "second"], sort=False):
        n, before, after, unknown, never = (
            int(rows[name].sum()) for name in ("n", "before", "after", "unknown", "one_never")
        )
        if after > before:
            first, second, before, after = second, first, after, before
        one, other = titles[first], titles[second]
        if not n:
            lines.append(f"No run has both {one} and {other}.")
            continue
        verb = "comes" if one == first else "turns"
        line = f"{one} {verb} before {other} in {before} of {n} runs"
        more = [f"after it in {after}"] * bool(after)
        more += [f"not known in {unknown}"] * bool(unknown)
        if never:
            more.append(f"in {never} one of the two did not come within the budget")
        lines.append("; ".join([line, *more]) + ".")
    return lines


def readable(table: pd.DataFrame, titles: dict[str, str]) -> pd.DataFrame:
    """The same table for people. The bounds of the share are there where an order is not known."""
    shown = table[["first", "second"]].replace(titles)
    shown["arm"] = table["arm"]
    if (table["n"] < table["runs"]).any():
        shown["runs"] = [
            f"{row.n} of {row.runs}" if row.n < row.runs else str(row.n)
            for row in table.itertuples()
        ]
    shown["before"], shown["after"] = table["before"], table["after"]
    shown["not known"] = table["unknown"]
    rows = list(table.itertuples())
    shown["share [95 %]"] = [
        estimated(Interval(row.share, row.share_lower, row.share_upper, ""), 2) for row in rows
    ]
    if table["unknown"].any():
        shown["of all runs"] = [
            f"{number(row.share_least, 2)} – {number(row.share_most, 2)}"
            if row.unknown
            else number(row.share_least, 2)
            for row in rows
        ]
    shown["p (sign)"] = table["sign_p"].map(p_value)
    shown[LEAD] = [
        f"{number(row.lag)} {interval(row.lag_lower, row.lag_upper)}".rstrip() for row in rows
    ]
    return shown


def narrowed(shown: pd.DataFrame) -> pd.DataFrame:
    """The table in WIDTH letters: where it is wider, first headings, then the names of arms, then
    intervals take several lines."""

    def excess() -> int:
        return max(map(len, table_text(shown).splitlines())) - WIDTH

    if excess() > 0:
        shown = shown.rename(columns={name: name.replace(" ", "\n", 1) for name in HEADINGS})
    if (over := excess()) > 0:
        letters = max(LEAST_ARM, int(shown["arm"].str.len().max()) - over)
        shown = shown.assign(arm=[textwrap.fill(arm, letters) for arm in shown["arm"]])
    if excess() > 0:
        shown = shown.assign(**{LEAD: shown[LEAD].str.replace(" [", "\n[")})
    return shown


def _columns(given: str | None) -> list[str]:
    found = [column.strip() for column in (given or "").split(",") if column.strip()]
    for column in found:
        if half_change(f"half({column})") is None:
            raise InputError(f"--columns {given}: {column} is not the name of a column")
    return list(dict.fromkeys(found))


def _check(names: list[str], options: argparse.Namespace) -> None:
    """Raise InputError unless there are two events that have an order."""
    if names == [common.ALL]:
        raise InputError(f"--event {common.ALL}: name the events, at least two")
    if ratios := [name for name in names if definitions.is_ratio(name)]:
        raise InputError(f"--event {ratios[0]}: a ratio of times has no order; name the times")
    if len(names) < 2:
        given = " ".join(
            f"--{option} {value}"
            for option in ("event", "columns")
            if (value := getattr(options, option))
        )
        raise InputError(
            f"{given or 'order'}: needs at least two events or columns, such as --event "
            "t_collapse,t_grok or --columns spectral/entropy_train,test_accuracy"
        )
