"""`timescales`."""

import argparse

from analysis.commands import common
from analysis.output.tables import table_text, write_table
from analysis.runs.tables import mixtures

HELP = "times to events: medians and restricted means with intervals, by group"

INTERVALS = ("log-log", "order-statistics", "BCa", "percentile")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_folder(parser)
    parser.add_argument(
        "--by", help="a configuration column, or several with commas; default: whatever was swept"
    )
    parser.add_argument(
        "--interval", choices=INTERVALS, default=INTERVALS[0],
        help="of the median; the default covers best (docs/statistics.md), but has no upper end "
        "for five runs, which order-statistics has, at 93.8 %%",
    )  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Kaplan–Meier medians of every event with 95 % intervals, on the screen and as csv, md and tex
    in <folder>/tables/, beside the events of each run (events.csv). Runs that did not show an event
    count as censored, never as missing."""
    from analysis.times.timescales import (
        COLUMNS,
        MEASURES,
        UNDEFINED,
        events,
        readable,
        timescales,
        undefined,
    )

    tables = common.read(options.folder, MEASURES)
    by = common.columns(options.by, tables)
    long = events(tables)
    common.print_notes(
        [
            *mixtures(tables.cells),
            *common.pooled(tables, by),
            *common.unfinished(tables),
            *undefined(long, tables.cells, by, UNDEFINED),
        ]
    )
    method = options.interval.replace("-s", " s")
    table = timescales(long, by, method, common.generator(), tables.cells)
    to = options.folder / "tables"
    paths = [
        *write_table(tables, to, "timescales", table[[*by, *COLUMNS]], readable(table)),
        *write_table(tables, to, "events", long),
    ]
    print(table_text(readable(table)))
    print("\nwritten: " + " ".join(map(str, paths)))
