"""Hold the norm of the weights, from a step or an event on, at its value then."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grokpipe.config.fields import scientific
from grokpipe.config.schema import Config as CellConfig
from grokpipe.curves.definitions import followed
from grokpipe.curves.follower import Follower
from grokpipe.curves.kinds import AboveChance
from grokpipe.errors import InputError
from grokpipe.interventions import Plain
from grokpipe.interventions._norm import norms, rescaled


@dataclass(frozen=True)
class Config:
    name: str = scientific()
    from_step: int | None = scientific(at_least=1, per_cell=True)
    """the optimiser step after which the norm is held; null: from an event on"""
    from_event: str | None = scientific(event=True)
    """the event (grokpipe/curves/definitions.py), or the condition ("test_accuracy>=0.9"): the norm
    is held from the evaluation after the one that shows it, when its numbers are read; null: from a
    step on"""


def check(config: CellConfig) -> None:
    own = config.intervention
    if (own.from_step is None) == (own.from_event is None):
        raise InputError(
            f"intervention.from_step={'null' if own.from_step is None else own.from_step}: "
            "norm_freeze needs either a step or intervention.from_event, and the other null"
        )
    event = own.from_event
    if event and isinstance(getattr(followed(event), "level", None), AboveChance):
        raise InputError(
            f"intervention.from_event={event}: its level depends on the number of classes; write "
            "it out, as in 'intervention.from_event=\"test_accuracy>=0.2\"'"
        )


class Stacked(Plain):
    def __init__(self, configs: Sequence[CellConfig], shape: tuple[int, int], device: torch.device):
        super().__init__(configs, shape, device)
        settings = [config.intervention for config in configs]
        self.steps = [own.from_step for own in settings]
        event = settings[0].from_event
        self.followers = [] if event is None else [Follower(event) for _ in configs]
        self.seen = torch.zeros(len(self.configs), dtype=torch.bool)
        self.held = torch.full((len(self.configs),), math.nan, dtype=self.dtype, device=device)

    def bounds(self, step: int) -> list[Tensor]:
        return [self.held]

    def constrained(self, parameters: list[Tensor], *bounds: Tensor) -> list[Tensor]:
        return rescaled(parameters, *bounds)

    def update(self, parameters: Sequence[Tensor], step: int) -> None:
        if step in self.steps:
            begins = torch.tensor([own == step for own in self.steps], device=self.device)
            self._hold(parameters, begins)

    def observe(self, cell: int, row: dict[str, float]) -> None:
        if self.followers:
            self.followers[cell].observe(row)
            self.seen[cell] |= self.followers[cell].event is not None

    def apply(self, parameters: Sequence[Tensor]) -> None:
        if self.seen.any():
            self._hold(parameters, self.seen.to(self.device))

    def _hold(self, parameters: Sequence[Tensor], begins: Tensor) -> None:
        now = norms(parameters).to(self.held.dtype)
        self.held = torch.where(begins & self.held.isnan(), now, self.held)

    def state_dict(self) -> dict[str, Any]:
        state = {"seen": self.seen, "held": self.held}
        if any(follower.needed > 1 for follower in self.followers):
            streaks = [(follower.since or 0, follower.count) for follower in self.followers]
            state["streak"] = torch.tensor(streaks)
        if memory := max((follower.definition.memory for follower in self.followers), default=0):
            padded = [[math.nan] * memory + follower.recent for follower in self.followers]
            state["recent"] = torch.tensor([row[-memory:] for row in padded], dtype=torch.float64)
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.seen = state["seen"].cpu().clone()
        self.held = state["held"].to(self.device).clone()
        for cell, follower in enumerate(self.followers):
            if "streak" in state:
                follower.since, follower.count = state["streak"][cell].tolist()
            if "recent" in state:
                recent = state["recent"][cell].cpu()
                follower.recent = recent[~recent.isnan()].tolist()
            if self.seen[cell]:  # it follows no more; its step does not matter any longer
                follower.event = follower.since or 0
