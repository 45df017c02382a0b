"""The content of a report, before it is written: verdicts, figures, tables, runs."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from analysis.claims import chances, judge, order
from analysis.claims.arms import Runs
from analysis.claims.chances import Chances
from analysis.claims.judge import VERDICTS, Judged
from analysis.claims.order import Order
from analysis.claims.schema import FIGURE, Paper, Published
from analysis.figures.style import prepare, save
from analysis.output import lineage
from analysis.report import run_sets
from analysis.report.run_sets import RunSet
from analysis.runs.experiments import NotRun
from analysis.runs.selection.conditions import Condition
from analysis.runs.tables import Tables, mixtures
from grokpipe.errors import InputError

T = TypeVar("T")
Track = Callable[[str], Callable[[Sequence[Any]], Iterable[Any]]]
"""title → a progress bar over a sequence"""
DPI = 150  # sharp on a phone, and ten of them in one page of some two megabytes
NUMBERED = re.compile(r"Table \d+")


@dataclass(frozen=True)
class Drawn:
    """A figure, or which of its runs are missing."""

    number: int
    title: str
    ours: bool
    """the paper's text describes no such figure"""
    path: Path | None
    missing: str
    judged: tuple[Judged, ...]
    """the claims that name it"""
    lineage: RunSet | None


@dataclass(frozen=True)
class Table:
    """A readable table of our runs."""

    name: str
    frame: pd.DataFrame
    lineage: RunSet | None


@dataclass(frozen=True)
class Chapter:
    """Tables that belong together: one of the paper and ours beside it, or ours alone."""

    anchor: str
    title: str
    published: Published | None
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Report:
    paper: Paper
    judged: tuple[Judged, ...]
    lineage: dict[str, RunSet | None]
    """by the id of the claim"""
    chances: dict[str, Chances]
    """by the id of the claim; a claim without runs has none"""
    orders: dict[str, Order]
    """by the id of the claim; empty away from a clone with its history"""
    figures: tuple[Drawn, ...]
    chapters: tuple[Chapter, ...]
    missing: tuple[str, ...]
    """tables that could not be made, and why"""
    sets: tuple[RunSet, ...]
    experiments: dict[str, int]
    """with the number of their runs"""
    notes: tuple[str, ...]
    """what a reader must know of the runs as a whole"""
    folder: Path
    analysis: str
    """the commit of the code that made it"""

    def by_verdict(self) -> dict[str, list[Judged]]:
        """In the order of VERDICTS, those without a claim as well."""
        return {v: [judged for judged in self.judged if judged.verdict == v] for v in VERDICTS}


def build(
    paper: Paper,
    folder: Path,
    to: Path,
    track: Track = lambda title: iter,
    where: Sequence[Condition] = (),
) -> Report:
    """Judges the claims, makes the tables and draws the figures, as files in `to`, of the runs that
    meet the conditions. Raises InputError for a folder without any experiment of the paper, and
    where no run of one meets the conditions."""
    if why := nothing_to_judge(paper, folder):
        raise InputError(why)
    found = run_sets.experiments(folder, paper.name)
    asked = [arm.experiment for arm in paper.arms.values()]
    runs = paper.runs(folder, where)
    if where:
        found = _meeting(runs, asked, found)
    sets = run_sets.RunSets(runs.experiments, found, to)
    judged = judge.judge(paper.claims, runs, track("judging claims"), paper.added)
    of_claims = {one.claim.id: sets.add(_tables(one)) for one in judged}
    simulated = {
        one.claim.id: chances.chances(one, runs.generator())
        for one in track("simulating verdicts")(judged)
        if one.verdict != judge.NOT_RUN
    }
    figures = [
        _figure(paper, number, runs, judged, sets, to)
        for number in track("drawing figures")(paper.figure_numbers())
    ]
    tables: list[Table] = []
    missing = []
    for module in track("making tables")(paper.modules("tables")):
        try:
            tables += _made(paper, module, runs, sets)
        except NotRun as error:
            missing.append(f"{module}: {error}")
    made = lineage.commit()
    every = run_sets.union(
        (e.tables for one in judged for o in one.outcomes for e in o.estimates), folder
    )
    unmatched = (f"note: claim {j.claim.id}: {said}" for j in judged for said in j.unmatched)
    return Report(
        paper=paper,
        judged=tuple(judged),
        lineage=of_claims,
        chances=simulated,
        orders=order.orders(paper, judged),
        figures=tuple(figures),
        chapters=tuple(_chapters(paper, tables)),
        missing=tuple(missing),
        sets=tuple(sets.every),
        experiments={name: len(keys) for name, keys in found.items()},
        notes=(*_only(where), *(mixtures(every.cells) if every else ()), *unmatched),
        folder=folder,
        analysis=(made["commit"] or "not of a clone") + ", changed" * bool(made["dirty"]),
    )


def nothing_to_judge(paper: Paper, folder: Path) -> str:
    """Why the runs of a folder can judge no claim of a paper; empty where they can."""
    if not paper.claims:
        return f"no claim of {paper.name} has a rule yet"
    if not folder.is_dir():
        return f"{folder}: no such folder"
    found = run_sets.experiments(folder, paper.name)
    asked = [arm.experiment for arm in paper.arms.values()]
    if any(name in found or "/" in name for name in asked):
        return ""
    such = f", such as {asked[0]}" if asked else ""
    return f"{folder}: none of the experiments of {paper.name}{such}"


def _meeting(
    runs: Runs, asked: Sequence[str], found: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """The cells of the experiments as far as they meet the conditions. Raises InputError if none of
    those that arms are of does."""
    missing = {}
    for name in dict.fromkeys([*asked, *found]):
        try:
            runs.experiments.tables(name)
        except NotRun as error:
            missing[name] = error
    read = runs.experiments.read
    if not read:
        raise InputError("; ".join(dict.fromkeys(map(str, list(missing.values())[:1]))))
    left = {name: cells[cells["key"].isin(read[name].cells["key"])]
            for name, cells in found.items() if name in read}  # fmt: skip
    return left


def _only(where: Sequence[Condition]) -> list[str]:
    """A note for a report on a part of the runs."""
    return [f"note: only the runs with {', '.join(map(str, where))}"] if where else []


def _tables(judged: Judged) -> list[Tables | None]:
    return [estimate.tables for outcome in judged.outcomes for estimate in outcome.estimates]


def _figure(
    paper: Paper,
    number: int,
    runs: Runs,
    every: Sequence[Judged],
    sets: run_sets.RunSets,
    to: Path,
) -> Drawn:
    module = import_module(f"{paper.package}.figures.{FIGURE}{number}")
    judged = [one for one in every if one.claim.figure == number]
    path, missing, of_figure = None, "", None
    try:
        prepare()
        figure, names = runs.experiments.reading(lambda: module.draw(runs))
        tables = [runs.experiments.tables(name) for name in names]
        of_figure = sets.add(tables)
        shown = run_sets.union(tables, runs.folder) or run_sets.none(runs.folder)
        path = save(shown, to, f"{FIGURE}{number}", figure, DPI)[-1]
    except NotRun as error:
        missing = str(error)
        for old in to.glob(f"{FIGURE}{number}.*"):  # of an earlier report
            old.unlink()
    return Drawn(
        number=number,
        title=str(module.TITLE),
        ours=bool(module.OURS),
        path=path,
        missing=missing,
        judged=tuple(judged),
        lineage=of_figure,
    )


def _made(paper: Paper, module: str, runs: Runs, sets: run_sets.RunSets) -> list[Table]:
    """The tables of a module; behind them are the runs of the experiments that it read."""
    make = import_module(f"{paper.package}.tables.{module}").tables
    made, names = runs.experiments.reading(lambda: make(runs))
    of_tables = sets.add([runs.experiments.tables(name) for name in names])
    return [Table(name, frame, of_tables) for name, frame in made.items()]


def _chapters(paper: Paper, tables: Sequence[Table]) -> list[Chapter]:
    """The paper's tables with ours of the same number, then the others."""
    published = {table.name: table for table in paper.tables}
    groups: dict[str, list[Table]] = {name: [] for name in published}
    other: list[Table] = []
    for table in tables:
        numbered = NUMBERED.match(table.name)
        groups.get(numbered.group() if numbered else "", other).append(table)
    chapters = [
        Chapter(name.lower().replace(" ", "-"), name, published[name], tuple(of_name))
        for name, of_name in groups.items()
    ]
    if other:
        chapters.append(Chapter("other-tables", "Other tables", None, tuple(other)))
    return chapters
