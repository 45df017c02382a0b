"""Stochastic gradient descent: PyTorch's fused update applied to each cell's slice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim.sgd import sgd

from grokpipe.config.fields import scientific
from grokpipe.optimizers import Groups, sent, slices


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

        def call(cells: Sequence[int]) -> list[list[Tensor]]:
            return [slices(parameters, cells), slices(self.velocity, cells)]

        self.groups = Groups(configs, call)

    def step(self, gradients: Sequence[Tensor], lr: Tensor, weight_decay: Tensor) -> None:
        """Apply one update, given gradients (cell, …) in the order of the parameters, and each
        cell's η and λ."""
        for config, cells, (parameters, velocity) in self.groups.at(lr, weight_decay):
            sgd(
                parameters,
                slices(gradients, cells),
                [*velocity] if config.momentum else [None] * len(velocity),
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

    def coefficients(self, lr: Tensor, weight_decay: Tensor) -> Tensor:
        """Numbers that `update` takes in each of the next steps, given η and λ (steps, cell):
        (steps, cell, 3)."""
        momentum = torch.tensor([config.momentum for config in self.configs], dtype=torch.float64)
        rows = torch.stack([lr, weight_decay, momentum.expand_as(lr)], -1)
        return sent(rows, self.velocity[0])

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
