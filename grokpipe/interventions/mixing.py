"""Representation mixing (Truong et al. 2026, section 6, equation 3, and Appendix C)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from grokpipe.config.fields import scientific
from grokpipe.config.schema import Config as CellConfig
from grokpipe.interventions import Batch, Plain


@dataclass(frozen=True)
class Config:
    """Configuration of mixing."""

    name: str = scientific()
    alpha: float = scientific(at_least=0, below=1, per_cell=True)
    """α: share of the neighbour's features in the mixture"""


def shifted(features: Tensor) -> Tensor:
    """Features of the preceding sample, cyclically, (batch, d): a derangement that does not depend
    on the content."""
    return features.roll(1, 0)


def mixed(features: Tensor, alpha: Tensor) -> Tensor:
    """Mix features (batch, d) with their neighbours': z̃_i = (1 − α) z_i + α z_{i−1}."""
    return (1 - alpha) * features + alpha * shifted(features)


def both(batch: Batch, features: Tensor, temperature: Tensor | float = 1.0) -> Tensor:
    """Average the losses of the batch's logits and of the logits of `features`, labels unmixed.

    All logits are multiplied by `temperature`.
    """
    plain = batch.loss(temperature * batch.logits)
    return 0.5 * (plain + batch.loss(temperature * batch.head(features)))


class Stacked(Plain):
    """Trains on the mean of the losses of plain and mixed features."""

    def __init__(self, configs: Sequence[CellConfig], shape: tuple[int, int], device: torch.device):
        super().__init__(configs, shape, device)
        self.alpha = self.per_cell("alpha")

    def arguments(self, step: int) -> list[Tensor]:
        return [self.alpha]

    def objective(self, batch: Batch, *arguments: Tensor) -> Tensor:
        (alpha,) = arguments
        return both(batch, mixed(batch.features, alpha))
