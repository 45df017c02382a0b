"""Relative flatness of the last layer (Han et al. 2025, Definition 3.2); small is flat.

κ = Σ_{s,s'} ⟨w_s, w_s'⟩ Tr H_{s,s'}, w_s the rows of the head, H the Hessian of the mean loss in
them. Closed forms for both losses, without autograd; tests hold them to a brute-force Hessian.
"""

import torch
from torch import Tensor

from grokpipe.measures import Snapshot, pair_distances


def kappa_cross_entropy(features: Tensor, log_p: Tensor, head: Tensor) -> float:
    """(n, d), (n, C), (C, d) → E[‖φ‖² Var_{c∼p}(w_c)], log_p = log softmax(logits).

    The variance is taken as Σ_{c<c'} p_c p_c' ‖w_c − w_c'‖²: every term is positive, so nothing
    cancels when p is nearly one-hot.
    """
    p = log_p.exp()
    (first, second), squares = pair_distances(head)
    upper = torch.zeros(len(head), len(head), dtype=head.dtype)
    upper[first, second] = squares
    variances = ((p @ upper) * p).sum(1)
    return (features.square().sum(1) * variances).mean().item()


def kappa_squared_error(features: Tensor, head: Tensor) -> float:
    """(n, d), (C, d) → 2‖W‖_F² E‖φ‖², for the loss summed over classes, mean over samples:
    there H_{s,s'} = 2 δ_{ss'} E[φφᵀ]."""
    return (2 * head.square().sum() * features.square().sum(1).mean()).item()


def kappa_surrogate(features: Tensor, log_p: Tensor, head: Tensor) -> float:
    """(n, d), (n, C), (C, d) → E[‖W‖_F² (1 − ‖p‖²) ‖φ‖²], log_p = log softmax(logits): what the
    paper computes. An upper bound of κ for cross-entropy; no bound for squared error."""
    # 1 − ‖p‖² as Σ p_c (1 − p_c), and 1 − p_c as softmax's own complement: no cancellation
    uncertainty = -(log_p.exp() * torch.expm1(log_p)).sum(1)
    return (head.square().sum() * (uncertainty * features.square().sum(1)).mean()).item()


def measure(snapshot: Snapshot) -> dict[str, float]:
    """κ of the training loss in use, and the surrogate, on the training set."""
    features, log_p = snapshot.train.features.double(), snapshot.train.log_probabilities
    if snapshot.loss == "squared_error":
        kappa = kappa_squared_error(features, snapshot.head)
    else:
        kappa = kappa_cross_entropy(features, log_p, snapshot.head)
    return {
        "flatness/kappa": kappa,
        "flatness/kappa_surrogate": kappa_surrogate(features, log_p, snapshot.head),
    }
