"""AdamW (Loshchilov & Hutter 2019): PyTorch's fused update applied to each cell's slice."""

from dataclasses import dataclass

import torch
from torch import Tensor

from grokpipe.config.fields import scientific
from grokpipe.optimizers import _moments


@dataclass(frozen=True)
class Config(_moments.Config):
    """Configuration of AdamW."""

    weight_decay: float = scientific(at_least=0, per_cell=True)
    """λ: each step multiplies the parameters by 1 − ηλ"""


class Stacked(_moments.Moments):
    """AdamW over a stack of cells."""

    fused = staticmethod(torch._fused_adamw_)

    @staticmethod
    def decay(lr: Tensor, weight_decay: Tensor) -> Tensor:
        """The factor on the parameters, 1 − ηλ."""
        return 1 - lr * weight_decay

    @staticmethod
    def update(
        parameter: Tensor, gradient: Tensor, state: list[Tensor], coefficients: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """The same update of one tensor of one cell as a pure function."""
        kept, *others = coefficients.unbind()
        change, state = _moments.moved(gradient, state, others)
        return parameter * kept - change, state
