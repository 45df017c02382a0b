"""`status`."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from analysis.commands import common
from analysis.runs import status as statuses
from grokpipe.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="a folder of run logs (outputs/default)")
    common.add_where(parser)
    parser.add_argument("--by", help="a configuration column, or several with commas")
    parser.add_argument(
        "--censored",
        metavar="EVENT",
        help="list the cells that did not reach this event (t_grok, 'test_accuracy>=0.9'), and the "
        "command that gives exactly these a longer budget",
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON")


def run(options: argparse.Namespace) -> None:
    """The state of every cell that was asked for (missing, running, interrupted, done, diverged,
    failed), who trains now, the rate, and the time left at most; with --censored, the cells that
    have not shown an event by the end of their budget, and the command that trains them on."""
    if options.censored is not None:
        _censored(options)
        return
    by = [*dict.fromkeys(options.by.split(","))] if options.by else []
    found = statuses.status(options.folder, by, common.where(options))
    print(statuses.as_json(found) if options.json else statuses.text(found))


def _censored(options: argparse.Namespace) -> None:
    from analysis.times import censored as censoring  # imports Hydra

    if options.by is not None:
        raise InputError(f"--by {options.by}: has no effect with --censored")
    if not (options.folder / "cells").is_dir():
        raise InputError(f"{options.folder}: no run logs there")
    tables, times, names = common.read_events(options, options.censored)
    if names is None or len(names) != 1:
        raise InputError(f"--censored {options.censored}: one event at a time")
    found = censoring.censored(options.folder, tables, times, names[0])
    print(json.dumps(asdict(found)) if options.json else censoring.text(found))
