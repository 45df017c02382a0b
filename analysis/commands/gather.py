"""`gather`."""

import argparse
from pathlib import Path

from analysis.commands import common
from analysis.output import folders
from analysis.runs import gather as gathering
from analysis.runs.parts import CELLS, CURVES
from analysis.runs.selection import conditions
from analysis.runs.tables import (
    mixtures,
    of_experiment,
    read_cells,
    read_gathered,
    table_size,
    write_gathered,
)
from grokpipe.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_folder(parser)
    parser.add_argument("--to", type=Path, help="also write both as single files into this folder")
    parser.add_argument("--experiment", help="only the cells that this experiment requested")


def run(options: argparse.Namespace) -> None:
    """Gather run logs into two tidy tables. Only run logs that are new are read."""
    common.check_folder(options.folder)
    if options.experiment and not options.to:
        raise InputError(f"--experiment {options.experiment}: needs --to, a folder for its tables")
    where = common.where(options)
    if where and not options.to:
        raise InputError(f"--where {options.where}: needs --to, a folder for the tables")
    if options.to and options.to.resolve() == options.folder.resolve():
        raise InputError(f"--to {options.to}: is the folder itself; name another")
    to = options.to or options.folder
    with gathering.gathered(options.folder, print) as stored:
        if not table_size(stored, CURVES)[0]:
            raise common.no_evaluation(options.folder)
        if options.to:
            tables = read_gathered(stored, as_stored=True)
            if options.experiment:
                tables = of_experiment(tables, options.folder, options.experiment)
            if where:
                tables = conditions.choose(tables, where)
                common.print_notes(tables.notes[-1:])
            with folders.writing(to):
                write_gathered(tables, to)
        elif stored != to:
            folders.check(to)  # which says why the tables are not there
    common.print_notes(mixtures(read_cells(to)))
    for name in (CURVES, CELLS):
        rows, columns = table_size(to, name)
        print(f"{to / name}: {rows:,} rows, {columns} columns")
