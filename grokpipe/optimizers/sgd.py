"""Stochastic gradient descent, PyTorch's own fused update applied to each cell's slice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim.sgd import sgd

from grokpipe.schema import scientific


@dataclass(frozen=True)
class Config:
    name: str = scientific()
    lr: float = scientific(above=0)
    """learning rate η"""
    weight_decay: float = scientific(at_least=0)
    """λ, added to the gradient as λθ"""
    momentum: float = scientific(at_least=0, below=1)
    """decay rate of the velocity"""


class Stacked:
    """`parameters`: tensors (cell, …), updated in place; `configs`: one a cell."""

    def __init__(self, configs: Sequence[Config], parameters: Sequence[Tensor]):
        self.configs = configs
        # A velocity of zeros gives PyTorch's first update, which starts it as the gradient itself.
        self.velocity = [torch.zeros_like(p) for p in parameters]
        stacks = (parameters, self.velocity)
        self.slices = [[[t[i] for t in stack] for stack in stacks] for i in range(len(configs))]

    def step(self, gradients: Sequence[Tensor]) -> None:
        """One update; `gradients` (cell, …) in the order of the parameters."""
        by_cell = zip(*(gradient.unbind() for gradient in gradients), strict=True)
        for config, (parameters, velocity), gradient in zip(
            self.configs, self.slices, by_cell, strict=True
        ):
            moving: list[Tensor | None] = [*velocity] if config.momentum else [None] * len(velocity)
            sgd(
                parameters,
                list(gradient),
                moving,
                fused=True,
                weight_decay=config.weight_decay,
                momentum=config.momentum,
                lr=config.lr,
                dampening=0,
                nesterov=False,
                maximize=False,
            )

    def cell_state(self, cell: int) -> dict[str, Any]:
        """The velocity of one cell, tensors in the order of the parameters."""
        return {"velocity": [t[cell].clone() for t in self.velocity]}

    def state_dict(self) -> dict[str, Any]:
        return {"velocity": self.velocity}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for mine, saved in zip(self.velocity, state["velocity"], strict=True):
            mine.copy_(saved)
