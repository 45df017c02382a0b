"""The weight norm matched to a baseline's trajectory (Truong et al. 2026, section 6: the norm
control), without mixing: does the norm alone matter?

After each step of the optimiser all parameters are scaled by one factor, so that ‖θ‖₂ is the mean
norm of the baseline's seeds at that step. The optimiser's moments are not changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from grokpipe.config.fields import scientific
from grokpipe.config.schema import Config as CellConfig
from grokpipe.interventions import Plain
from grokpipe.interventions._baseline import check
from grokpipe.interventions._norm import rescaled
from grokpipe.store.trajectories import Trajectory, read_for

__all__ = ["Config", "Stacked", "check"]


@dataclass(frozen=True)
class Config:
    """Configuration of the matched norm."""

    name: str = scientific()
    baseline_seeds: list[int] = scientific(at_least=0)
    """seeds of the baseline: runs without intervention that are otherwise like this one"""
    trajectory: str | None = scientific()
    """hash of that trajectory, filled in by the launcher once these runs have finished"""


class Stacked(Plain):
    """Rescales the parameters to the trajectory's norm after each step."""

    def __init__(self, configs: Sequence[CellConfig], shape: tuple[int, int], device: torch.device):
        super().__init__(configs, shape, device)
        self.trajectory: Trajectory = read_for(configs[0])  # all cells of a pack share one

    def bounds(self, step: int) -> list[Tensor]:
        target = self.trajectory.at(step).weight_norm
        shape = (len(self.configs),)
        return [torch.full(shape, target, dtype=self.dtype, device=self.device)]

    def constrained(self, parameters: list[Tensor], *bounds: Tensor) -> list[Tensor]:
        return rescaled(parameters, *bounds)
