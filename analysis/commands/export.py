"""`export`."""

import argparse
from pathlib import Path

from analysis.commands import common
from analysis.output import folders

FORMATS = ("csv", "tensorboard")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_folder(parser)
    parser.add_argument("--to", choices=FORMATS, required=True, help="the format")
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER",
        help="the folder to write into; default: export/<format> in the folder that is read",
    )  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Write all runs for other programs: csv as curves.csv (a row per run and evaluation, with the
    configuration) and cells.csv (a row per run); tensorboard as a folder of event files per run,
    with the configuration as hyperparameters. Files of an earlier export are replaced."""
    from analysis.output import export

    tables = common.read(options)
    into = options.into or options.folder / "export" / options.to
    write = {"csv": export.as_csv, "tensorboard": export.as_tensorboard}[options.to]
    with folders.writing(into, "--into"):
        paths = write(tables, into)
    print(f"written: {' '.join(map(str, paths))}  ({len(tables.cells)} runs)")
