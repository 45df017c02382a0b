"""`timescales`."""

import argparse
from textwrap import fill

from analysis.commands import common
from analysis.output.tables import table_text, write_table
from analysis.runs.tables import mixtures

INTERVALS = ("log-log", "order-statistics", "BCa", "percentile")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_folder(parser)
    common.add_to(parser)
    parser.add_argument(
        "--event", help=f"{common.EVENT_HELP}; all: every event; default: those that the task shows"
    )
    parser.add_argument(
        "--by", help="a configuration column, or several with commas; default: what was swept"
    )
    parser.add_argument(
        "--interval", choices=INTERVALS, default=INTERVALS[0],
        help="the interval of the median; the default covers best (docs/statistics.md), but has no "
        "upper end for five runs, which order-statistics has, at 93.8 %%",
    )  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Kaplan–Meier medians of events with 95 % intervals, on the screen and as csv, md and tex in
    <folder>/tables/ (or <to>/tables/). Without --event these are the events that the task shows;
    events.csv beside them has all events of each run. Runs that did not show an event count as
    censored, never as missing."""
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
    print(table_text(readable(table)))
    others = [name for name in long["event"].unique() if name not in names]
    if others and options.event is None:
        print("\n" + fill(f"not shown: {', '.join(others)} (--event {common.ALL})", width=100))
    to = common.destination(options) / "tables"
    paths = [
        *write_table(tables, to, "timescales", table[[*by, *COLUMNS]], readable(table)),
        *write_table(tables, to, "events", long),
    ]
    print("\nwritten: " + " ".join(map(str, paths)))
