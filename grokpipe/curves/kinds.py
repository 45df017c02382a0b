"""Kinds of events: crossing a level, half of a change, arrival, a fall over a window, a ratio.

An event is defined by data: a column of the curves, a direction and a level, given to one of these
kinds (`Crossing("test_accuracy", 0.99)`). The events with a name are in `definitions`.
"""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grokpipe.curves.events import (
    Event,
    fallen,
    first_reached,
    first_sustained,
    half_change,
    last_fall,
    ratio,
    stays,
    sustained,
)
from grokpipe.curves.run import Definition, Floats, Run


@dataclass(frozen=True)
class AboveChance:
    """A level that depends on the number of classes: chance, 1/classes, plus a number."""

    plus: float


@dataclass(frozen=True)
class OfOtherSeeds:
    """A level that is given for each run: the mean of the column at the event `at` over the other
    seeds of the run's arm."""

    at: str
    undefined: str
    """why a run may have no such level"""


Level = float | AboveChance | OfOtherSeeds


class Followed(Definition):
    """An event that can be recognised during training, from the evaluations so far."""

    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def afterwards(self) -> str:
        return ""

    @property
    @abstractmethod
    def memory(self) -> int:
        """Number of earlier evaluations that `shown` looks at."""

    @property
    @abstractmethod
    def row(self) -> int:
        """Number of evaluations in a row that must show the event."""

    @abstractmethod
    def shown(self, values: Sequence[float], chance: float) -> bool:
        """Whether the last of the known `values`, of which up to `memory` come before it, shows the
        event."""


@dataclass(frozen=True)
class Crossing(Followed):
    """The first evaluation at which a column is at or beyond a level, there and at the following
    ones, `evaluations` in a row in all. The run may return later."""

    column: str
    level: Level
    rising: bool = True
    """reached from below (≥), or from above (≤)"""
    evaluations: int = 1
    strict: bool = False
    """beyond the level (>, <) rather than at or beyond it"""

    @property
    def undefined(self) -> str:
        return self.level.undefined if isinstance(self.level, OfOtherSeeds) else ""

    @property
    def afterwards(self) -> str:
        return "a level learned from other runs" if isinstance(self.level, OfOtherSeeds) else ""

    @property
    def memory(self) -> int:
        return 0

    @property
    def row(self) -> int:
        return self.evaluations

    def reached(self, values: ArrayLike, chance: float = math.nan) -> NDArray[np.bool_]:
        """Where the level is reached; NaN never does. Levels given for each run are not known here,
        and reached nowhere."""
        level = self.level
        if isinstance(level, AboveChance):
            level = chance + level.plus
        return self.beyond(values, math.nan if isinstance(level, OfOtherSeeds) else level)

    def beyond(self, values: ArrayLike, level: float) -> NDArray[np.bool_]:
        """Where the values lie at `level` or on the far side of it."""
        values = np.asarray(values, dtype=float)
        if self.strict:
            return values > level if self.rising else values < level
        return values >= level if self.rising else values <= level

    def first(self, steps: ArrayLike, reached: ArrayLike, budget: float) -> Event:
        """The time of the event from where the level is reached, at known evaluations."""
        if self.evaluations == 1:
            return first_reached(steps, reached, budget)
        return first_sustained(steps, reached, self.evaluations, budget)

    def shown(self, values: Sequence[float], chance: float) -> bool:
        return bool(self.reached(values[-1], chance))

    def time(self, run: Run) -> Event | None:
        steps, values = run.known(self.column)
        if isinstance(self.level, AboveChance) and math.isnan(run.chance):
            return None
        if not isinstance(self.level, OfOtherSeeds):
            return self.first(steps, self.reached(values, run.chance), run.budget)
        level = run.levels.get(self, math.nan)
        return None if math.isnan(level) else self.first(
            steps, self.beyond(values, level), run.budget
        )  # fmt: skip


@dataclass(frozen=True)
class FromFinal(Definition):
    """An event read from a column and its final value, which training does not know."""

    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def afterwards(self) -> str:
        return "the final value"


@dataclass(frozen=True)
class Half(FromFinal):
    """The first evaluation half-way from a column's first value, or from its plateau after another
    event, to its final value (`events.half_change`); censored if the column changed by less than
    `least` from one to the other, or the run is not finished."""

    least: float
    """positive, whatever the direction"""
    rising: bool | None = True
    """None: in either direction"""
    relative: bool = False
    """`least` is a share of the largest of first value, plateau and final value"""
    after: str | None = None
    """the event at which the plateau begins: what comes before is no part of the change. A run
    without the event has no half; one of which that is not known, as it did not log the columns
    of the event, has it from the first value"""
    evaluations: int = 1
    """how many in a row must be half-way, as one may be a spike"""

    def time(self, run: Run) -> Event:
        start = None
        if self.after is not None and run.logged(self.after):
            event = run.time(self.after)
            start = event.step if event and event.observed else math.inf
        steps, values = run.known(self.column)
        return half_change(
            steps, values, self.least, run.budget, run.finished, self.rising, self.relative,
            start, self.evaluations,
        )  # fmt: skip


@dataclass(frozen=True)
class Most(FromFinal):
    """The first evaluation at a share of the way from a column's first value to its final one,
    there and at the following ones, `evaluations` in a row in all, or as many as are left of the
    run; censored as `Half`."""

    share: float
    """in (0, 1]"""
    least: float
    evaluations: int = 1
    rising: bool = True

    def time(self, run: Run) -> Event:
        steps, values = run.known(self.column)
        first, final = run.plateaus(self.column)
        change = final - first if self.rising else first - final
        level = first + self.share * (final - first)
        there = values >= level if self.rising else values <= level
        to_the_end = np.concatenate([there, np.ones(self.evaluations - 1, dtype=bool)])
        reached = sustained(to_the_end, self.evaluations)[: len(there)]
        return first_reached(steps, (run.finished and change >= self.least) & reached, run.budget)


@dataclass(frozen=True)
class Arrival(FromFinal):
    """The first evaluation from which on a column stays within a distance of its final value, or
    beyond it; censored as `Half`."""

    within: float
    least: float
    rising: bool = True

    def time(self, run: Run) -> Event:
        steps, values = run.known(self.column)
        first, final = run.plateaus(self.column)
        change = final - first if self.rising else first - final
        near = values >= final - self.within if self.rising else values <= final + self.within
        return first_reached(
            steps, (run.finished and change >= self.least) & stays(near), run.budget
        )


@dataclass(frozen=True)
class Fall(Followed):
    """The first evaluation at which a column lies more than `by` below its value `window` known
    evaluations before; or, with `last_before`, the start of the last such fall that begins no later
    than the event of that name."""

    column: str
    by: float
    window: int
    rising: bool = False
    """a rise rather than a fall"""
    last_before: str | None = None

    @property
    def afterwards(self) -> str:
        return f"whether another fall comes before {self.last_before}" if self.last_before else ""

    @property
    def memory(self) -> int:
        return self.window

    @property
    def row(self) -> int:
        return 1

    def shown(self, values: Sequence[float], chance: float) -> bool:
        return bool(fallen(self._downwards(values), self.by, self.window)[-1])

    def time(self, run: Run) -> Event | None:
        steps, values = run.known(self.column)
        values = self._downwards(values)
        if self.last_before is None:
            return first_reached(steps, fallen(values, self.by, self.window), run.budget)
        until = run.time(self.last_before)
        return until and last_fall(steps, values, until, run.budget, self.by, self.window)

    def _downwards(self, values: Sequence[float] | Floats) -> Floats:
        values = np.asarray(values, dtype=float)
        return -values if self.rising else values


@dataclass(frozen=True)
class Ratio(Definition):
    """The time of one event over that of another."""

    late: str
    early: str

    @property
    def columns(self) -> tuple[str, ...]:
        return ()

    @property
    def undefined(self) -> str:
        return f"{self.early} was not seen, or was seen at step 0"

    @property
    def afterwards(self) -> str:
        return "the ratio of two times"

    def time(self, run: Run) -> Event | None:
        late, early = run.time(self.late), run.time(self.early)
        return ratio(late, early) if late and early else None
