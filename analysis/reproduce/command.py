"""`python -m analysis reproduce`."""

import argparse
import shlex
import sys
from pathlib import Path

from analysis.output import folders
from grokpipe.config.names import counted
from grokpipe.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paper", nargs="?", help="a paper that has a reproduce.yaml: collapse")
    parser.add_argument(
        "--overrides",
        type=shlex.split,
        default=[],
        metavar="'KEY=VALUE …'",
        help="of every training command: 'hydra.launcher.partition=long', 'seed=range(3)'",
    )
    parser.add_argument("--dry-run", action="store_true", help="tell what remains, and run nothing")
    parser.add_argument("--launcher", help="local, the default; slurm; or serial")
    parser.add_argument("--only", help="experiments of the paper, with commas")
    parser.add_argument(
        "--small",
        action="store_true",
        help="a trial of the whole way in minutes: fewer steps and seeds, in a folder of its own",
    )
    parser.add_argument(
        "--to",
        type=Path,
        metavar="FOLDER",
        help="write the gathered tables, and a report on them, here (outputs/reference/collapse); "
        "default: outputs/<paper>/gathered, and a report on the run logs",
    )


def run(options: argparse.Namespace) -> int:
    """Run every experiment of a paper in the order in which they need one another, take measures
    from snapshots, gather the tables, and write the report. What is done is not done again, so that
    the same command goes on wherever it was stopped. It first tells what remains: cells,
    seed-steps, hours, disk space."""
    from analysis.reproduce import plan as plans
    from analysis.reproduce import running, stages, survey

    if options.paper is None:
        raise InputError(f"name a paper; valid: {', '.join(plans.papers())}")
    plan = plans.read(options.paper)
    if options.only is not None:
        plan = plan.only(options.only.split(","))
    overrides = options.overrides
    if options.launcher is not None:
        overrides = [f"hydra/launcher={options.launcher}", *overrides]
    if options.to is not None:
        folders.check(options.to)
    training = stages.training(plan, overrides, options.small)
    dry = ["hydra.launcher.dry_run=true"] if options.dry_run else []
    if sys.stderr.isatty():
        number = counted(len(training), "experiment")
        print(f"asking what remains of {number}, and trying a few steps …", file=sys.stderr)
    found = survey.survey([(*arguments, *dry) for arguments in training.values()])
    folder = survey.folder_of(found)
    every = stages.stages(plan, folder, training, options.to)
    print(survey.text(found, plan))
    print(running.outlook(every, folder, plan.paper), flush=True)
    if options.dry_run:
        return 0
    done = {name for name, left in zip(training, found, strict=True) if left.is_done}
    return running.run(every, folder, plan.paper, done, running.process)
