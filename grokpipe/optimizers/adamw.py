"""AdamW (Loshchilov & Hutter 2019), PyTorch's own fused update applied to each cell's slice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from grokpipe.schema import scientific


@dataclass(frozen=True)
class Config:
    name: str = scientific()
    lr: float = scientific(above=0)
    """learning rate η"""
    weight_decay: float = scientific(at_least=0)
    """λ: each step multiplies the parameters by 1 − ηλ"""
    betas: list[float] = scientific(at_least=0, below=1, length=2)
    """decay rates of the first and second moment"""
    eps: float = scientific(at_least=0)
    """added to the root of the second moment"""


class Stacked:
    """`parameters`: tensors (cell, …), updated in place; `configs`: one a cell."""

    def __init__(self, configs: Sequence[Config], parameters: Sequence[Tensor]):
        self.configs = configs
        self.first = [torch.zeros_like(p) for p in parameters]
        self.second = [torch.zeros_like(p) for p in parameters]
        self.steps = [[torch.tensor(0.0, device=p.device) for p in parameters] for _ in configs]
        stacks = (parameters, self.first, self.second)
        self.slices = [[[t[i] for t in stack] for stack in stacks] for i in range(len(configs))]

    def step(self, gradients: Sequence[Tensor]) -> None:
        """One update; `gradients` (cell, …) in the order of the parameters."""
        by_cell = zip(*(gradient.unbind() for gradient in gradients), strict=True)
        for config, (parameters, first, second), steps, gradient in zip(
            self.configs, self.slices, self.steps, by_cell, strict=True
        ):
            adamw(
                parameters,
                list(gradient),
                first,
                second,
                [],
                steps,
                fused=True,
                amsgrad=False,
                beta1=config.betas[0],
                beta2=config.betas[1],
                lr=config.lr,
                weight_decay=config.weight_decay,
                eps=config.eps,
                maximize=False,
            )

    def cell_state(self, cell: int) -> dict[str, Any]:
        """Both moments and the step count of one cell, tensors in the order of the parameters."""
        return {
            "first": [t[cell].clone() for t in self.first],
            "second": [t[cell].clone() for t in self.second],
            "steps": self.steps[cell],
        }

    def state_dict(self) -> dict[str, Any]:
        return {"first": self.first, "second": self.second, "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name in ("first", "second"):
            for mine, saved in zip(getattr(self, name), state[name], strict=True):
                mine.copy_(saved)
        for mine, saved in zip(self.steps, state["steps"], strict=True):
            for step, saved_step in zip(mine, saved, strict=True):
                step.copy_(saved_step)
