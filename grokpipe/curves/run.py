"""What an event is, and the curves of the run in which it is looked for.

Kinds of events, such as crossing a level, are in `kinds`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grokpipe.curves.events import Event, known, plateaus

Floats = NDArray[np.float64]


class Definition(ABC):
    """Definition of an event, without its name."""

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The columns of the curves from which it is read; a run without one of them does not have
        the event."""

    @property
    def undefined(self) -> str:
        """Why a run with these columns may not have the event, not even as censored; empty if every
        run has it."""
        return ""

    @property
    @abstractmethod
    def afterwards(self) -> str:
        """What training cannot know while it runs, so that neither a stop rule nor an intervention
        can wait for the event; empty if it can (`Followed`)."""

    @abstractmethod
    def time(self, run: "Run") -> Event | None:
        """The time of the event in one run that has the columns; None if it does not have it."""


@dataclass
class Run:
    """The curves of one run, and what several events read from them, computed once."""

    curves: Mapping[str, ArrayLike]
    """by column, `step` among them"""
    chance: float
    """1/classes; NaN where they are not known"""
    budget: float
    finished: bool
    """whether the last evaluations are those of the whole budget: else there is no final value"""
    definitions: Mapping[str, Definition]
    levels: Mapping[Definition, float] = field(default_factory=dict)
    """the levels that are given for each run (`OfOtherSeeds`)"""

    def __post_init__(self) -> None:
        self._known: dict[str, tuple[Floats, Floats]] = {}
        self._plateaus: dict[str, tuple[float, float]] = {}
        self._times: dict[str, Event | None] = {}

    def known(self, column: str) -> tuple[Floats, Floats]:
        """Steps and values of the evaluations at which the column is not NaN."""
        if column not in self._known:
            self._known[column] = known(self.curves["step"], self.curves[column])
        return self._known[column]

    def plateaus(self, column: str) -> tuple[float, float]:
        """The first and the final value."""
        if column not in self._plateaus:
            self._plateaus[column] = plateaus(self.known(column)[1])
        return self._plateaus[column]

    def logged(self, name: str) -> bool:
        """Whether the columns from which an event is read have a known value."""
        columns = self.definitions[name].columns
        return all(column in self.curves and len(self.known(column)[0]) for column in columns)

    def time(self, name: str) -> Event | None:
        """The time of an event by its name; None if the run does not have it."""
        if name not in self._times:
            definition = self.definitions[name]
            there = all(column in self.curves for column in definition.columns)
            self._times[name] = definition.time(self) if there else None
        return self._times[name]
