"""When a cell ends before its budget: it diverges, or its stop rule holds."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from grokpipe.config.schema import StopConfig
from grokpipe.curves.events import CROSSINGS


@dataclass
class Watch:
    """Follows the evaluations of one cell.

    An evaluation is known only when the next one is due (train.py), so a cell ends one evaluation
    after the one that showed why, or later if the rule has a margin.
    """

    rule: StopConfig
    since: int | None = None
    """step at which the present row of evaluations that show the event began"""
    count: int = 0
    """length of that row"""
    event: int | None = None
    """step of the event, once it was sustained"""
    diverged: int | None = None
    """step of the first evaluation that was not finite"""

    def see(self, row: dict[str, float]) -> None:
        step = int(row["step"])
        finite = math.isfinite(row["train_loss"]) and math.isfinite(row.get("weight_norm", 0.0))
        if not finite and self.diverged is None:
            self.diverged = step
        if self.rule.event is None or self.event is not None:
            return
        assert self.rule.sustained is not None
        crossing = CROSSINGS[self.rule.event]
        if crossing.reached(row[crossing.column]):
            self.since = step if self.count == 0 else self.since
            self.count += 1
        else:
            self.count = 0
        if self.count >= self.rule.sustained:
            self.event = self.since

    def ends(self, step: int) -> str | None:
        """Why the cell ends at the evaluation at `step`, or None."""
        if self.event is None or step < self.event + (self.rule.margin or 0):
            return None
        return f"{self.rule.event} at {self.event:,}, and {self.rule.margin:,} steps"

    def state_dict(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "rule"}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
