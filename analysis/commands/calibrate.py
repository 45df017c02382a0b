"""`calibrate`."""

import argparse

from analysis import tables as table_files
from analysis.commands import common

HELP = "which setting comes nearest to what the entropy paper tells of its baseline (E0)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_folder(parser)


def run(options: argparse.Namespace) -> None:
    """The variants of E0 by their distance to the paper's fingerprint, as the rule in
    analysis/claims/entropy.yaml has it: on the screen, and as csv, md and tex in <folder>/tables/.
    """
    from analysis.entropy import calibration

    tables = common.read(options.folder)
    found = calibration.variants(tables, calibration.rule())
    shown = calibration.readable(found)
    paths = table_files.write(tables, options.folder / "tables", "calibration", found, shown)
    print(table_files.text(shown))
    print("\nwritten: " + " ".join(map(str, paths)))
