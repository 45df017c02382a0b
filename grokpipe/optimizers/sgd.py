"""Stochastic gradient descent: PyTorch's fused update applied to each cell's slice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim.sgd import sgd

from grokpipe.config.fields import scientific
from grokpipe.optimizers import by_config, sent, slices


@dataclass(frozen=True)
class Config:
    """Configuration of SGD."""

    name: str = scientific()
    lr: float = scientific(above=0, per_cell=True)
    """learning rate η"""
    weight_decay: float = scientific(at_least=0, per_cell=True)
    """λ, added to the gradient as λθ"""
    momentum: float = scientific(at_least=0, below=1)
    """decay rate of the velocity"""


class Stacked:
    """SGD over a stack: `parameters` (cell, …) are updated in place, with one config per cell."""

    def __init__(self, configs: Sequence[Config], parameters: Sequence[Tensor]):
        self.configs = list(configs)
        # From a velocity of zeros the first update is PyTorch's, whose velocity is the gradient.
        self.velocity = [torch.zeros_like(p) for p in parameters]
        self.groups = []
        for config, cells in by_config(configs):
            moving: list[Tensor | None] = [*slices(self.velocity, cells)]
            if not config.momentum:
                moving = [None] * len(moving)
            self.groups.append((config, cells, slices(parameters, cells), moving))

    def step(self, gradients: Sequence[Tensor]) -> None:
        """Apply one update, given gradients (cell, …) in the order of the parameters."""
        for config, cells, parameters, velocity in self.groups:
            sgd(
                parameters,
                slices(gradients, cells),
                velocity,
                fused=True,
                weight_decay=config.weight_decay,
                momentum=config.momentum,
                lr=config.lr,
                dampening=0,
                nesterov=False,
                maximize=False,
            )

    @property
    def state(self) -> list[list[Tensor]]:
        """The velocity in the order of the parameters; nothing without momentum."""
        return [self.velocity] if self.configs[0].momentum else []

    def coefficients(self, steps: int) -> Tensor:
        """Numbers that `update` takes in each of the next steps: (steps, cell, 3)."""
        settings = [(c.lr, c.weight_decay, c.momentum) for c in self.configs]
        rows = torch.tensor(settings, dtype=torch.float64)
        return sent(rows, self.velocity[0]).expand(steps, -1, -1)

    @staticmethod
    def update(
        parameter: Tensor, gradient: Tensor, state: list[Tensor], coefficients: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """The same update of one tensor of one cell as a pure function."""
        rate, decay, momentum = coefficients.unbind()
        change = gradient + decay * parameter
        if state:
            change = momentum * state[0] + change
        return parameter - rate * change, [change for _ in state]

    def advanced(self, steps: int) -> None:
        """Nothing is counted."""

    def state_dict(self) -> dict[str, Any]:
        """The velocity in the order of the parameters, each (cell, …)."""
        return {"velocity": self.velocity}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for mine, saved in zip(self.velocity, state["velocity"], strict=True):
            mine.copy_(saved)
