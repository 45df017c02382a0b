"""The censored likelihood against lifelines, least squares, mpmath and brute force."""

import math
import warnings

import mpmath
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import optimize, stats

from analysis.stats import aft
from analysis.times import power_law, regression
from grokpipe.errors import InputError
from tests.helpers.power_laws import ALONE, JOINT, draws, exponent, fitted, grid


def of_lifelines(events: pd.DataFrame, against: list[str]) -> object:
    from lifelines import LogNormalAFTFitter

    lower = events["lower"].clip(lower=1e-3)  # 0 is too much for its gradient
    data = np.log(events[against]).assign(lower=lower, upper=events["upper"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return LogNormalAFTFitter().fit_interval_censoring(data, "lower", "upper")


@pytest.mark.parametrize(
    ("seed", "every", "budget", "against"),
    [
        (0, 666, math.inf, ALONE),
        (1, 2000, 30_000, ALONE),
        (3, 4000, 20_000, JOINT),  # the earliest are in (0, 4000]
    ],
)
def test_agrees_with_lifelines(seed: int, every: float, budget: float, against: list[str]) -> None:
    rates = (1e-3, 3e-3) if against == JOINT else (1e-3,)
    events = grid(draws(seed), every=every, budget=budget, rates=rates)
    assert events["observed"].all() == math.isinf(budget)
    found = power_law.fit(events, against, draws(), method="Wald")
    expected = of_lifelines(events, against)
    slopes = [-found.exponents[c].estimate for c in against]
    values = [*slopes, math.log(found.constant), math.log(found.sigma)]
    names = [*(("mu_", c) for c in against), ("mu_", "Intercept"), ("sigma_", "Intercept")]
    assert values == pytest.approx([expected.params_[n] for n in names], rel=1e-4, abs=1e-5)
    errors = np.sqrt(np.diag(found.covariance))
    assert [*errors[1:-1], errors[0], errors[-1]] == pytest.approx(
        [expected.standard_errors_[n] for n in names], rel=1e-3
    )
    assert found.log_likelihood == pytest.approx(expected.log_likelihood_, abs=1e-6)
    assert found.aic == pytest.approx(expected.AIC_, abs=1e-5)
    t = stats.t.ppf(0.975, found.observed - len(against) - 2)
    for column in against:
        k, error = found.exponents[column], expected.standard_errors_[("mu_", column)]
        assert (k.upper - k.lower) / 2 == pytest.approx(t * error, rel=1e-3)


def test_narrow_intervals_give_the_density_of_exact_times() -> None:
    from lifelines import LogNormalAFTFitter

    events = grid(draws(4), every=0.01, budget=20_000)
    data = np.log(events[ALONE]).assign(step=events["step"], observed=events["observed"])
    expected = LogNormalAFTFitter().fit_right_censoring(data, "step", "observed")
    found = fitted(events)
    k = found.exponents["weight_decay"].estimate
    assert -k == pytest.approx(expected.params_[("mu_", "weight_decay")], abs=1e-5)
    widths = 0.01 * events["observed"].sum()
    assert widths and found.log_likelihood == pytest.approx(
        expected.log_likelihood_ + events["observed"].sum() * math.log(0.01), abs=1e-3
    )


def test_exact_times_give_least_squares_with_its_intervals_and_tests() -> None:
    events = grid(draws(5), every=0.01)
    x, y = np.log(events["weight_decay"]), np.log(events["step"])
    line = stats.linregress(x, y)
    t = stats.t.ppf(0.975, len(x) - 2)
    found = fitted(events)
    k = found.exponents["weight_decay"]
    ends = [-line.slope, -line.slope - t * line.stderr, -line.slope + t * line.stderr]
    assert [k.estimate, k.lower, k.upper] == pytest.approx(ends, abs=1e-5)
    residuals = y - line.intercept - line.slope * x
    assert found.sigma == pytest.approx(np.sqrt((residuals**2).mean()), abs=1e-5)
    assert found.r2 == pytest.approx(line.rvalue**2, abs=1e-5)
    within = (y - y.groupby(events["weight_decay"]).transform("mean")).pow(2).sum()
    f = ((residuals**2).sum() - within) / 2 / (within / (20 - 4))
    assert found.lack_of_fit_df == 2
    assert found.lack_of_fit == pytest.approx(stats.f.sf(f, 2, 16), abs=1e-4)


def test_probabilities_in_both_tails() -> None:
    a = np.array([-math.inf, -50.0, -1.0, 0.5, 40.0, 40.0, 3.0])
    b = np.array([-45.0, -45.0, 2.0, 0.5 + 1e-9, 41.0, math.inf, 60.0])
    with mpmath.workdps(60):

        def upper_tail(x: float) -> mpmath.mpf:
            return mpmath.erfc(mpmath.mpf(x) / mpmath.sqrt(2)) / 2

        pairs = [(x, y) if x > 0 else (-y, -x) for x, y in zip(a, b)]
        expected = [float(mpmath.log(upper_tail(x) - upper_tail(y))) for x, y in pairs]
    assert aft.log_probability(a, b) == pytest.approx(expected, rel=1e-6)


def test_the_maximum_is_one() -> None:
    """No point nearby is likelier, over wide and narrow grids, heavy censoring, much scatter."""
    checked = 0
    for seed in range(40):
        generator = draws(seed)
        every, budget = 10 ** generator.uniform(-2, 4), 10 ** generator.uniform(3.5, 6)
        events = grid(
            generator, 6, every=every, budget=budget, sigma=10 ** generator.uniform(-2, 1)
        )
        try:
            sample = regression.runs(events, ALONE, True).sample
        except InputError:
            continue
        if aft.without_scatter(sample):
            continue
        best = aft.maximise(sample)
        root = np.linalg.cholesky(aft.covariance(sample, best))
        for size in (0.01, 0.3, 3):
            moved = np.append(best.coefficients, np.log(best.sigma))
            moved = moved + root @ generator.normal(size=3) * size
            line, sigma = sample.design @ moved[:2], math.exp(moved[2])
            log_p = aft.log_probability(
                (sample.lower - line) / sigma, (sample.upper - line) / sigma
            )
            assert log_p @ sample.counts < best.log_likelihood, f"seed {seed}"
            checked += 1
    assert checked > 60


@pytest.mark.parametrize("budget", [math.inf, 20_000])
def test_profile_against_brute_force(budget: float) -> None:
    events = grid(draws(7), every=3000, budget=budget)
    sample = regression.runs(events, ALONE, True).sample
    m = events["observed"].sum()
    drop = m / 2 * math.log(1 + stats.t.ppf(0.975, m - 2) ** 2 / (m - 2))

    def loss(parameters: NDArray[np.float64], k: float) -> float:
        line, sigma = parameters[0] - k * sample.design[:, 1], math.exp(parameters[1])
        p = stats.norm.cdf((sample.upper - line) / sigma) - stats.norm.cdf(
            (sample.lower - line) / sigma
        )
        return -float(sample.counts @ np.log(np.maximum(p, 1e-300)))

    def likelihood(k: float) -> float:
        middle = np.mean(np.log(np.maximum(events["lower"], 1500)) + k * np.log(events[ALONE[0]]))
        start = np.array([middle, math.log(0.4)])
        return -optimize.minimize(loss, start, (k,), method="Nelder-Mead").fun

    found = exponent(events)
    best = likelihood(found.estimate)
    assert best == pytest.approx(fitted(events).log_likelihood, abs=1e-3)
    assert likelihood(found.estimate - 0.02) < best > likelihood(found.estimate + 0.02)
    for end in (found.lower, found.upper):
        assert likelihood(end) == pytest.approx(best - drop, abs=2e-3)
