"""Evaluate a network during training without disturbing it."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from grokpipe.errors import InputError
from grokpipe.measures.spectral import CONSTANT, spectral_entropy


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Run the block in evaluation mode, without gradient; then restore modes and generators.

    Modes are set module by module, since a model's own `train()` may do more. no_grad is used
    rather than inference_mode, since training could not use a tensor made there that the model
    keeps.
    """
    modes = [(module, module.training) for module in model.modules()]
    devices = {p.device.index for p in model.parameters() if p.device.type == "cuda"}
    with torch.random.fork_rng(sorted(devices)), torch.no_grad():
        try:
            for module, _ in modes:
                module.training = False
            yield
        finally:
            for module, mode in modes:
                module.training = mode


def entropy(features: Tensor, expected: tuple[int, ...] | None, capped: bool = False) -> float:
    """Spectral entropy H̃ of features (n, d), n > d, of any scale.

    Computed on the CPU, since float64 is slow or missing on many GPUs. With no more samples than
    dimensions the rank caps the entropy. `capped` accepts that: H̃ is then normalised by the
    logarithm of the largest possible rank, n − 1, and computed from the n × n Gram matrix. Such
    values compare only with values of the same n.

    Raises InputError for features that are not a matrix, not of the `expected` shape, with no more
    samples than dimensions unless `capped`, not finite, or constant.
    """
    if not isinstance(features, Tensor) or features.ndim != 2:
        shape = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
        raise InputError(f"features: {shape}: must be a tensor of shape (samples, dimensions)")
    n, d = features.shape
    if expected is not None and (n, d) != expected:
        raise InputError(f"features of shape {(n, d)}: must be {expected}, as at the last update")
    if d < 2:
        raise InputError(f"features of shape {(n, d)}: must have ≥ 2 dimensions")
    if n <= d and not (capped and n > 2):
        raise InputError(
            f"features of shape {(n, d)}: the probe must have more than {d} samples, or their rank"
            " caps the entropy"
        )
    features = features.detach().cpu().double()
    if not features.isfinite().all():
        bad = int((~features.isfinite()).any(1).sum())
        raise InputError(f"features: NaN or infinite in {bad} of {n} samples; must be finite")
    centred = features - features.mean(0)
    scale = centred.square().mean().sqrt()
    if scale.square() <= CONSTANT * features.square().mean():
        raise InputError("features: constant over the probe; must vary")
    # rescale: the measure clamps eigenvalues at 1e-12, close to those of small features
    centred = centred / scale
    return spectral_entropy(centred) if n > d else _gram_entropy(centred)


def _gram_entropy(centred: Tensor) -> float:
    """H̃ of centred features (n, d), n ≤ d, from the Gram matrix, which has the non-zero eigenvalues
    of the covariance."""
    gram = centred @ centred.T
    eigenvalues = torch.linalg.eigvalsh(gram)[1:].clamp(min=0)  # the first, of the mean, is zero
    shares = eigenvalues / eigenvalues.sum()
    return torch.special.entr(shares).sum().item() / math.log(len(shares))
