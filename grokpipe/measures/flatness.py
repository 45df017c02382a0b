"""Relative flatness of the last layer (Han et al. 2025, Definition 3.2); small is flat.

κ = Σ_{s,s'} ⟨w_s, w_s'⟩ Tr H_{s,s'}, w_s the rows of the head, H the Hessian of the mean loss in
them. Closed forms for each loss, without autograd; tests hold them to a brute-force Hessian.
"""

import torch
from torch import Tensor

from grokpipe.losses import stablemax
from grokpipe.measures import Outputs, Snapshot, in_parts, pair_distances
from grokpipe.measures._distribution import distribution, train_distribution

ADDED = {"flatness/kappa_released": "0.2"}


def kappa_cross_entropy(features: Tensor, log_p: Tensor, head: Tensor) -> float:
    """κ of cross-entropy, E[‖φ‖² Var_{c∼p}(w_c)].

    The variance is computed as Σ_{c<c'} p_c p_c' ‖w_c − w_c'‖²: every term is positive, so that
    nothing cancels when p is nearly one-hot.

    Args:
        features: φ, (n, d).
        log_p: log softmax of the logits, (n, C).
        head: w, (C, d).
    """
    return _kappa_cross_entropy(features.square().sum(1), log_p.exp(), head)


def kappa_squared_error(features: Tensor, head: Tensor) -> float:
    """κ of squared error, 2‖W‖_F² E‖φ‖², from features φ (n, d) and head W (C, d).

    For the loss summed over classes and averaged over samples, where H_{s,s'} = 2 δ_{ss'} E[φφᵀ].
    """
    return _kappa_squared_error(features.square().sum(1), head)


def kappa_surrogate(features: Tensor, log_p: Tensor, head: Tensor) -> float:
    """The paper's surrogate of κ, E[‖W‖_F² (1 − ‖p‖²) ‖φ‖²]; arguments as in `kappa_cross_entropy`.

    An upper bound of κ for cross-entropy, but not for the other losses. 1 − ‖p‖² is computed from
    1 − p of the largest p, where nothing cancels.
    """
    return _kappa_surrogate(features.square().sum(1), distribution(log_p).uncertainty, head)


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
    return _kappa_stablemax(features.square().sum(1), logits, labels, head)


def kappa_released(answer: Outputs, eos: Outputs, head: Tensor) -> float:
    """The value that Han et al. plot as relative flatness in their Figure 1, as released.

    E[‖W‖_F² Σ_c p_c (1 − p_c) (‖φ_answer‖² + ‖φ_eos‖²)], p = softmax(z_answer ⊙ z_eos): p is of the
    elementwise product of the logits at the two supervised positions, so that the value is neither
    κ nor its surrogate.

    Args:
        answer: at the first position.
        eos: at the second one.
        head: W, (C, d).
    """
    total = 0.0
    squares = answer.squared_lengths + eos.squared_lengths
    for rows, logits in in_parts(answer.logits):
        log_p = (logits * eos.logits[rows].double()).log_softmax(1)
        total += (distribution(log_p).uncertainty * squares[rows]).sum().item()
    return head.square().sum().item() * total / len(squares)


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute κ of the training loss in use, and the surrogate, on the training set.

    With two supervised positions both are those of the answer, and the released formula, of both
    positions, stands beside them. The published curve is averaged over the batches of an epoch,
    each under the weights before its own update; here the whole training set is taken under the
    present weights.
    """
    train, head = snapshot.train, snapshot.head
    squares, of_train = train.squared_lengths, snapshot.once(train_distribution)
    if snapshot.loss == "squared_error":
        kappa = _kappa_squared_error(squares, head)
    elif snapshot.loss == "stablemax":
        kappa = _kappa_stablemax(squares, train.logits.double(), train.labels, head)
    else:
        kappa = _kappa_cross_entropy(squares, of_train.p, head)
    row = {
        "flatness/kappa": kappa,
        "flatness/kappa_surrogate": _kappa_surrogate(squares, of_train.uncertainty, head),
    }
    if len(train.positions) == 2:
        row["flatness/kappa_released"] = kappa_released(*train.positions, head)
    return row


# The same from what measures share: ‖φ‖² of each sample, p, and 1 − ‖p‖²


def _kappa_cross_entropy(squares: Tensor, p: Tensor, head: Tensor) -> float:
    (first, second), distances = pair_distances(head)
    upper = torch.zeros(len(head), len(head), dtype=head.dtype)
    upper[first, second] = distances
    variances = ((p @ upper) * p).sum(1)
    return (squares * variances).mean().item()


def _kappa_squared_error(squares: Tensor, head: Tensor) -> float:
    return (2 * head.square().sum() * squares.mean()).item()


def _kappa_surrogate(squares: Tensor, uncertainty: Tensor, head: Tensor) -> float:
    return (head.square().sum() * (uncertainty * squares).mean()).item()


def _kappa_stablemax(squares: Tensor, logits: Tensor, labels: Tensor, head: Tensor) -> float:
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
    return (squares * curvature).mean().item()
