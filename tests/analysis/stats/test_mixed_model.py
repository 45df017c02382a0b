"""The mixed model against closed forms, a brute-force likelihood and simulation."""

import math

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy import optimize, stats

from analysis.stats import mixed_model

ARMS = np.repeat([0.0, 1.0], 10)
DESIGN = np.column_stack([np.ones(20), ARMS])
PAIRS = np.tile(np.arange(10), 2)


def drawn(generator: np.random.Generator, seed_sd: float = 0.4, sd: float = 0.2) -> np.ndarray:
    return 7 + 0.3 * ARMS + generator.normal(0, seed_sd, 10)[PAIRS] + generator.normal(0, sd, 20)


def test_complete_pairs_are_the_paired_t() -> None:
    values = drawn(np.random.default_rng(1))
    found = mixed_model.fit(values, np.ones(20, bool), DESIGN, {"seed": PAIRS})
    interval = found.contrast([0, 1])
    expected = stats.ttest_rel(values[10:], values[:10]).confidence_interval()
    assert interval.estimate == pytest.approx((values[10:] - values[:10]).mean())
    assert (interval.lower, interval.upper) == pytest.approx(expected, abs=1e-4)
    assert interval.method == "mixed model, t with 9.0 degrees of freedom"
    # the variances are those of the two-way analysis of variance
    table = values.reshape(2, 10)
    rest = table - table.mean(0) - table.mean(1, keepdims=True) + table.mean()
    error = (rest**2).sum() / 9
    between = 2 * table.mean(0).var(ddof=1)
    assert found.sigma**2 == pytest.approx(error, rel=1e-3)
    assert found.deviations["seed"] ** 2 == pytest.approx((between - error) / 2, rel=1e-3)


def restricted(values: np.ndarray, groups: list[np.ndarray], parts: np.ndarray) -> float:
    """The restricted log-likelihood by its formula (Patterson & Thompson 1971)."""
    variance = parts[-1] * np.eye(len(values))
    for part, labels in zip(parts, groups):
        variance += part * (labels[:, None] == labels)
    inverse = np.linalg.inv(variance)
    gram = DESIGN.T @ inverse @ DESIGN
    residual = values - DESIGN @ np.linalg.solve(gram, DESIGN.T @ inverse @ values)
    terms = np.linalg.slogdet(variance)[1] + np.linalg.slogdet(gram)[1]
    freedom = len(values) - DESIGN.shape[1]
    return float(-(terms + residual @ inverse @ residual + freedom * math.log(2 * math.pi)) / 2)


def test_crossed_effects_without_censoring_are_reml() -> None:
    generator = np.random.default_rng(2)
    machines = generator.integers(0, 3, 20)
    values = drawn(generator) + np.array([-0.5, 0.0, 0.5])[machines]
    found = mixed_model.fit(
        values, np.ones(20, bool), DESIGN, {"seed": PAIRS, "machine": machines.astype(str)}
    )
    groups = [PAIRS, machines]
    own = np.array([*found.deviations.values(), found.sigma]) ** 2
    assert found.log_likelihood == pytest.approx(restricted(values, groups, own), abs=1e-8)
    best = optimize.minimize(
        lambda logs: -restricted(values, groups, np.exp(logs)), np.log([0.1, 0.1, 0.1])
    )
    assert own == pytest.approx(np.exp(best.x), rel=1e-2)
    assert list(found.deviations) == ["seed", "machine"] and min(own) > 0


def test_censored_values_against_quadrature() -> None:
    """Two arms of ten seeds, a third censored: the likelihood in (β, s, σ) by Gauss–Hermite
    quadrature over each seed's effect, and β at its maximum."""
    values = drawn(np.random.default_rng(3))
    limit = np.quantile(values, 0.7)
    observed, censored = values < limit, np.minimum(values, limit)
    found = mixed_model.fit(censored, observed, DESIGN, {"seed": PAIRS})
    nodes, weights = hermegauss(60)
    s, sigma = found.deviations["seed"], found.sigma

    def log_likelihood(beta: np.ndarray) -> float:
        z = (censored - DESIGN @ beta)[:, None] / sigma - s / sigma * nodes
        each = np.where(
            observed[:, None], stats.norm.logpdf(z) - math.log(sigma), stats.norm.logsf(z)
        )
        per_seed = each.reshape(2, 10, -1).sum(0)
        return float(np.log(np.exp(per_seed) @ weights / math.sqrt(2 * math.pi)).sum())

    best = optimize.minimize(lambda beta: -log_likelihood(beta), found.coefficients)
    errors = np.sqrt(np.diag(found.covariance))
    # Laplace's mode against the maximum: in parts of a standard error
    assert (abs(best.x - found.coefficients) < [0.15, 0.1] * errors).all(), (best.x, found)
    assert np.sqrt(np.diag(best.hess_inv)) == pytest.approx(errors, rel=0.1)


def test_terms_that_cannot_be_told_are_left_out() -> None:
    values, observed = drawn(np.random.default_rng(4)), np.ones(20, bool)
    groups = {
        "one": np.zeros(20),
        "each": np.arange(20),
        "arm": ARMS,
        "seed": PAIRS,
        "again": PAIRS + 5,
    }
    found = mixed_model.fit(values, observed, DESIGN, groups)
    assert list(found.deviations) == ["seed"]
    assert found.left_out == {
        "one": "one level only",
        "each": "a run a level: not told from the scatter",
        "arm": "its levels are those of the arms",
        "again": "its levels are those of seed",
    }


@pytest.mark.parametrize("seeds", [np.zeros(10), np.random.default_rng(5).normal(size=10)])
def test_no_scatter_is_no_interval(seeds: np.ndarray) -> None:
    values = 7 + 0.5 * ARMS + seeds[PAIRS]
    found = mixed_model.fit(values, np.ones(20, bool), DESIGN, {"seed": PAIRS})
    interval = found.contrast([0, 1])
    assert found.sigma == 0 and interval.estimate == pytest.approx(0.5)
    assert (interval.method, math.isnan(interval.lower)) == ("none: no scatter is left", True)


def test_refusals() -> None:
    values = drawn(np.random.default_rng(6))
    few = np.arange(20) < 3
    with pytest.raises(ValueError, match="3 observed values for 2 coefficients"):
        mixed_model.fit(values, few, DESIGN, {})
    with pytest.raises(ValueError, match="do not determine the coefficients"):
        mixed_model.fit(values, ARMS == 0, DESIGN, {})
    with pytest.raises(ValueError, match="labels of 3 values for 20"):
        mixed_model.fit(values, np.ones(20, bool), DESIGN, {"seed": np.arange(3)})


@pytest.mark.slow(seconds=60)
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_coverage(share: float) -> None:
    """Ten shared seeds; all observed, or 30 % censored. Three standard errors of 300 simulations
    are 0.038."""
    generator = np.random.default_rng(7)
    covered = 0
    for _ in range(300):
        values = drawn(generator, 0.3, 0.2)
        limit = np.quantile(values, 1 - share)
        found = mixed_model.fit(np.minimum(values, limit), values <= limit, DESIGN, {"seed": PAIRS})
        interval = found.contrast([0, 1])
        covered += interval.lower <= 0.3 <= interval.upper
    assert abs(covered / 300 - 0.95) <= 0.04, covered
