"""An event followed while a run trains, one evaluation after the other."""

import math
from dataclasses import dataclass, field
from typing import Any

from grokpipe.curves.definitions import followed


@dataclass
class Follower:
    """Finds the event that `definitions.run_events` finds in the whole curve, as soon as the
    evaluations so far show it."""

    name: str
    """an event or a condition that training can wait for"""
    chance: float = math.nan
    """1/classes, for a level that depends on it"""
    rows: int = 1
    """evaluations in a row that must show the event"""
    since: int | None = None
    """first step of the current streak of evaluations that show the event"""
    count: int = 0
    """length of that streak"""
    recent: list[float] = field(default_factory=list)
    """the last known values, as many as the event looks back"""
    event: int | None = None
    """step of the event, once the streak was long enough"""

    def __post_init__(self) -> None:
        self.definition = followed(self.name)
        (self.column,) = self.definition.columns
        # n in a row that each begin m in a row are n + m − 1
        self.needed = self.rows + self.definition.row - 1

    def observe(self, row: dict[str, float]) -> None:
        """The next evaluation; one at which the column is NaN counts for nothing."""
        value = float(row[self.column])
        if self.event is not None or math.isnan(value):
            return
        values = [*self.recent, value]
        if self.definition.shown(values, self.chance):
            self.since = int(row["step"]) if self.count == 0 else self.since
            self.count += 1
        else:
            self.count = 0
        self.recent = values[len(values) - min(len(values), self.definition.memory) :]
        if self.count >= self.needed:
            self.event = self.since

    def state_dict(self) -> dict[str, Any]:
        """State from which following continues after an interruption."""
        state = {"since": self.since, "count": self.count, "event": self.event}
        return state | ({"recent": self.recent} if self.definition.memory else {})

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name in ("since", "count", "event", "recent"):
            if name in state:
                setattr(self, name, state[name])
