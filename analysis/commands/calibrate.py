"""`calibrate`."""

import argparse

from analysis import gather as gathering
from analysis import tables as table_files
from analysis.commands import common
from analysis.gather import Tables
from grokpipe import ledger

HELP = "which open setting comes nearest to the entropy paper's own baseline"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_folder(parser)


def run(options: argparse.Namespace) -> None:
    """Compare every variant of E0 with what Truong et al. (2026) tell of their baseline: four terms
    and their distance, as analysis/claims/entropy.yaml laid them down, the nearest first. A variant
    with a run that did not grok, or that is not finished, has no distance. Of a folder of run logs
    those are read that experiment=entropy/e0_fingerprint asked for. Writes
    tables/calibration.{csv,md,tex}."""
    from analysis.entropy import calibration

    tables = _asked(common.read(options.folder, calibration.MEASURES), options)
    common.print_notes([*gathering.mixtures(tables.cells), *common.unfinished(tables)])
    table = calibration.variants(tables)
    readable = calibration.readable(table)
    to = options.folder / "tables"
    paths = table_files.write(tables, to, "calibration", table, readable)
    print(table_files.text(readable))
    print("\nwritten: " + " ".join(map(str, paths)))


def _asked(tables: Tables, options: argparse.Namespace) -> Tables:
    from analysis.entropy.calibration import EXPERIMENT
    from analysis.entropy.experiments import PAPER

    if not ledger.cells_folder(options.folder).is_dir():
        return tables
    return gathering.of_experiment(tables, options.folder, f"{PAPER}/{EXPERIMENT}")
