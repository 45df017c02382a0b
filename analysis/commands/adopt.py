"""`adopt`."""

import argparse
from pathlib import Path

from analysis.commands import common, timescales
from analysis.output import folders
from grokpipe.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "logs", nargs="+", metavar="log",
        help="a file, a folder of files, or a pattern in quotes ('runs/*.csv')",
    )  # fmt: skip
    parser.add_argument(
        "--to", type=Path, required=True, metavar="FOLDER", help="the folder for the tables"
    )
    parser.add_argument(
        "--map", type=Path, metavar="FILE",
        help="YAML that maps columns to names here and gives fixed values (docs/logs.md); default: "
        "columns are taken by their names",
    )  # fmt: skip
    parser.add_argument(
        "--force", action="store_true", help="replace tables that were adopted from other files"
    )


def run(options: argparse.Namespace) -> None:
    """Bring logs of other programs into the two tables that every command here reads. Needs a
    column of steps, one to measure, and something that tells the runs apart: a column of runs,
    seeds with configuration, or a file for each. Prints what was taken for what and which events
    the columns allow, then the table of medians (timescales)."""
    from analysis.runs.adopt import mapping, sources, summary, writing
    from analysis.runs.adopt.adopting import adopt
    from analysis.times.timescales import MEASURES

    given = mapping.read(options.map) if options.map else mapping.Map()
    paths = sources.find(options.logs)
    writing.check(options.to, paths, options.force)
    folders.check(options.to)
    adopted = adopt(sources.read(paths, given.columns.get("step")), given, options.to)
    print(summary.text(adopted))
    common.print_notes(adopted.tables.notes)
    with folders.writing(options.to):
        writing.write(adopted.tables, options.to, paths, given)
    print(f"\nwritten: {options.to}/curves.parquet {options.to}/cells.parquet\n")
    measures = set(adopted.tables.curves)
    if not measures & set(MEASURES):
        names = [name for name in adopted.tables.curves if name not in ("key", "step")]
        print("no event with a name; a condition goes with any column: "
              f"python -m analysis timescales {options.to} --event '{names[0]}>=0.9'")  # fmt: skip
        return
    parser = argparse.ArgumentParser()
    timescales.add_arguments(parser)
    parser.set_defaults(default=parser.get_default)  # as the whole command line has it
    try:
        timescales.run(parser.parse_args([str(options.to)]))
    except InputError as error:
        raise InputError(f"the tables are written, but not their medians: {error}") from error
