"""Options that several commands have."""

import argparse
from pathlib import Path

from analysis.runs.selection import conditions

FORMATS = ("plain", "paper")
EVENT_HELP = (
    "an event (t_grok), a condition in quotes ('test_accuracy>=0.9' or "
    "'sustained(test_accuracy>=0.99, 5)'), or several with commas"
)


def add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        type=Path,
        help="a folder of run logs (outputs/default) or of gathered tables "
        "(outputs/reference/collapse/released)",
    )
    add_where(parser)


def add_where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--where",
        metavar="CONDITIONS",
        help="only the runs that meet these conditions: 'lr=0.003,steps=8000,weight_decay<1'; also"
        " != <= >= >, other values with |, seed and state; task stands for task.name",
    )


def where(options: argparse.Namespace) -> tuple[conditions.Condition, ...]:
    """The conditions of --where, none without it."""
    return () if options.where is None else conditions.parse(options.where)


def add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--to",
        type=Path,
        metavar="FOLDER",
        help="the folder to write into; default: the folder that is read",
    )


def add_by(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--by", help="a configuration column, or several with commas; default: what was swept"
    )


def add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", choices=FORMATS, default=FORMATS[0],
        help="paper: a LaTeX and a Markdown table fit for print, with names in mathematics",
    )  # fmt: skip


def destination(options: argparse.Namespace) -> Path:
    """The folder to write into: --to, else the folder that is read."""
    to: Path = options.to or options.folder
    return to
