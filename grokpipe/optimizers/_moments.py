"""Both moments of Adam (Kingma & Ba 2015) over a stack of cells: what Adam and AdamW share.

They differ in what weight decay acts on, the gradient or the parameter itself.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from grokpipe.config.fields import scientific
from grokpipe.optimizers import Groups, sent, slices


@dataclass(frozen=True)
class Config:
    """Configuration of Adam; its forms say what λ does."""

    name: str = scientific()
    lr: float = scientific(above=0, per_cell=True)
    """learning rate η"""
    weight_decay: float = scientific(at_least=0, per_cell=True)
    """λ"""
    betas: list[float] = scientific(at_least=0, below=1, length=2, per_cell=True)
    """decay rates of the first and second moment"""
    eps: float = scientific(at_least=0, per_cell=True)
    """added to the root of the second moment"""


class Moments(ABC):
    """An optimiser by moments: `parameters` (cell, …) are updated in place, with one config per
    cell.

    PyTorch takes one set of coefficients per call, so cells with equal coefficients share a call.
    """

    fused: ClassVar[Callable[..., None]]
    """PyTorch's fused update"""

    def __init__(self, configs: Sequence[Config], parameters: Sequence[Tensor]):
        self.configs = list(configs)
        self.first = [torch.zeros_like(p) for p in parameters]
        self.second = [torch.zeros_like(p) for p in parameters]
        device = parameters[0].device
        self.counts = torch.zeros(len(configs), device=device)  # of steps
        self.counted = torch.zeros(len(configs), dtype=torch.float64)  # the same, on the CPU
        stacks = (parameters, self.first, self.second)

        def call(cells: Sequence[int]) -> list[list[Tensor]]:
            counts = [self.counts[cell] for cell in cells for _ in parameters]
            return [*(slices(stack, cells) for stack in stacks), counts]

        self.groups = Groups(configs, call)

    def step(self, gradients: Sequence[Tensor], lr: Tensor, weight_decay: Tensor) -> None:
        """Apply one update, given gradients (cell, …) in the order of the parameters, and each
        cell's η and λ."""
        self.advanced(1)
        groups = self.groups.at(lr, weight_decay)
        for config, cells, (parameters, first, second, counts) in groups:
            # torch.optim's function would count for each tensor, one by one
            self.fused(
                parameters,
                slices(gradients, cells),
                first,
                second,
                [],
                counts,
                amsgrad=False,
                beta1=config.betas[0],
                beta2=config.betas[1],
                lr=config.lr,
                weight_decay=config.weight_decay,
                eps=config.eps,
                maximize=False,
            )

    @property
    def state(self) -> list[list[Tensor]]:
        """Both moments, each in the order of the parameters."""
        return [self.first, self.second]

    @staticmethod
    @abstractmethod
    def decay(lr: Tensor, weight_decay: Tensor) -> Tensor:
        """The first of the coefficients, by which `update` decays, from η and λ of each cell."""

    def coefficients(self, lr: Tensor, weight_decay: Tensor) -> Tensor:
        """Numbers that `update` takes in each of the next steps, given η and λ (steps, cell):
        (steps, cell, 7)."""
        settings = [(*c.betas, c.eps) for c in self.configs]
        beta1, beta2, eps = torch.tensor(settings, dtype=torch.float64).T
        counts = self.counted + torch.arange(1, len(lr) + 1)[:, None]
        unbiased1, unbiased2 = 1 - beta1**counts, 1 - beta2**counts
        rows = (
            self.decay(lr, weight_decay),
            lr / unbiased1,
            unbiased2.rsqrt(),
            1 - beta1,
            beta2,
            1 - beta2,
            eps,
        )
        return sent(torch.stack([row.expand_as(counts) for row in rows], -1), self.first[0])

    def advanced(self, steps: int) -> None:
        """Count updates that were made by `update`."""
        self.counts += steps
        self.counted += steps

    def state_dict(self) -> dict[str, Any]:
        """Both moments in the order of the parameters, and the step counts, each (cell, …)."""
        counts = self.counts[:, None].expand(-1, len(self.first))  # the form of earlier releases
        return {"first": self.first, "second": self.second, "counts": counts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name in ("first", "second"):
            for mine, saved in zip(getattr(self, name), state[name], strict=True):
                mine.copy_(saved)
        for mine in (self.counts, self.counted):
            mine.copy_(state["counts"][:, 0])


def moved(
    gradient: Tensor, state: list[Tensor], coefficients: Sequence[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    """The change of one tensor of one cell that its moments ask for, and the new moments, given the
    coefficients after the first."""
    first, second = state
    size, unbiased, new1, old2, new2, eps = coefficients
    first = first + (gradient - first) * new1
    second = second * old2 + gradient * gradient * new2
    return size * (first / (second.sqrt() * unbiased + eps)), [first, second]
