"""`report`."""

import argparse
from pathlib import Path

from analysis.commands import common
from analysis.output import folders
from grokpipe.errors import InputError

RUNS = Path("outputs/reference")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paper", help="a paper: entropy")
    common.add_to(parser)
    parser.add_argument(
        "--runs",
        type=Path,
        metavar="FOLDER",
        help="run logs (outputs/entropy), or gathered tables of one folder an experiment; "
        f"default: {RUNS}/<paper>",
    )
    common.add_where(parser)


def run(options: argparse.Namespace) -> None:
    """Judge the claims of analysis/papers/<paper>/claims.yaml by their rules, make the paper's
    tables and figures from our runs, and write <runs>/report/report.html, which needs nothing but
    itself, report.md, with the figures as pdf and png beside them, and verdicts.csv; into
    <to>/report with --to. Claims without runs are told as not run."""
    from analysis.claims import reading
    from analysis.report import contents, pages

    paper = reading.read(options.paper)
    folder = options.runs or _stored(paper.name)
    common.check_folder(folder)
    where = common.where(options)
    if where and options.to is None:
        raise InputError(
            f"--where {options.where}: needs --to, a folder for the report on a part of the runs"
        )
    to = (options.to or folder) / "report"
    folders.check(to)  # judging takes minutes
    report = contents.build(paper, folder, to, common.track, where)
    common.print_notes(report.notes)
    for verdict, judged in report.by_verdict().items():
        print(f"{len(judged):>3} {verdict}")
    with folders.writing(to):
        paths = pages.write(report, to)
    print("\nwritten: " + " ".join(map(str, paths)))


def _stored(paper: str) -> Path:
    """The gathered tables of a clone, by default what is judged. Raises InputError elsewhere, as
    the installed package has no runs."""
    folder = RUNS / paper
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder, outside of a clone; name one by --runs FOLDER")
    return folder
