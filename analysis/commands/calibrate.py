"""`calibrate`."""

import argparse
from pathlib import Path

from analysis.commands import common
from analysis.output.tables import table_text, write_table
from analysis.runs.tables import Tables, mixtures, of_experiment
from grokpipe.store import manifest

HELP = "which setting comes nearest to what the entropy paper tells of its baseline (E0)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_folder(parser)


def run(options: argparse.Namespace) -> None:
    """The variants of E0 by their distance to the paper's fingerprint, as the rule in
    analysis/papers/entropy/claims.yaml has it: on the screen, and as csv, md and tex in
    <folder>/tables/.
    Of a folder of run logs those are read that experiment=entropy/e0_fingerprint asked for, if it
    did: its other experiments share settings with E0's variants, but not seeds."""
    from analysis.papers.entropy.estimates import calibration

    tables = _of_e0(common.read(options.folder), options.folder)
    common.print_notes([*mixtures(tables.cells), *common.unfinished(tables)])
    found = calibration.variants(tables, calibration.rule())
    shown = calibration.readable(found)
    paths = write_table(tables, options.folder / "tables", "calibration", found, shown)
    print(table_text(shown))
    print("\nwritten: " + " ".join(map(str, paths)))


def _of_e0(tables: Tables, folder: Path) -> Tables:
    from analysis.papers.entropy.estimates.calibration import EXPERIMENT
    from analysis.runs.experiments import PAPER

    name = f"{PAPER}/{EXPERIMENT}"
    if not manifest.cells_folder(folder).is_dir():
        return tables
    if not (manifest.read_asked(folder)["experiment"] == name).any():
        return tables
    return of_experiment(tables, folder, name)
