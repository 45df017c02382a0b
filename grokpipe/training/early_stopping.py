"""When a cell ends before its budget: it diverges, or its stop rule holds."""

import math
from dataclasses import dataclass
from typing import Any

from grokpipe.config.schema import StopConfig
from grokpipe.curves.follower import Follower


@dataclass
class EarlyStopping:
    """Follows the evaluations of one cell.

    An evaluation is read only when the next one is due (loop.py), so a cell ends one evaluation
    after the one that showed why, or later if the rule has a margin.
    """

    rule: StopConfig
    chance: float = math.nan
    """1/classes, for an event whose level depends on it"""
    diverged: int | None = None
    """step of the first evaluation that was not finite"""

    def __post_init__(self) -> None:
        event, rows = self.rule.event, self.rule.sustained
        self.follower = None if event is None else Follower(event, self.chance, rows or 1)

    @property
    def event(self) -> int | None:
        """Step of the rule's event, once it was sustained."""
        return self.follower.event if self.follower else None

    def observe(self, row: dict[str, float]) -> None:
        """The next evaluation."""
        finite = math.isfinite(row["train_loss"]) and math.isfinite(row.get("weight_norm", 0.0))
        if not finite and self.diverged is None:
            self.diverged = int(row["step"])
        if self.follower:
            self.follower.observe(row)

    def ends(self, step: int) -> str | None:
        """Why the cell ends at the evaluation at `step`, or None."""
        if self.event is None or step < self.event + (self.rule.margin or 0):
            return None
        return f"{self.rule.event} at {self.event:,}, and {self.rule.margin:,} steps"

    def state_dict(self) -> dict[str, Any]:
        """State from which early stopping continues after an interruption."""
        nothing = {"since": None, "count": 0, "event": None}
        followed = self.follower.state_dict() if self.follower else nothing
        return {**followed, "diverged": self.diverged}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.diverged = state["diverged"]
        if self.follower:
            self.follower.load_state_dict(state)
