"""The norm ‖θ‖₂ of all parameters of a cell, and rescaling to a target norm."""

from collections.abc import Sequence

import torch
from torch import Tensor


def norms(parameters: Sequence[Tensor]) -> Tensor:
    """Compute ‖θ‖₂ of each cell: parameters (cell, …) → (cell,)."""
    each = [torch.linalg.vector_norm(p.flatten(1), dim=1) for p in parameters]
    return torch.linalg.vector_norm(torch.stack(each), dim=0)


def rescaled(parameters: Sequence[Tensor], target: Tensor) -> list[Tensor]:
    """Scale all parameters of one cell by one factor, so that ‖θ‖₂ is `target`, ().

    NaN leaves the parameters unchanged.
    """
    norm = torch.stack([p.square().sum() for p in parameters]).sum().sqrt()
    factor = torch.where(target.isnan(), 1.0, target / norm)
    return [p * factor.to(p.dtype) for p in parameters]
