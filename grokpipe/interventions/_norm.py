"""The norm ‖θ‖₂ of all parameters of a cell, and rescaling to a target norm."""

from collections.abc import Sequence

import torch
from torch import Tensor


def norms(parameters: Sequence[Tensor]) -> Tensor:
    """Compute ‖θ‖₂ of each cell: parameters (cell, …) → (cell,)."""
    each = [torch.linalg.vector_norm(p.flatten(1), dim=1) for p in parameters]
    return torch.linalg.vector_norm(torch.stack(each), dim=0)


def rescale(parameters: Sequence[Tensor], targets: Tensor) -> None:
    """Scale all parameters of a cell by one factor, in place, so that ‖θ‖₂ is its target.

    `targets` (cell,); NaN leaves a cell unchanged.
    """
    factors = torch.where(targets.isnan(), 1.0, targets / norms(parameters))
    for p in parameters:
        p.mul_(factors.view(-1, *[1] * (p.dim() - 1)).to(p.dtype))
