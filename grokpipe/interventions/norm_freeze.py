"""Hold the norm of the weights, from a step or an event on, at its value then."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grokpipe.config.fields import scientific
from grokpipe.config.schema import Config as CellConfig
from grokpipe.errors import InputError
from grokpipe.interventions import Plain
from grokpipe.interventions._moment import Moment, check_event
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
    check_event("intervention.from_event", own.from_event)


class Stacked(Plain):
    def __init__(self, configs: Sequence[CellConfig], shape: tuple[int, int], device: torch.device):
        super().__init__(configs, shape, device)
        settings = [config.intervention for config in configs]
        steps, event = [own.from_step for own in settings], settings[0].from_event
        self.begin = Moment("intervention.from_", steps, event)
        self.held = torch.full((len(self.configs),), math.nan, dtype=self.dtype, device=device)

    def bounds(self, step: int) -> list[Tensor]:
        return [self.held]

    def constrained(self, parameters: list[Tensor], *bounds: Tensor) -> list[Tensor]:
        return rescaled(parameters, *bounds)

    def update(self, parameters: Sequence[Tensor], step: int) -> None:
        if step in self.begin.steps:
            self._hold(parameters, self.begin.past(step))

    def observe(self, cell: int, row: dict[str, float]) -> None:
        self.begin.observe(cell, row)

    def apply(self, parameters: Sequence[Tensor]) -> None:
        if self.begin.seen.any():
            self.begin.apply()
            self._hold(parameters, self.begin.reached.tolist())

    def awaited(self, cell: int, step: int) -> list[str]:
        return self.begin.awaited(cell, step)

    def _hold(self, parameters: Sequence[Tensor], begun: list[bool]) -> None:
        now = norms(parameters).to(self.held.dtype)
        begins = torch.tensor(begun, device=self.device) & self.held.isnan()
        self.held = torch.where(begins, now, self.held)

    def state_dict(self) -> dict[str, Any]:
        return {**self.begin.state_dict(), "held": self.held}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.begin.load_state_dict(state)
        self.held = state["held"].to(self.device).clone()
