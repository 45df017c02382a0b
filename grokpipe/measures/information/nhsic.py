"""Normalised HSIC between features and inputs, and between features and labels.

As Sakamoto & Sato's released code has it: batches of 100, kernel exp(−‖a − b‖²/(2 · 25 · dim)),
centred kernels K, R = K (K + 1e-5 m I)⁻¹, Σ R_a ∘ R_bᵀ, mean over batches; for labels the linear
kernel of one-hot vectors, not centred. Two things differ. The batches are the test set in its
order, so that the parts of inputs and labels are constants. The kernel is centred on both sides,
which gives the same within 5e-6 and makes R symmetric: with A = K + 1e-5 m I and a constant S,
tr(R S) = tr(S) − 1e-5 m tr(A⁻¹ S), by one Cholesky factorisation.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

BATCH = 100
WIDTH = 5.0
"""width of the kernel for each dimension"""
RIDGE = 1e-5 * BATCH
NAN = float("nan")


def in_batches(values: Tensor) -> Tensor:
    """Reshape (n, …) to (batches, 100, d) in float64; samples beyond the last whole batch drop."""
    whole = len(values) // BATCH
    return values[: whole * BATCH].reshape(whole, BATCH, -1).double()


def kernels(points: Tensor) -> Tensor:
    """Centred kernels (batches, 100, 100) of points (batches, 100, d)."""
    # distances from products of centred points: the mean may be far larger than what differs
    points = points - points.mean(1, keepdim=True)
    lengths = points.square().sum(2)
    distances = torch.baddbmm(lengths[:, None, :], points, points.mT, alpha=-2)
    distances += lengths[:, :, None]
    kernel = distances.clamp_(min=0).div_(-2 * WIDTH**2 * points.shape[2]).exp_()
    rows = kernel.mean(2, keepdim=True)
    return kernel.sub_(rows).sub_(rows.mT).add_(rows.mean(1, keepdim=True))


def normalised(kernel: Tensor) -> Tensor:
    """R = K (K + ε m I)⁻¹ of symmetric kernels (batches, 100, 100)."""
    identity = torch.eye(BATCH, dtype=kernel.dtype)
    return identity - RIDGE * torch.cholesky_inverse(_factor(kernel))


@dataclass(frozen=True)
class Constants:
    """R of one variable for each batch, from a task's inputs or labels."""

    matrices: Tensor
    """(batches, 100, 100) float64"""

    @classmethod
    def of_inputs(cls, inputs: Tensor) -> "Constants | None":
        """R_X of inputs (n, …); None below one batch."""
        if len(inputs) < BATCH:
            return None
        return cls(normalised(kernels(in_batches(inputs))))

    @classmethod
    def of_labels(cls, labels: Tensor, classes: int) -> "Constants | None":
        """R_Y of labels (n,); None below one batch."""
        if len(labels) < BATCH:
            return None
        one_hot = in_batches(torch.nn.functional.one_hot(labels, classes))
        # K = Y Yᵀ has the class sizes as eigenvalues
        return cls(one_hot / (one_hot.sum(1, keepdim=True) + RIDGE) @ one_hot.mT)


def nhsic(
    features: Tensor, scale: float, constants: tuple[Constants | None, ...]
) -> tuple[float, ...]:
    """nHSIC of features (n, d) over `scale` with each of these variables.

    NaN for a variable that is None, below one batch and for a scale of 0.
    """
    if len(features) < BATCH or not scale > 0:
        return (NAN,) * len(constants)
    inverse = torch.cholesky_inverse(_factor(kernels(in_batches(features) / scale)))
    values = []
    for constant in constants:
        if constant is None:
            values.append(NAN)
            continue
        trace = constant.matrices.diagonal(dim1=1, dim2=2).sum()
        overlap = torch.dot(inverse.flatten(), constant.matrices.flatten())
        values.append(((trace - RIDGE * overlap) / len(inverse)).item())
    return tuple(values)


def _factor(kernel: Tensor) -> Tensor:
    shifted = kernel.clone()
    shifted.diagonal(dim1=1, dim2=2).add_(RIDGE)
    return torch.linalg.cholesky(shifted)
