"""The norm of the weights held, from a step or an event on, at what it was then."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grokpipe.config.fields import scientific
from grokpipe.config.schema import Config as CellConfig
from grokpipe.curves.events import CROSSINGS
from grokpipe.errors import InputError
from grokpipe.interventions import Plain
from grokpipe.interventions._norm import norms, rescale


@dataclass(frozen=True)
class Config:
    name: str = scientific()
    from_step: int | None = scientific(at_least=1, per_cell=True)
    """the optimiser step after which the norm is held; null: from an event on"""
    from_event: str | None = scientific(choices=tuple(CROSSINGS))
    """the event (grokpipe/curves/events.py) that an evaluation shows; the norm is held from the
    evaluation after that one on, when its numbers are read; null: from a step on"""


def check(config: CellConfig) -> None:
    own = config.intervention
    if (own.from_step is None) == (own.from_event is None):
        raise InputError(
            f"intervention.from_step={'null' if own.from_step is None else own.from_step}: "
            "norm_freeze needs either a step or intervention.from_event, and the other null"
        )
    if own.from_event is not None:
        measure, slash, _ = CROSSINGS[own.from_event].column.partition("/")
        if slash and measure not in config.measures.names:
            raise InputError(
                f"intervention.from_event={own.from_event}: needs {measure} among measures.names"
            )


class Stacked(Plain):
    def __init__(self, configs: Sequence[CellConfig], shape: tuple[int, int], device: torch.device):
        super().__init__(configs, shape, device)
        settings = [config.intervention for config in configs]
        self.steps = [own.from_step for own in settings]
        event = settings[0].from_event
        self.crossing = None if event is None else CROSSINGS[event]
        self.seen = torch.zeros(len(self.configs), dtype=torch.bool)
        self.held = torch.full((len(self.configs),), float("nan"), device=device)

    def update(self, parameters: Sequence[Tensor], step: int) -> None:
        rescale(parameters, self.held)
        if step in self.steps:
            begins = torch.tensor([own == step for own in self.steps], device=self.device)
            self._hold(parameters, begins)

    def see(self, cell: int, row: dict[str, float]) -> None:
        if self.crossing is not None and self.crossing.reached(row[self.crossing.column]):
            self.seen[cell] = True

    def act(self, parameters: Sequence[Tensor]) -> None:
        if self.seen.any():
            self._hold(parameters, self.seen.to(self.device))

    def _hold(self, parameters: Sequence[Tensor], begins: Tensor) -> None:
        now = norms(parameters).to(self.held.dtype)
        self.held = torch.where(begins & self.held.isnan(), now, self.held)

    def state_dict(self) -> dict[str, Any]:
        return {"seen": self.seen, "held": self.held}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.seen = state["seen"].cpu().clone()
        self.held = state["held"].to(self.device).clone()
