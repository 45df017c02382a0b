"""The norm of all of a cell's parameters, ‖θ‖₂, and rescaling to a target."""

from collections.abc import Sequence

import torch
from torch import Tensor


def norms(parameters: Sequence[Tensor]) -> Tensor:
    """Parameters, each (cell, …) → ‖θ‖₂ of each cell, (cell,)."""
    each = [torch.linalg.vector_norm(p.flatten(1), dim=1) for p in parameters]
    return torch.linalg.vector_norm(torch.stack(each), dim=0)


def rescale(parameters: Sequence[Tensor], targets: Tensor) -> None:
    """Scales all of a cell's parameters by one factor, in place, so that ‖θ‖₂ is its target
    (cell,); NaN leaves a cell as it is."""
    factors = torch.where(targets.isnan(), 1.0, targets / norms(parameters))
    for p in parameters:
        p.mul_(factors.view(-1, *[1] * (p.dim() - 1)).to(p.dtype))
