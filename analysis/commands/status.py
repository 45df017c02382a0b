"""`status`."""

import argparse
from pathlib import Path

from analysis.runs import status as statuses

HELP = "progress of the requested cells"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="a folder of run logs (outputs/default)")
    parser.add_argument("--by", help="a configuration column, or several with commas")
    parser.add_argument("--json", action="store_true", help="one line of JSON")


def run(options: argparse.Namespace) -> None:
    """The state of every cell that was asked for (missing, running, interrupted, done, diverged,
    failed), who trains now, the rate, and the time left at most."""
    by = options.by.split(",") if options.by else []
    found = statuses.status(options.folder, by)
    print(statuses.as_json(found) if options.json else statuses.text(found))
