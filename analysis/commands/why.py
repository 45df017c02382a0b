"""`why`."""

import argparse
from pathlib import Path

from analysis.output import lineage as whys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="any of its files, or their name without ending")
    parser.add_argument("--json", action="store_true", help="print the side file as it is")


def run(options: argparse.Namespace) -> None:
    """The command, code, configuration and run logs behind a figure or table, as noted when it was
    made in the side file <name>.why.json."""
    side = whys.find(options.file)
    print(side.read_text() if options.json else whys.text(side), end="" if options.json else "\n")
