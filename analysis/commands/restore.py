"""`restore`."""

import argparse
from pathlib import Path

from analysis.commands import common
from analysis.runs.tables import read_gathered
from grokpipe.errors import InputError
from grokpipe.store import manifest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tables", type=Path, help="a folder of gathered tables")
    parser.add_argument("folder", type=Path, help="the folder of run logs, <outputs>/<name>")
    parser.add_argument("--experiment", help="record that this experiment requested them")


def run(options: argparse.Namespace) -> None:
    """Write a run log for each finished run of gathered tables that a folder of run logs lacks:
    sweeps then take it for done, interventions follow it as a baseline, and gather joins it with
    what is trained there. Weights and snapshots are not in tables, and are not restored."""
    from analysis.runs.restore import restore

    common.check_folder(options.tables)
    if manifest.cells_folder(options.tables).is_dir():
        raise InputError(f"{options.tables}: run logs already; name a folder of gathered tables")
    tables = read_gathered(options.tables, as_stored=True)
    for line in restore(tables, options.folder, options.experiment):
        print(line)
