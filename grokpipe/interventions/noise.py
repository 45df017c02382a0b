"""Gaussian noise on the representation, as large as the change by mixing: a control for whether
mixing does more than disturb the features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grokpipe.config.fields import scientific
from grokpipe.config.schema import Config as CellConfig
from grokpipe.interventions import Batch, Plain
from grokpipe.interventions.mixing import both, shifted
from grokpipe.randomness import generator


@dataclass(frozen=True)
class Config:
    """Configuration of the noise."""

    name: str = scientific()
    alpha: float = scientific(at_least=0, below=1, per_cell=True)
    """α of the mixing whose change the noise matches in size"""


def noisy(features: Tensor, alpha: Tensor, draws: Tensor) -> Tensor:
    """Add noise of the expected size of mixing's change in this batch: z + σ ε.

    σ² is the mean of α² (z_{i−1} − z_i)² over batch and dimensions; no gradient goes through σ.

    Args:
        features: z, (batch, d).
        alpha: α, ().
        draws: ε, (batch, d), standard normal.
    """
    size = (shifted(features) - features).square().mean().sqrt().detach()
    return features + alpha * size * draws


class Stacked(Plain):
    """Trains on the mean of the losses of plain and noisy features."""

    def __init__(self, configs: Sequence[CellConfig], shape: tuple[int, int], device: torch.device):
        super().__init__(configs, shape, device)
        self.alpha = self.per_cell("alpha")
        self.draws = [generator(config.seed, "intervention") for config in self.configs]

    def arguments(self, step: int) -> list[Tensor]:
        drawn = [torch.randn(self.shape, generator=draws) for draws in self.draws]
        return [self.alpha, torch.stack(drawn).to(self.device)]

    def objective(self, batch: Batch, *arguments: Tensor) -> Tensor:
        alpha, draws = arguments
        return both(batch, noisy(batch.features, alpha, draws))

    def state_dict(self) -> dict[str, Any]:
        return {"draws": torch.stack([draws.get_state() for draws in self.draws])}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for draws, saved in zip(self.draws, state["draws"], strict=True):
            draws.set_state(saved.cpu().clone())  # set_state reads from the start of the storage
