"""The runs of each experiment of a paper: gathered tables, or run logs of one name."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from analysis.runs import gather
from analysis.runs.parts import CURVES
from analysis.runs.selection.conditions import Condition
from analysis.runs.tables import Tables, of_experiment, read_gathered
from grokpipe.errors import InputError
from grokpipe.store import manifest

T = TypeVar("T")


class NotRun(InputError):
    """The runs that an estimate, figure or table needs are not there."""


class Unmatched(NotRun):
    """An experiment was run, but none of its runs has a value or column that is asked for."""


@dataclass(frozen=True)
class Experiments:
    """Tables by the name of the experiment, read once.

    `folder` holds gathered tables, one folder an experiment (outputs/reference/entropy), or run
    logs (outputs/entropy), of which an experiment's are those that it asked for. `e1_baseline` is
    an experiment of `paper`; `collapse/weight_decay` is one of another paper, whose runs lie in the
    folder `collapse` beside this one.
    """

    folder: Path
    paper: str
    where: Sequence[Condition] = ()
    """conditions that the runs meet; an experiment of which no run does counts as not run"""
    read: dict[str, Tables] = field(default_factory=dict)
    """the tables read so far, by the name that was asked for"""
    _logs: dict[Path, Tables] = field(default_factory=dict)
    _made: dict[str, tuple[Any, list[str]]] = field(default_factory=dict)
    _noted: list[dict[str, None]] = field(default_factory=list)

    def tables(self, name: str) -> Tables:
        """The runs of one experiment. Raises NotRun."""
        if name not in self.read:
            self.read[name] = self._find(name)
        self._note([name])
        return self.read[name]

    def reading(self, make: Callable[[], T]) -> tuple[T, list[str]]:
        """The result of `make`, and the names of the experiments that it read."""
        self._noted.append({})
        try:
            found = make()
        finally:
            names = list(self._noted.pop())
            self._note(names)
        return found, names

    def _find(self, name: str) -> Tables:
        paper, _, own = name.rpartition("/")
        folder = self.folder.parent / paper if paper else self.folder
        if manifest.cells_folder(folder).is_dir():
            if folder not in self._logs:
                self._logs[folder] = gather.read_every(folder)
            try:
                found = of_experiment(self._logs[folder], folder, f"{paper or self.paper}/{own}")
            except InputError as error:
                raise NotRun(f"{name}: not run") from error
        elif (folder / own / CURVES).exists():
            found = read_gathered(folder / own)
        else:
            raise NotRun(f"{name}: not run")
        if found.curves.empty:
            raise NotRun(f"{name}: no run has an evaluation yet")
        try:
            found = gather.chosen(found, self.where)
        except InputError as error:
            raise NotRun(f"{name}: {error}") from error
        for note in found.notes:
            print(f"note: {name}: {note.removeprefix('note: ')}", file=sys.stderr)
        return found

    def once(self, name: str, make: Callable[[], T]) -> T:
        """The result of `make`, computed when it is first asked for by that name (fits take a
        minute)."""
        if name not in self._made:
            self._made[name] = self.reading(make)
        found, names = self._made[name]
        self._note(names)
        made: T = found
        return made

    def _note(self, names: Iterable[str]) -> None:
        for noted in self._noted:
            noted |= dict.fromkeys(names)

    def generator(self) -> np.random.Generator:
        """A generator for resampling: the same runs give the same numbers, in whatever order
        estimates are asked for."""
        return np.random.default_rng(0)
