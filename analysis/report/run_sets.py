"""The runs behind a claim, figure or table: sets of keys, each with all that is known of them."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.output import lineage
from analysis.runs.experiments import Experiments
from analysis.runs.parts import CELLS, CURVES
from analysis.runs.rows import CELL_COLUMNS
from analysis.runs.tables import Tables, read_cells
from grokpipe.errors import InputError
from grokpipe.store import manifest

TRAINED = ("key", "commit", "processor")
"""what tells one run of a cell from another: gathered tables may hold it of two machines"""
SHORT = 10  # characters of a commit in a table; the whole stands above it


Trained = tuple[str, ...]
"""the values of TRAINED, or the key alone where it is enough"""


@dataclass(frozen=True)
class Run:
    key: str
    link: str
    """from the report's folder: its run log, or the gathered table that it is in"""
    folder: str
    """the same as text"""
    state: str
    commit: str
    varied: tuple[str, ...]
    """its values of what varies in the set"""


@dataclass(frozen=True)
class RunSet:
    """A set of runs."""

    anchor: str
    title: str
    """10 runs of e1_baseline"""
    facts: tuple[tuple[str, str], ...]
    """why.facts: states, what varied, what did not, commits"""
    links: tuple[tuple[str, str], ...]
    """text and target of the gathered tables"""
    varied: tuple[str, ...]
    """the configuration columns that vary"""
    runs: tuple[Run, ...]


class RunSets:
    """The sets of runs of a report, each once, numbered as they are first asked for."""

    def __init__(
        self, experiments: Experiments, own: Mapping[str, pd.DataFrame], to: Path | None = None
    ) -> None:
        """`own`: the cells of the paper's experiments by name; those of other papers are known once
        they are read. `to`: the report's folder, from which links start; default: report/ in the
        folder of the runs."""
        self._experiments = experiments
        self._folder = experiments.folder
        to = to or self._folder / "report"
        self._up = os.path.relpath(self._folder.resolve(), to.resolve())
        self._logs = manifest.cells_folder(self._folder).is_dir()
        self._asked_by: dict[Trained, list[str]] = {}
        self._names_known: set[str] = set()
        for name, cells in own.items():
            self._know(name, cells)
        self._known: dict[tuple[Trained, ...], RunSet] = {}

    @property
    def every(self) -> list[RunSet]:
        return list(self._known.values())

    def add(self, several: Iterable[Tables | None]) -> RunSet | None:
        """The set of all their runs that have an evaluation; None if there is no run."""
        for name, tables in self._experiments.read.items():
            if "/" in name and name not in self._names_known:
                self._know(name, tables.cells)
        shown = union(several, self._folder)
        if shown is None:
            return None
        runs = tuple(_trained(row) for row in shown.cells.to_dict("records"))
        if runs not in self._known:
            self._known[runs] = self._run_set(shown, len(self._known) + 1)
        return self._known[runs]

    def _know(self, name: str, cells: pd.DataFrame) -> None:
        self._names_known.add(name)
        for row in cells.to_dict("records"):
            self._asked_by.setdefault(self._trained(row), []).append(name)

    def _link(self, target: str, experiment: str) -> str:
        """Relative path from the report's folder to the tables of an experiment of any paper."""
        return f"{self._up}/../{target}" if "/" in experiment else f"{self._up}/{target}"

    def _names(self, row: Mapping[Any, Any]) -> list[str]:
        """The experiments that a run is of."""
        return self._asked_by.get(self._trained(row), [])

    def _trained(self, row: Mapping[Any, Any]) -> Trained:
        """A folder of run logs has one run of a key, and does not ask for more than that."""
        return (row["key"],) if self._logs else _trained(row)

    def _run_set(self, shown: Tables, number: int) -> RunSet:
        content = lineage.content(shown)
        varied = [name for name, _ in lineage.once(content["varied"])]
        rows = shown.cells.to_dict("records")
        names = sorted({name for row in rows for name in self._names(row)})
        count = f"{len(rows)} run" + "s" * (len(rows) != 1)
        return RunSet(
            anchor=f"runs-{number}",
            title=f"{count} of {', '.join(names)}" if names else count,
            facts=tuple(lineage.facts(content)),
            links=tuple(
                (f"{name}/{table}", self._link(f"{name}/{table}", name))
                for name in (names if not self._logs else [])
                for table in (CELLS, CURVES)
            ),
            varied=tuple(varied),
            runs=tuple(self._run(row, varied) for row in rows),
        )  # fmt: skip

    def _run(self, row: Mapping[Any, Any], varied: list[str]) -> Run:
        key, names = row["key"], self._names(row)
        link = ""
        if self._logs:  # of another paper: beside this folder
            paper = names[0].partition("/")[0] if names and "/" in names[0] else ""
            link = f"{self._up}/../{paper}/cells/{key}" if paper else f"{self._up}/cells/{key}"
        elif names:
            link = self._link(f"{names[0]}/{CELLS}", names[0])
        changed = " changed" if row["dirty"] is True else ""
        return Run(
            key=key,
            link=link,
            folder=f"cells/{key}" if self._logs else ", ".join(names),
            state=row["state"],
            commit=" ".join(commit[:SHORT] for commit in row["commit"].split()) + changed,
            varied=tuple(
                "–" if _missing(row[name]) else lineage.plain(row[name]) for name in varied
            ),
        )


def experiments(folder: Path, paper: str) -> dict[str, pd.DataFrame]:
    """The experiments that a folder has runs of, with a row each. A folder of run logs has keys, of
    what it was asked for; another gathered cells by experiment. Raises InputError for no folder."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    if not manifest.cells_folder(folder).is_dir():
        found = sorted(path.parent for path in folder.glob(f"*/{CELLS}"))
        return {path.name: read_cells(path) for path in found}
    asked = manifest.read_asked(folder)
    ours = asked[asked["experiment"].astype(str).str.startswith(f"{paper}/")]
    return {
        str(name).partition("/")[2]: rows[["key"]].drop_duplicates()
        for name, rows in ours.groupby("experiment")
    }


def union(several: Iterable[Tables | None], folder: Path) -> Tables | None:
    """All runs that have an evaluation, each once, sorted by key; of the curves only the keys. A
    column that only some runs have is missing in the others."""
    records = {
        _trained(row): row
        for tables in several
        if tables is not None
        for evaluated in [set(tables.curves["key"].unique())]
        for row in tables.cells.to_dict("records")
        if row["key"] in evaluated
    }
    if not records:
        return None
    cells = pd.DataFrame([records[key] for key in sorted(records)])
    configuration = [column for column in cells if column not in CELL_COLUMNS]
    cells = cells[[*(column for column in CELL_COLUMNS if column in cells), *configuration]]
    return Tables(curves=cells[["key"]], cells=cells, folder=folder)


def _trained(row: Mapping[Any, Any]) -> Trained:
    return tuple(str(row[name]) for name in TRAINED)


def none(folder: Path) -> Tables:
    """The tables behind a figure that is computed without a run."""
    cells = pd.DataFrame(columns=CELL_COLUMNS)
    return Tables(curves=cells[["key"]], cells=cells, folder=folder)


def _missing(value: object) -> bool:
    return value is None or value != value
