"""Fourier alignment: how close the leading features are to waves over the labels' cyclic group.

A form of the quantity of Truong et al. (2026), whose formula is not published, that does not depend
on phase: a regression on cosine and sine detects a wave at any phase, whereas on a cosine alone
half of it is lost.
"""

import torch
from torch import Tensor

from grokpipe.measures import Snapshot
from grokpipe.measures.spectral import (
    CONSTANT,
    Decomposition,
    decomposition,
    train_decomposition,
)
from grokpipe.tasks import Task

NAN = float("nan")
COLUMNS = ("fourier/alignment", "fourier/alignment_null")
LEADING = 10  # eigenvectors: two waves for each of the five frequencies of Nanda et al. (2023)
COLLINEAR = 1e-24  # mean square below which the rest of a regressor is rounding
NULL_SEED = 0  # fixed permutation of the null, so that the measure stays a function


def leading_scores(features: Tensor) -> tuple[Tensor, Tensor] | None:
    """Project centred features (n, d) on the leading eigenvectors of their covariance.

    Returns scores (n, k) and eigenvalues (k,), descending, with k = 10 or the rank if that is
    lower; None for constant or non-finite features, or fewer than two samples.
    """
    return _leading_scores(decomposition(features, vectors=True))


def _leading_scores(decomposed: Decomposition | None) -> tuple[Tensor, Tensor] | None:
    if decomposed is None:
        return None
    centred, eigenvalues, vectors = decomposed.centred, decomposed.eigenvalues, decomposed.vectors
    assert vectors is not None
    eigenvalues, vectors = eigenvalues.flip(0)[:LEADING], vectors[:, -LEADING:].flip(1)
    rounding = max(centred.shape) * torch.finfo(torch.float64).eps
    genuine = eigenvalues > rounding * eigenvalues[0]
    return centred @ vectors[:, genuine], eigenvalues[genuine]


def waves(order: int) -> tuple[Tensor, Tensor]:
    """Compute cos and sin of 2πfe/m, each (m // 2, m): frequencies f = 1 … m // 2, exponents e."""
    turns = torch.outer(torch.arange(1, order // 2 + 1), torch.arange(order)) % order
    angles = turns.double() * (2 * torch.pi / order)
    return angles.cos(), angles.sin()


def r_squared(scores: Tensor, exponents: Tensor, order: int) -> Tensor:
    """R² of each score regressed on intercept, cos 2πfe/m and sin 2πfe/m, by frequency f.

    Regressors are functions of the exponent alone, so that counts and sums by exponent suffice.

    Args:
        scores: centred scores (n, k).
        exponents: e, (n,).
        order: m.

    Returns:
        (m // 2, k), in [0, 1].
    """
    counts, sums = _by_exponent(scores, exponents, order)
    cosine, sine = waves(order)
    cosine = _unit(cosine, counts)
    # Gram–Schmidt; at f = m/2 the sine is zero and at few samples it may be collinear
    sine = _unit(sine - ((sine * cosine) @ counts)[:, None] * cosine, counts)
    explained = (cosine @ sums).square() + (sine @ sums).square()
    return explained / scores.square().sum(0)


def _by_exponent(scores: Tensor, exponents: Tensor, order: int) -> tuple[Tensor, Tensor]:
    """Number of samples (m,) and sum of their scores (m, k) for each exponent."""
    counts = exponents.bincount(minlength=order).double()
    sums = torch.zeros(order, scores.shape[1], dtype=torch.float64)
    return counts, sums.index_add_(0, exponents, scores)


def _unit(wave: Tensor, counts: Tensor) -> Tensor:
    """Centre waves (F, m) and scale them to unit length over the samples; zero if constant."""
    centred = wave - (wave @ counts / counts.sum())[:, None]
    squares = (centred.square() @ counts)[:, None]
    return torch.where(squares > COLLINEAR * counts.sum(), centred / squares.sqrt(), 0.0)


def alignment(features: Tensor, exponents: Tensor, order: int) -> tuple[float, float]:
    """Average R² at each leading score's best frequency, weighted by the eigenvalues; and its null.

    The null is the same with permuted exponents: what choosing the best frequency gives by chance.
    Both lie in [0, 1]; the first is 1 if every score is a wave of one frequency. Frequencies of
    equal eigenvalue lower the value, since eigenvectors mix them arbitrarily. NaN for constant or
    non-finite features, for samples of a single exponent, and for no more samples than the three
    fitted coefficients.

    Args:
        features: (n, d).
        exponents: (n,).
        order: of the group.
    """
    return _alignment(leading_scores(features), exponents, order)


def _alignment(
    leading: tuple[Tensor, Tensor] | None, exponents: Tensor, order: int
) -> tuple[float, float]:
    if leading is None or len(exponents) <= 3 or (exponents == exponents[0]).all():
        return NAN, NAN
    scores, eigenvalues = leading
    permutation = torch.randperm(len(scores), generator=torch.Generator().manual_seed(NULL_SEED))
    both = torch.cat([scores, scores[permutation]], dim=1)
    best = r_squared(both, exponents, order).amax(0).view(2, -1)
    aligned, null = (best @ eigenvalues / eigenvalues.sum()).tolist()
    return aligned, null


def paper_alignment(score: Tensor, exponents: Tensor, order: int) -> float:
    """max_f |Pearson r(score, cos 2πfe/m)| of one score (n,), in [0, 1].

    The form that reproduces the noise levels of Truong et al. A wave of random phase has 2/π on
    average. NaN if score or exponents are constant.
    """
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
    """Training probe without classes outside the group (zero, for products and quotients).

    Returns features (n, d), exponents (n,) and the group's order; None without a group.
    """
    if snapshot.exponents is None or snapshot.train_probe_labels is None:
        return None
    exponents = snapshot.exponents[snapshot.train_probe_labels]
    probe, inside, order = snapshot.train_probe, exponents >= 0, _order(snapshot.exponents)
    if inside.all():
        return probe, exponents, order
    return probe[inside], exponents[inside], order


def group_scores(snapshot: Snapshot) -> tuple[Tensor, Tensor] | None:
    """Leading scores and eigenvalues of `group_samples`, which must exist.

    Where these are the whole probe, its decomposition is shared with the spectral measures.
    """
    samples = snapshot.once(group_samples)
    assert samples is not None
    if samples[0] is snapshot.train_probe:
        return _leading_scores(snapshot.once(train_decomposition))
    return leading_scores(samples[0])


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute the alignment and its null on the training probe, within the group."""
    values = NAN, NAN
    if (samples := snapshot.once(group_samples)) is not None:
        _, exponents, order = samples
        values = _alignment(snapshot.once(group_scores), exponents, order)
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
    """Order of the group: the number of classes in it."""
    return int((exponents >= 0).sum())
