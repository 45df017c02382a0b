"""Fourier alignment: how far the leading features are waves over the cyclic group of the labels.

The quantity of Truong et al. (2026), whose rule is not published, in a form without a phase. Half
of a wave is lost on a cosine alone; a regression on cosine and sine finds it at any phase.
"""

import torch
from torch import Tensor

from grokpipe.measures import Snapshot
from grokpipe.measures.spectral import CONSTANT
from grokpipe.tasks import Task

NAN = float("nan")
COLUMNS = ("fourier/alignment", "fourier/alignment_null")
LEADING = 10  # room for five frequencies, as many as Nanda et al. (2023) find, of two waves each
COLLINEAR = 1e-24  # mean square below which what is left of a regressor is rounding
NULL_SEED = 0  # of the one permutation that the null uses: a measure is a function


def leading_scores(features: Tensor) -> tuple[Tensor, Tensor] | None:
    """(n, d) → scores (n, k) of the centred features on the leading eigenvectors of their
    covariance and its eigenvalues (k,), descending; k = 10, or the rank if that is lower.

    None for constant or non-finite features, or fewer than two samples.
    """
    if len(features) < 2:
        return None
    features = features.double()
    centred = features - features.mean(0)
    covariance = centred.T @ centred / (len(centred) - 1)
    variance = covariance.trace()
    if not variance.isfinite() or variance <= CONSTANT * features.square().sum(1).mean():
        return None
    eigenvalues, vectors = torch.linalg.eigh(covariance)
    eigenvalues, vectors = eigenvalues.flip(0)[:LEADING], vectors.flip(1)[:, :LEADING]
    rounding = max(features.shape) * torch.finfo(torch.float64).eps
    genuine = eigenvalues > rounding * eigenvalues[0]
    return centred @ vectors[:, genuine], eigenvalues[genuine]


def waves(order: int) -> tuple[Tensor, Tensor]:
    """cos and sin of 2πfe/m, each (m // 2, m): frequencies f = 1 … m // 2, exponents e."""
    turns = torch.outer(torch.arange(1, order // 2 + 1), torch.arange(order)) % order
    angles = turns.double() * (2 * torch.pi / order)
    return angles.cos(), angles.sin()


def r_squared(scores: Tensor, exponents: Tensor, order: int) -> Tensor:
    """R² (m // 2, k) of each centred score (n, k) regressed on intercept, cos 2πfe/m and
    sin 2πfe/m, for every frequency; e (n,) are the samples' exponents, m = `order`.

    A regressor is a function of the exponent alone, so that counts and sums by exponent suffice.
    """
    counts, sums = _by_exponent(scores, exponents, order)
    cosine, sine = waves(order)
    cosine = _unit(cosine, counts)
    # Gram–Schmidt; at f = m/2 the sine is zero and at few samples it may be collinear
    sine = _unit(sine - ((sine * cosine) @ counts)[:, None] * cosine, counts)
    explained = (cosine @ sums).square() + (sine @ sums).square()
    return explained / scores.square().sum(0)


def _by_exponent(scores: Tensor, exponents: Tensor, order: int) -> tuple[Tensor, Tensor]:
    """(n, k), (n,) → (m,) number of samples and (m, k) sum of their scores for each exponent."""
    counts = exponents.bincount(minlength=order).double()
    sums = torch.zeros(order, scores.shape[1], dtype=torch.float64)
    return counts, sums.index_add_(0, exponents, scores)


def _unit(wave: Tensor, counts: Tensor) -> Tensor:
    """(F, m) centred and scaled to unit length over the samples; zero if nothing is left."""
    centred = wave - (wave @ counts / counts.sum())[:, None]
    squares = (centred.square() @ counts)[:, None]
    return torch.where(squares > COLLINEAR * counts.sum(), centred / squares.sqrt(), 0.0)


def alignment(features: Tensor, exponents: Tensor, order: int) -> tuple[float, float]:
    """(n, d), (n,) → R² at each leading score's best frequency, averaged with the eigenvalues as
    weights, and the same with permuted exponents: what the choice of the best frequency gives.

    Both in [0, 1]; the first is 1 if every score is a wave of one frequency. Frequencies of equal
    eigenvalue lower it, since eigenvectors mix them at will. NaN for constant or non-finite
    features, for samples of one exponent only, and if there are not more samples than the three
    coefficients that are fitted.
    """
    found = leading_scores(features)
    if found is None or len(exponents) <= 3 or (exponents == exponents[0]).all():
        return NAN, NAN
    scores, eigenvalues = found
    permutation = torch.randperm(len(scores), generator=torch.Generator().manual_seed(NULL_SEED))
    both = torch.cat([scores, scores[permutation]], dim=1)
    best = r_squared(both, exponents, order).amax(0).view(2, -1)
    aligned, null = (best @ eigenvalues / eigenvalues.sum()).tolist()
    return aligned, null


def paper_alignment(score: Tensor, exponents: Tensor, order: int) -> float:
    """max_f |Pearson r(score, cos 2πfe/m)| of one score (n,): the form that reproduces the noise
    levels of Truong et al. A wave of random phase has 2/π on average. NaN if score or exponents
    are constant."""
    score = score.double()
    centred = score - score.mean()
    variance = centred.square().mean()
    varies = variance.isfinite() and variance > CONSTANT * score.square().mean()
    if not varies or (exponents == exponents[0]).all():
        return NAN
    counts, sums = _by_exponent(centred[:, None], exponents, order)
    r = _unit(waves(order)[0], counts) @ sums / centred.norm()
    return r.abs().max().item()


def group_samples(snapshot: Snapshot) -> tuple[Tensor, Tensor, int] | None:
    """The training probe without the samples of a class outside the group (zero, for products and
    quotients): features (n, d), exponents (n,) and the group's order; None without a group."""
    if snapshot.exponents is None or snapshot.train_probe_labels is None:
        return None
    exponents = snapshot.exponents[snapshot.train_probe_labels]
    inside = exponents >= 0
    return snapshot.train_probe[inside], exponents[inside], _order(snapshot.exponents)


def measure(snapshot: Snapshot) -> dict[str, float]:
    """On the training probe, within the group."""
    found = group_samples(snapshot)
    values = (NAN, NAN) if found is None else alignment(*found)
    return dict(zip(COLUMNS, values, strict=True))


def unfit(task: Task) -> str | None:
    """Why the alignment cannot be taken on `task`, or None."""
    if task.exponents is None or _order(task.exponents) < 2:
        return (
            "needs labels that form a cyclic group: mod_add, mod_sub, or mod_mul, mod_div with a "
            "prime p above 2"
        )
    return None


def _order(exponents: Tensor) -> int:
    """Of the group: the number of classes in it."""
    return int((exponents >= 0).sum())
