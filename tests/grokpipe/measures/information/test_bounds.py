"""Theorem 3.4's bounds against determinants, mixtures against loops, and one against the other."""

import math

import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from grokpipe.measures.information import bounds

SCALES = (0.3, 1.0, 4.0)


def drawn(n: int = 60, d: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    draws = torch.Generator().manual_seed(0)
    labels = torch.arange(n) ** 2 % 3
    means = 3 * torch.randn(3, d, generator=draws, dtype=torch.float64)
    noise = torch.randn(n, d, generator=draws, dtype=torch.float64)
    return means[labels] + noise * torch.arange(d), labels


@pytest.mark.parametrize("d", [5, 80])  # fewer, and more, than samples of a class
@pytest.mark.parametrize("scale", SCALES)
def test_bounds_agree_with_determinants(d: int, scale: float) -> None:
    features, labels = drawn(d=d)
    counts = labels.bincount()
    shares = counts[counts > 0].double() / len(labels)
    values = bounds.spectra(bounds.classes(features, labels))
    log_determinant = trace = 0.0
    for label in labels.unique():
        part = features[labels == label].numpy()
        covariance = np.cov(part.T, bias=True)
        share = len(part) / len(features)
        log_determinant += share * np.linalg.slogdet(covariance / scale**2 + np.eye(d))[1] / 2
        trace += share * ((part - part.mean(0)) ** 2).sum(1).mean() / (2 * scale**2)
    gaussian = bounds.gaussian_bound(values, shares, scale)
    assert gaussian == pytest.approx(log_determinant, rel=1e-9)
    assert bounds.trace_bound(values, shares, scale) == pytest.approx(trace, rel=1e-9)
    assert gaussian < trace


@pytest.mark.parametrize("scale", SCALES)
def test_mixtures_agree_with_loops(scale: float) -> None:
    features, labels = drawn()
    centred = bounds.classes(features, labels)
    found = bounds.Mixtures(centred).at(scale)
    draws = torch.Generator().manual_seed(0)
    terms, lower, upper, variances = [], [], [], []
    for part in (each.numpy() for each in centred):
        n, d = part.shape
        noise = torch.randn((n, d), generator=draws).double().numpy()
        for i in range(n):
            both = []
            for sign in (1, -1):
                z = part[i] + sign * scale * noise[i]
                logs = -((z - part) ** 2).sum(1) / (2 * scale**2)
                both.append(logs[i] - logsumexp(logs) + math.log(n))
            terms.append(np.mean(both))
            squares = ((part - part[i]) ** 2).sum(1)
            lower.append(math.log(n) - logsumexp(-squares / (8 * scale**2)))
            upper.append(math.log(n) - logsumexp(-squares / (2 * scale**2)))
        variances += [np.var(terms[-n:])] * n
    assert found.estimate == pytest.approx(np.mean(terms), rel=1e-9)
    assert (found.lower, found.upper) == pytest.approx((np.mean(lower), np.mean(upper)), rel=1e-9)
    assert found.error == pytest.approx(math.sqrt(np.mean(variances) / 60), rel=1e-9)


def test_the_theorem_and_the_pairwise_bounds_hold() -> None:
    features, labels = drawn(n=2000)
    centred = bounds.classes(features, labels)
    shares = labels.bincount()[labels.unique()].double() / len(labels)
    values, mixtures = bounds.spectra(centred), bounds.Mixtures(centred)
    for scale in (0.1, *SCALES, 30.0, 1000.0):
        found = mixtures.at(scale)
        slack = 3 * found.error
        assert found.lower - slack <= found.estimate <= found.upper + slack
        assert 0 < found.estimate <= bounds.gaussian_bound(values, shares, scale) + slack
    trace = bounds.trace_bound(values, shares, scale)
    assert found.estimate == pytest.approx(trace, abs=slack)
    assert slack < 0.1 * trace


def test_a_gaussian_channel() -> None:
    """1,500 samples of N(0, 9) with unit noise: ½ log 10."""
    features = 3 * torch.randn(1500, 1, generator=torch.Generator().manual_seed(1))
    found = bounds.Mixtures(bounds.classes(features, torch.zeros(1500))).at(1.0)
    assert found.estimate == pytest.approx(math.log(10) / 2, abs=0.03)
    assert found.saturated == 0


def test_what_saturates_says_so() -> None:
    features, labels = drawn(n=90)
    found = bounds.Mixtures(bounds.classes(features, labels)).at(1e-6)
    counts = labels.bincount()
    counts = counts[counts > 0].double()
    limit = (counts / 90 @ counts.log()).item()
    assert (found.estimate, found.upper) == pytest.approx((limit, limit))
    assert found.saturated == 1


def test_collapsed_classes_in_single_precision() -> None:
    """Where all exponents are near 0, float32 agrees with float64 to a thousandth."""
    features, labels = drawn(n=300)
    found = [
        bounds.Mixtures(bounds.classes(f, labels)).at(1000.0).estimate
        for f in (features, features.float())
    ]
    assert found[0] < 1e-4
    assert found[1] == pytest.approx(found[0], rel=1e-3)


def test_no_noise_and_single_samples() -> None:
    features, labels = drawn()
    centred = bounds.classes(features, labels)
    values, shares = bounds.spectra(centred), torch.ones(3).double() / 3
    assert np.isnan(
        [bounds.gaussian_bound(values, shares, 0), bounds.trace_bound(values, shares, 0)]
    ).all()
    assert math.isnan(bounds.Mixtures(centred).at(0.0).estimate)
    alone = bounds.Mixtures(bounds.classes(features[:1], labels[:1])).at(1.0)
    assert (alone.lower, alone.estimate, alone.upper) == (0, 0, 0)
