"""AdamW (Loshchilov & Hutter 2019): PyTorch's fused update applied to each cell's slice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from grokpipe.config.fields import scientific
from grokpipe.optimizers import by_config, slices


@dataclass(frozen=True)
class Config:
    """Configuration of AdamW."""

    name: str = scientific()
    lr: float = scientific(above=0, per_cell=True)
    """learning rate η"""
    weight_decay: float = scientific(at_least=0, per_cell=True)
    """λ: each step multiplies the parameters by 1 − ηλ"""
    betas: list[float] = scientific(at_least=0, below=1, length=2, per_cell=True)
    """decay rates of the first and second moment"""
    eps: float = scientific(at_least=0, per_cell=True)
    """added to the root of the second moment"""


class Stacked:
    """AdamW over a stack: `parameters` (cell, …) are updated in place, with one config per cell.

    PyTorch takes one set of coefficients per call, so cells with equal coefficients share a call.
    """

    def __init__(self, configs: Sequence[Config], parameters: Sequence[Tensor]):
        self.first = [torch.zeros_like(p) for p in parameters]
        self.second = [torch.zeros_like(p) for p in parameters]
        device = parameters[0].device
        self.counts = torch.zeros(len(configs), len(parameters), device=device)  # of steps
        self.groups = []
        for config, cells in by_config(configs):
            stacks = (parameters, self.first, self.second, self.counts.unbind(1))
            self.groups.append((config, cells, [slices(stack, cells) for stack in stacks]))

    def step(self, gradients: Sequence[Tensor]) -> None:
        """Apply one update, given gradients (cell, …) in the order of the parameters."""
        for config, cells, (parameters, first, second, counts) in self.groups:
            adamw(
                parameters,
                slices(gradients, cells),
                first,
                second,
                [],
                counts,
                fused=True,
                amsgrad=False,
                beta1=config.betas[0],
                beta2=config.betas[1],
                lr=config.lr,
                weight_decay=config.weight_decay,
                eps=config.eps,
                maximize=False,
            )

    def state_dict(self) -> dict[str, Any]:
        """Both moments in the order of the parameters, and the step counts, each (cell, …)."""
        return {"first": self.first, "second": self.second, "counts": self.counts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name in ("first", "second"):
            for mine, saved in zip(getattr(self, name), state[name], strict=True):
                mine.copy_(saved)
        self.counts.copy_(state["counts"])
