"""Where the runs of each experiment of the paper are: gathered tables, or run logs of one name."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from analysis.runs import gather
from analysis.runs.parts import CURVES
from analysis.runs.tables import Tables, of_experiment, read_gathered
from grokpipe.errors import InputError
from grokpipe.store import manifest

PAPER = "entropy"
T = TypeVar("T")


class NotRun(InputError):
    """The runs that a quantity, figure or table needs are not there."""


@dataclass(frozen=True)
class Experiments:
    """Tables by the name of the experiment, read once.

    `folder` holds gathered tables, one folder an experiment (outputs/reference/entropy), or run
    logs (outputs/entropy), of which an experiment's are those that it asked for.
    """

    folder: Path
    _read: dict[str, Tables] = field(default_factory=dict)
    _made: dict[str, tuple[Any, list[str]]] = field(default_factory=dict)
    _noted: list[dict[str, None]] = field(default_factory=list)

    def tables(self, name: str) -> Tables:
        """Of one experiment (e1_baseline). Raises NotRun."""
        if name not in self._read:
            self._read[name] = self._find(name)
        self._note([name])
        return self._read[name]

    def reading(self, make: Callable[[], T]) -> tuple[T, list[str]]:
        """What `make` gives, and which experiments it rests on, as it read them."""
        self._noted.append({})
        try:
            found = make()
        finally:
            names = list(self._noted.pop())
        self._note(names)
        return found, names

    def _find(self, name: str) -> Tables:
        if manifest.cells_folder(self.folder).is_dir():
            if "" not in self._read:
                self._read[""] = gather.read(self.folder)
            try:
                found = of_experiment(self._read[""], self.folder, f"{PAPER}/{name}")
            except InputError as error:
                raise NotRun(f"{name}: not run") from error
        elif (self.folder / name / CURVES).exists():
            found = read_gathered(self.folder / name)
        else:
            raise NotRun(f"{name}: not run")
        if found.curves.empty:
            raise NotRun(f"{name}: no run has an evaluation yet")
        return found

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` gives, made when it is first asked for by that name: fits take a minute."""
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
        """Of resampling: the same runs give the same numbers, whichever quantity is asked first."""
        return np.random.default_rng(0)
