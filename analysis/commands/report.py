"""`report`."""

import argparse
from collections.abc import Iterable, Mapping, Sized
from pathlib import Path

from analysis.commands import common
from analysis.output import folders
from grokpipe.errors import InputError

RUNS = Path("outputs/reference")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paper",
        nargs="?",
        help="a paper: entropy, collapse, flatness; default: all, with an index page",
    )
    common.add_to(parser)
    parser.add_argument(
        "--runs",
        type=Path,
        metavar="FOLDER",
        help="run logs (outputs/entropy), or gathered tables of one folder an experiment; "
        f"default: {RUNS}/<paper>; without a paper, the folder that has such a one for each paper "
        f"(outputs), default: {RUNS}",
    )
    common.add_where(parser)


def run(options: argparse.Namespace) -> None:
    """Judge the claims of analysis/papers/<paper>/claims.yaml by their rules, make the paper's
    tables and figures from our runs, and write <runs>/report/report.html, which needs nothing but
    itself, report.md, with the figures as pdf and png beside them, and verdicts.csv; into
    <to>/report with --to. Claims without runs are told as not run. Without a paper: all of them,
    into <runs>/<paper>/report (<to>/<paper>/report), and index.html and index.md in <runs>, which
    say what each paper says and how its claims came out."""
    from analysis.claims import reading
    from analysis.report import contents, pages

    if options.paper is None:
        _all(options)
        return
    paper = reading.read(options.paper)
    if not paper.claims:
        raise InputError(f"no claim of {paper.name} has a rule yet")
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
    _print(report.notes, report.by_verdict())
    with folders.writing(to):
        paths = pages.write(report, to)
    common.print_written(paths)


def _all(options: argparse.Namespace) -> None:
    """Every paper that has runs, then the index. One that fails stops none of the others."""
    from analysis.claims import reading
    from analysis.report import contents, index, pages

    if options.where:
        raise InputError(f"--where {options.where}: chooses runs of one paper; name it")
    runs = options.runs or _stored()
    common.check_folder(runs)
    to = options.to or runs
    folders.check(to)
    papers = [reading.read(name) for name in reading.names()]
    entries, failed = [], []
    for paper in papers:
        folder, of_paper = runs / paper.name, to / paper.name / "report"
        report, why = None, contents.nothing_to_judge(paper, folder)
        if not why:
            try:
                report = contents.build(paper, folder, of_paper, common.track)
                print(f"{paper.name}: {paper.title}")
                _print(report.notes, report.by_verdict())
                with folders.writing(of_paper):
                    pages.write(report, of_paper)
            except InputError as error:
                why = str(error)
                failed.append(f"{paper.name}: {error}")
        entries.append(index.Entry(paper, report, of_paper, why))
    judged = [entry for entry in entries if entry.report]
    if not judged and not failed:
        raise InputError(f"{runs}: no runs of any paper ({'; '.join(e.why for e in entries)})")
    for entry in entries:
        if entry.why:
            print(f"{entry.paper.name}: not judged yet: {entry.why}")
    with folders.writing(to):
        paths = [*index.write(entries, to), *(entry.to / "report.html" for entry in judged)]
    common.print_written(paths)
    if failed:
        raise InputError("; ".join(failed))


def _print(notes: Iterable[str], verdicts: Mapping[str, Sized]) -> None:
    common.print_notes(notes)
    for verdict, judged in verdicts.items():
        print(f"{len(judged):>3} {verdict}")


def _stored(paper: str = "") -> Path:
    """The gathered tables of a clone, by default what is judged. Raises InputError elsewhere, as
    the installed package has no runs."""
    folder = RUNS / paper
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder, outside of a clone; name one by --runs FOLDER")
    return folder
