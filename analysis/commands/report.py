"""`report`."""

import argparse
from pathlib import Path

from analysis.commands import common

HELP = "each claim of a paper beside what the runs give, judged: one page, and Markdown"
RUNS = Path("outputs/reference")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paper", help="a paper: entropy")
    parser.add_argument(
        "--runs",
        type=Path,
        metavar="FOLDER",
        help="run logs (outputs/entropy), or gathered tables of one folder an experiment; "
        f"default: {RUNS}/<paper>",
    )


def run(options: argparse.Namespace) -> None:
    """Judge the claims of analysis/papers/<paper>/claims.yaml by their rules, make the paper's
    tables and figures from our runs, and write <runs>/report/report.html, which needs nothing but
    itself, report.md, with the figures as pdf and png beside them, and verdicts.csv. Claims without
    runs are told as not run."""
    from analysis.claims import reading
    from analysis.report import contents, pages

    paper = reading.read(options.paper)
    folder = options.runs or RUNS / paper.name
    to = folder / "report"
    report = contents.build(paper, folder, to, common.track)
    common.print_notes(report.notes)
    paths = pages.write(report, to)
    for verdict, judged in report.by_verdict().items():
        print(f"{len(judged):>3} {verdict}")
    print("\nwritten: " + " ".join(map(str, paths)))
