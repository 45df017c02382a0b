"""Relative flatness of the last layer (Han et al. 2025, Definition 3.2); small is flat.

κ = Σ_{s,s'} ⟨w_s, w_s'⟩ Tr H_{s,s'}, w_s the rows of the head, H the Hessian of the mean loss in
them. Closed forms for each loss, without autograd; tests hold them to a brute-force Hessian.
"""

import torch
from torch import Tensor

from grokpipe.losses import stablemax
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
    (first, second), squares = pair_distances(head)
    upper = torch.zeros(len(head), len(head), dtype=head.dtype)
    upper[first, second] = squares
    variances = _over_pairs(log_p.exp(), upper)
    return (features.square().sum(1) * variances).mean().item()


def kappa_squared_error(features: Tensor, head: Tensor) -> float:
    """κ of squared error, 2‖W‖_F² E‖φ‖², from features φ (n, d) and head W (C, d).

    For the loss summed over classes and averaged over samples, where H_{s,s'} = 2 δ_{ss'} E[φφᵀ].
    """
    return (2 * head.square().sum() * features.square().sum(1).mean()).item()


def kappa_surrogate(features: Tensor, log_p: Tensor, head: Tensor) -> float:
    """The paper's surrogate of κ, E[‖W‖_F² (1 − ‖p‖²) ‖φ‖²]; arguments as in `kappa_cross_entropy`.

    An upper bound of κ for cross-entropy, but not for the other losses. 1 − ‖p‖² is computed as
    2 Σ_{c<c'} p_c p_c', where nothing cancels.
    """
    classes = len(head)
    uncertainty = 2 * _over_pairs(log_p.exp(), head.new_ones(classes, classes).triu(1))
    return (head.square().sum() * (uncertainty * features.square().sum(1)).mean()).item()


def kappa_stablemax(features: Tensor, logits: Tensor, labels: Tensor, head: Tensor) -> float:
    """κ of the stablemax loss, E[‖φ‖² (Σ_c d_c ‖w_c‖² − ‖Σ_c u_c w_c‖²)].

    The Hessian in the logits is diag(d) − uuᵀ, with u = s'/Σs and d = s''/Σs, less (log s)'' for
    the label.

    Args:
        features: φ, (n, d).
        logits: (n, C).
        labels: (n,).
        head: w, (C, d).
    """
    weights = stablemax(logits)
    total = weights.sum(1, keepdim=True)
    below = logits < 0
    slope = torch.where(below, weights.square(), 1.0) / total
    # s'' = 2 s³ below 0 and 0 above; (log s)'' = s² below 0 and −1/s² above
    diagonal = torch.where(below, 2 * weights**3, 0.0) / total
    bend = torch.where(below, weights.square(), -weights.square().reciprocal())
    own = labels[:, None]
    diagonal = diagonal.scatter_add(1, own, -bend.gather(1, own))
    curvature = diagonal @ head.square().sum(1) - (slope @ head).square().sum(1)
    return (features.square().sum(1) * curvature).mean().item()


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute κ of the training loss in use, and the surrogate, on the training set."""
    features, log_p = snapshot.train.features.double(), snapshot.log_probabilities
    if snapshot.loss == "squared_error":
        kappa = kappa_squared_error(features, snapshot.head)
    elif snapshot.loss == "stablemax":
        logits, labels = snapshot.train.logits.double(), snapshot.train.labels
        kappa = kappa_stablemax(features, logits, labels, snapshot.head)
    else:
        kappa = kappa_cross_entropy(features, log_p, snapshot.head)
    return {
        "flatness/kappa": kappa,
        "flatness/kappa_surrogate": kappa_surrogate(features, log_p, snapshot.head),
    }


def _over_pairs(p: Tensor, upper: Tensor) -> Tensor:
    """Σ_{c<c'} p_c p_c' M_cc' of distributions p (n, C) and a strictly upper triangular M: (n,)."""
    return ((p @ upper) * p).sum(1)
