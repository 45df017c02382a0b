"""A penalty β · f(features) in the loss, which acts on a measure f itself, unlike any arm of Truong
et al. (2026).

β > 0 pushes the measure down (does its fall hasten grokking?), β < 0 holds it up (is its fall
needed?). To add a measure, add a function to `MEASURES`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from grokpipe.config.fields import scientific
from grokpipe.config.schema import Config as CellConfig
from grokpipe.interventions import Batch, Plain


def entropy(features: Tensor) -> Tensor:
    """Normalised Rényi entropy of order 2 of the features' spectrum, in [0, 1]: log PR / log d.

    PR = (Tr C)² / Tr C² is the participation ratio of the covariance C of features (n, d). The
    value never exceeds the spectral entropy H̃ and needs no eigenvalues.
    """
    centred = features - features.mean(0)
    # use the smaller product: Tr (Z Zᵀ)² = Tr (Zᵀ Z)²
    gram = centred.T @ centred if len(features) >= features.shape[1] else centred @ centred.T
    gram = gram / gram.diagonal().sum()
    return -gram.square().sum().log() / features.new_tensor(features.shape[1]).log()


MEASURES: dict[str, Callable[[Tensor], Tensor]] = {"entropy": entropy}
"""differentiable functions of one batch's features (n, d) → scalar"""


@dataclass(frozen=True)
class Config:
    """Configuration of the penalty."""

    name: str = scientific()
    measure: str = scientific(choices=tuple(MEASURES))
    """the measure f that is added to the loss"""
    beta: float = scientific(per_cell=True)
    """β, the coefficient of f; a negative one holds the measure up"""


class Stacked(Plain):
    """Adds β times the measure to the loss."""

    def __init__(self, configs: Sequence[CellConfig], shape: tuple[int, int], device: torch.device):
        super().__init__(configs, shape, device)
        self.beta = self.per_cell("beta")
        self.measure = MEASURES[configs[0].intervention.measure]

    def arguments(self, step: int) -> list[Tensor]:
        return [self.beta]

    def objective(self, batch: Batch, *arguments: Tensor) -> Tensor:
        (beta,) = arguments
        return batch.loss(batch.logits) + beta * self.measure(batch.features)
