"""Moments at which something begins or ends for the cells of a stack: steps, or an event."""

import math
from collections.abc import Sequence
from typing import Any

import torch

from grokpipe.curves.definitions import followed
from grokpipe.curves.follower import Follower
from grokpipe.curves.kinds import AboveChance
from grokpipe.errors import InputError


def check_event(key: str, event: str | None) -> None:
    """Raise InputError, naming the configuration key, for an event that depends on the number of
    classes."""
    if event and isinstance(getattr(followed(event), "level", None), AboveChance):
        raise InputError(
            f"{key}={event}: its level depends on the number of classes; write it out, as in "
            f"'{key}=\"test_accuracy>=0.2\"'"
        )


class Moment:
    """A step of each cell, or an event that all follow: a cell is past it from the evaluation after
    the one that shows the event, when its numbers are read. A cell with neither never is."""

    def __init__(self, keys: str, steps: Sequence[int | None], event: str | None):
        """Take the steps or the event, and what their configuration keys begin with."""
        self.keys, self.steps, self.event = keys, list(steps), event
        self.followers = [] if event is None else [Follower(event) for _ in steps]
        self.seen = torch.zeros(len(self.steps), dtype=torch.bool)  # the event
        self.reached = self.seen.clone()  # the evaluation after it

    def observe(self, cell: int, row: dict[str, float]) -> None:
        """Take note of an evaluation of one cell."""
        if self.followers:
            self.followers[cell].observe(row)
            self.seen[cell] |= self.followers[cell].event is not None

    def apply(self) -> None:
        """Act on the evaluations so far."""
        self.reached = self.reached | self.seen

    def past(self, step: int) -> list[bool]:
        """Whether each cell is past the moment in the step after number `step`."""
        return [
            reached or (own is not None and step >= own)
            for own, reached in zip(self.steps, self.reached.tolist(), strict=True)
        ]

    def awaited(self, cell: int, step: int) -> list[str]:
        """The setting of a cell's moment, if it has one that has not come by step number `step`."""
        own = self.steps[cell]
        if own is not None:
            return [f"{self.keys}step={own}"] if step < own else []
        return [] if self.event is None or self.seen[cell] else [f"{self.keys}event={self.event}"]

    def state_dict(self) -> dict[str, Any]:
        """Whether the event was seen, and the follower's memory, (cell, …) each."""
        state = {"seen": self.seen, "reached": self.reached}
        if any(follower.needed > 1 for follower in self.followers):
            streaks = [(follower.since or 0, follower.count) for follower in self.followers]
            state["streak"] = torch.tensor(streaks)
        if memory := max((follower.definition.memory for follower in self.followers), default=0):
            padded = [[math.nan] * memory + follower.recent for follower in self.followers]
            state["recent"] = torch.tensor([row[-memory:] for row in padded], dtype=torch.float64)
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.seen = state["seen"].cpu().clone()
        self.reached = state.get("reached", state["seen"]).cpu().clone()
        for cell, follower in enumerate(self.followers):
            if "streak" in state:
                follower.since, follower.count = state["streak"][cell].tolist()
            if "recent" in state:
                recent = state["recent"][cell].cpu()
                follower.recent = recent[~recent.isnan()].tolist()
            if self.seen[cell]:  # it follows no more; its step does not matter any longer
                follower.event = follower.since or 0
