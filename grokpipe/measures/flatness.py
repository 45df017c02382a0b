"""Relative flatness of the last layer (Han et al. 2025, Definition 3.2); small is flat.

κ = Σ_{s,s'} ⟨w_s, w_s'⟩ Tr H_{s,s'}, w_s the rows of the head, H the Hessian of the mean loss in
them. Closed forms for both losses, without autograd; tests hold them to a brute-force Hessian.
"""

import torch
from torch import Tensor

from grokpipe.measures import Snapshot, pair_distances


def kappa_cross_entropy(features: Tensor, log_p: Tensor, head: Tensor) -> float:
    """κ of cross-entropy, E[‖φ‖² Var_{c∼p}(w_c)].

    The variance is computed as Σ_{c<c'} p_c p_c' ‖w_c − w_c'‖²: every term is positive, so that
    nothing cancels when p is nearly one-hot.

    Args:
        features: φ, (n, d).
        log_p: log softmax of the logits, (n, C).
        head: w, (C, d).
    """
    p = log_p.exp()
    (first, second), squares = pair_distances(head)
    upper = torch.zeros(len(head), len(head), dtype=head.dtype)
    upper[first, second] = squares
    variances = ((p @ upper) * p).sum(1)
    return (features.square().sum(1) * variances).mean().item()


def kappa_squared_error(features: Tensor, head: Tensor) -> float:
    """κ of squared error, 2‖W‖_F² E‖φ‖², from features φ (n, d) and head W (C, d).

    For the loss summed over classes and averaged over samples, where H_{s,s'} = 2 δ_{ss'} E[φφᵀ].
    """
    return (2 * head.square().sum() * features.square().sum(1).mean()).item()


def kappa_surrogate(features: Tensor, log_p: Tensor, head: Tensor) -> float:
    """The paper's surrogate of κ, E[‖W‖_F² (1 − ‖p‖²) ‖φ‖²]; arguments as in `kappa_cross_entropy`.

    An upper bound of κ for cross-entropy, but not for squared error.
    """
    # 1 − ‖p‖² as Σ p_c (1 − p_c), with 1 − p_c by expm1, to avoid cancellation
    uncertainty = -(log_p.exp() * torch.expm1(log_p)).sum(1)
    return (head.square().sum() * (uncertainty * features.square().sum(1)).mean()).item()


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute κ of the training loss in use, and the surrogate, on the training set."""
    features, log_p = snapshot.train.features.double(), snapshot.train.log_probabilities
    if snapshot.loss == "squared_error":
        kappa = kappa_squared_error(features, snapshot.head)
    else:
        kappa = kappa_cross_entropy(features, log_p, snapshot.head)
    return {
        "flatness/kappa": kappa,
        "flatness/kappa_surrogate": kappa_surrogate(features, log_p, snapshot.head),
    }
