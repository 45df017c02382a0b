"""Mixing while the norm of the weights follows the baseline's (Truong et al. 2026, section 6).

Matching the norm also changes the scale of the logits. With `temperature` the objective's logits
are multiplied, in each batch, by the factor that restores the baseline's scale at that step: a
delay that remains is due to neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from grokpipe.config.fields import scientific
from grokpipe.config.schema import Config as CellConfig
from grokpipe.interventions import Batch, norm_match
from grokpipe.interventions._baseline import check
from grokpipe.interventions.mixing import both, mixed

__all__ = ["Config", "Stacked", "check"]


@dataclass(frozen=True)
class Config:
    """Configuration of mixing with a matched norm."""

    name: str = scientific()
    alpha: float = scientific(at_least=0, below=1, per_cell=True)
    """α of the mixing"""
    temperature: bool = scientific()
    """restore the baseline's scale of the logits in the objective"""
    baseline_seeds: list[int] = scientific(at_least=0)
    """as for norm_match"""
    trajectory: str | None = scientific()
    """as for norm_match"""


def restoring(logits: Tensor, scale: Tensor) -> Tensor:
    """Factor that gives logits (batch, classes) the scale (), without gradient; 1 for NaN.

    The scale is the root mean square about the mean over the classes (measures/logits.py).
    """
    now = (logits - logits.mean(1, keepdim=True)).square().mean().sqrt().detach()
    return torch.where(scale.isnan(), 1.0, scale / now)


class Stacked(norm_match.Stacked):
    """Mixes features, matches the norm and, with `temperature`, the logit scale."""

    def __init__(self, configs: Sequence[CellConfig], shape: tuple[int, int], device: torch.device):
        super().__init__(configs, shape, device)
        self.alpha = self.per_cell("alpha")
        self.temperature = configs[0].intervention.temperature

    def arguments(self, step: int) -> list[Tensor]:
        scale = self.trajectory.at(step).logit_scale if self.temperature else float("nan")
        return [self.alpha, torch.full_like(self.alpha, scale)]

    def objective(self, batch: Batch, *arguments: Tensor) -> Tensor:
        alpha, scale = arguments
        return both(batch, mixed(batch.features, alpha), restoring(batch.logits, scale))
