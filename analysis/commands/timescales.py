"""`timescales`."""

import argparse
from textwrap import fill

import pandas as pd

from analysis.commands import common
from analysis.output import names as naming
from analysis.output import paper, symbols
from analysis.output.tables import table_text, texts, write_table
from analysis.runs.tables import mixtures
from grokpipe.curves.conditions import is_condition

INTERVALS = ("log-log", "order-statistics", "BCa", "percentile")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_folder(parser)
    common.add_to(parser)
    parser.add_argument(
        "--event", help=f"{common.EVENT_HELP}; all: every event; default: those that the task shows"
    )
    common.add_by(parser)
    parser.add_argument(
        "--interval", choices=INTERVALS, default=INTERVALS[0],
        help="the interval of the median; the default covers best (docs/statistics.md), but has no "
        "upper end for five runs, which order-statistics has, at 93.8 %%",
    )  # fmt: skip
    parser.add_argument(
        "--long", action="store_true",
        help="a row for each arm and event, with ranges, restricted means and resolutions",
    )  # fmt: skip
    common.add_format(parser)


def run(options: argparse.Namespace) -> None:
    """Kaplan–Meier medians of events with 95 % intervals, a row for each arm, on the screen and as
    md and tex in <folder>/tables/ (or <to>/tables/); the csv beside them has all numbers, a row for
    each arm and event, as --long shows them. Without --event these are the events that the task
    shows; events.csv has all events of each run. Runs that did not show an event count as censored,
    never as missing."""
    from analysis.times.median_table import frames, legend, screen
    from analysis.times.timescales import COLUMNS, readable, shown, timescales, undefined

    tables, long, names = common.read_events(options, options.event)
    names = names or shown(long, tables)
    by = common.columns(options.by, tables)
    common.print_notes(
        [
            *mixtures(tables.cells),
            *common.pooled(tables, by),
            *common.unfinished(tables),
            *undefined(long, tables, by, names),
        ]
    )
    method = options.interval.replace("-s", " s")
    chosen = long[long["event"].isin(names)]
    table = timescales(chosen, by, method, common.generator(), tables.cells)
    print(table_text(readable(table)) if options.long else screen(table, by))
    if further := _further(long, names, options):
        print("\n" + fill(further, width=100))
    name = naming.stem("timescales", options)
    if options.format == "paper":
        contents = paper.texts(printed(table, by), name)
        print(f"\nthe LaTeX table needs {paper.NEEDED}")
    elif options.long:
        contents = texts([readable(table)])
    else:
        contents = texts(frames(table, by), legend(table))
    conditions = [name for name in names if is_condition(name)]
    to = common.destination(options) / "tables"
    paths = [
        *write_table(tables, to, name, table[[*by, *COLUMNS]], contents),
        *write_table(tables, to, naming.stem(["events", *conditions], options, "where"), long),
    ]
    common.print_written(paths)


def _further(long: pd.DataFrame, names: list[str], options: argparse.Namespace) -> str:
    """What else can be asked for."""
    others = len(set(long["event"]) - set(names))
    more = [f"{others} more events: --event {common.ALL}"] if others and not options.event else []
    if not options.long:
        more.append("all digits, ranges and means: --long, and the csv")
    return "; ".join(more)


def printed(table: pd.DataFrame, by: list[str]) -> list[paper.PaperTable]:
    """The table for print."""
    from analysis.times.median_table import RUNS, legend, stacked

    found = []
    for frame in stacked(table, by, paper.WIDTH):
        events = [name for name in table["event"].unique() if name in frame]
        heads = {name: symbols.event(name) for name in events}
        heads |= {name: symbols.column(name) for name in by} | {RUNS: "$n$"}
        note = (
            f"Kaplan–Meier {legend(table)}. $n$ seeds an arm; a run without the event is censored "
            "at the end of its training, never left out."
        )
        caption = f"Training steps to {_listed([heads[name] for name in events])}."
        found.append(paper.PaperTable(frame.rename(columns=heads), caption, note))
    return found


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
