"""Adam with coupled decay (Kingma & Ba 2015; λ as in torch.optim.Adam): PyTorch's fused update
applied to each cell's slice."""

from dataclasses import dataclass

import torch
from torch import Tensor

from grokpipe.config.fields import scientific
from grokpipe.optimizers import _moments


@dataclass(frozen=True)
class Config(_moments.Config):
    """Configuration of Adam."""

    weight_decay: float = scientific(at_least=0, per_cell=True)
    """λ, added to the gradient as λθ before its moments are taken, which rescale both"""


class Stacked(_moments.Moments):
    """Adam over a stack of cells."""

    fused = staticmethod(torch._fused_adam_)

    @staticmethod
    def decay(lr: Tensor, weight_decay: Tensor) -> Tensor:
        """The factor on the parameters that are added to the gradient, λ."""
        return weight_decay

    @staticmethod
    def update(
        parameter: Tensor, gradient: Tensor, state: list[Tensor], coefficients: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """The same update of one tensor of one cell as a pure function."""
        decay, *others = coefficients.unbind()
        change, state = _moments.moved(gradient + decay * parameter, state, others)
        return parameter - change, state
