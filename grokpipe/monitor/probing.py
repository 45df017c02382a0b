"""A look at a network that is being trained by someone else, without disturbing it."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from grokpipe.errors import InputError
from grokpipe.measures.spectral import CONSTANT, spectral_entropy


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, no gradient, and PyTorch's generators restored.

    The modes are set one by one, for a model's own `train()` may do more than that; and no_grad
    rather than inference_mode, whose tensors training could not use if the model keeps one.
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
    """H̃ of (n, d) features, n > d, of any scale, computed on the CPU: float64 is slow or missing
    on many GPUs.

    With no more samples than dimensions the rank caps it. `capped` accepts that: then H̃ is
    normalised by the logarithm of the largest rank there is, n − 1, and comes from the n × n Gram
    matrix. Such values compare only with those of the same n.

    Raises InputError for features that are not of that or the `expected` shape, of no more samples
    than dimensions unless `capped`, not finite, or constant.
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
        raise InputError("features: constant over the probe; must vary for an entropy")
    # the measure clamps eigenvalues at an absolute 1e-12, to which those of small features are near
    centred = centred / scale
    return spectral_entropy(centred) if n > d else _of_gram(centred)


def _of_gram(centred: Tensor) -> float:
    """Of (n, d) centred features, n ≤ d: the Gram matrix has the covariance's non-zero
    eigenvalues."""
    gram = centred @ centred.T
    eigenvalues = torch.linalg.eigvalsh(gram)[1:].clamp(min=0)  # the first is of the mean: zero
    shares = eigenvalues / eigenvalues.sum()
    return torch.special.entr(shares).sum().item() / math.log(len(shares))
