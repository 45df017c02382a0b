"""Three laws: the true one is found, and each at its largest likelihood."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import optimize, stats

from analysis.times import laws, power_law
from tests.helpers.power_laws import draws, fitted, grid, seen


def as_law(law: str, seed: int) -> pd.DataFrame:
    generator = draws(seed)
    decay = np.tile(np.array([0.3, 0.1, 0.03, 0.01, 0.003]), 6)
    median = {
        "power": 2000 * decay**-0.6,
        "exponential": 30_000 * np.exp(-8 * decay),
        "logarithmic": 2000 - 6000 * np.log(decay),
    }[law]
    events = seen(median * np.exp(0.1 * generator.normal(size=30)), 100, 50_000)
    return events.assign(weight_decay=decay, seed=np.repeat(range(6), 5))


@pytest.mark.parametrize("law", laws.LAWS)
def test_the_true_law_has_the_least_aic(law: str) -> None:
    table = power_law.compare_laws(as_law(law, 0)).set_index("law")
    assert table["delta_aic"].idxmin() == law and (table["delta_aic"].drop(law) > 10).all()
    truth = {"power": (2000, 0.6), "exponential": (30_000, 8), "logarithmic": (2000, 6000)}[law]
    assert tuple(table.loc[law, ["constant", "k"]]) == pytest.approx(truth, rel=0.3)
    assert (table["parameters"] == 3).all() and (table["note"] == "").all()
    assert table["aic"].to_numpy() == pytest.approx(6 - 2 * table["log_likelihood"].to_numpy())
    fit_of_law = fitted(as_law(law, 0), law=law)
    assert fit_of_law.aic == table["aic"][law] and fit_of_law.r2 > 0.8


@pytest.mark.parametrize("seed", range(6))
def test_logarithmic_law_against_a_search(seed: int) -> None:
    generator = draws(seed)
    events = grid(generator, every=(1, 666)[seed % 2], budget=(math.inf, 20_000)[seed // 2 % 2])
    found = fitted(events, law="logarithmic")
    lower, upper, x = events["lower"], events["upper"], np.log(events["weight_decay"])
    share = (x - x.min()) / (x.max() - x.min())

    def loss(parameters: NDArray[np.float64]) -> float:
        middle = np.exp(parameters[0]) * (1 - share) + np.exp(parameters[1]) * share
        bounds = [
            np.log(np.maximum(end / middle, 1e-300)) / math.exp(parameters[2])
            for end in (lower, upper)
        ]
        p = stats.norm.cdf(bounds[1]) - stats.norm.cdf(bounds[0])
        return -float(np.log(np.maximum(p, 1e-300)).sum())

    best = min(
        optimize.minimize(loss, start, method="Nelder-Mead", options={"maxiter": 2000}).fun
        for start in ([10.0, 8.0, -1.0], [9.0, 9.0, 0.0])
    )
    assert -found.log_likelihood == pytest.approx(best, abs=1e-3), f"seed {seed}"
    k = found.exponents["weight_decay"]
    assert k.method == "none: logarithmic law"
    ends = found.median([0.003, 0.3])[0]
    assert ends == pytest.approx(found.constant - k.estimate * np.log([0.003, 0.3]))
    assert (ends > 0).all()


def test_two_values_cannot_tell_laws_apart() -> None:
    table = power_law.compare_laws(grid(draws(17), decays=(0.3, 0.01)))
    assert table["delta_aic"].isna().all()
    assert (table["note"] == "2 values of weight_decay cannot tell laws apart").all()
    assert np.ptp(table["aic"]) < 1e-4


def test_exponential_law_takes_zero() -> None:
    events = grid(draws(18))
    zero = events["weight_decay"].mask(events["weight_decay"] == 0.003, 0.0)
    assert fitted(events.assign(weight_decay=zero), law="exponential").ranges == {
        "weight_decay": (0.0, 0.3)
    }


def test_lack_of_fit_counts_values_without_events() -> None:
    """Five seeds at λ = 2, 4, 6, 8, of which two values show the event: the two others have
    likelihood 1 under a mean of their own. Both likelihoods by a search."""
    decay, seed = np.repeat([2.0, 4.0, 6.0, 8.0], 5), np.tile(range(5), 4)
    generator = draws(8)
    times = np.where(decay == 2, 900, 300) * np.exp(0.2 * generator.normal(size=20))
    events = seen(np.where(decay > 4, math.inf, times), 10, 3_000)
    events = events.assign(weight_decay=decay, seed=seed)
    found = fitted(events)

    def log_likelihood(middles: NDArray[np.float64], sigma: float) -> float:
        with np.errstate(divide="ignore"):
            ends = [(np.log(events[end]) - middles) / sigma for end in ("lower", "upper")]
        p = np.where(events["observed"], stats.norm.cdf(ends[1]) - stats.norm.cdf(ends[0]),
                     stats.norm.sf(ends[0]))  # fmt: skip
        return float(np.log(np.maximum(p, 1e-300)).sum())

    def best(middles: Callable[[NDArray[np.float64]], NDArray[np.float64]], n: int) -> float:
        def loss(x: NDArray[np.float64]) -> float:
            return -log_likelihood(middles(x), math.exp(x[-1]))

        start = np.append(np.full(n, 7.0) if n == 4 else [7.0, 0.0], 0.0)
        options = {"maxiter": 20_000, "maxfev": 20_000, "xatol": 1e-9, "fatol": 1e-10}
        return -optimize.minimize(loss, start, method="Nelder-Mead", options=options).fun

    law = best(lambda x: x[0] + x[1] * np.log(decay), 2)
    own = best(lambda x: x[:4][np.searchsorted([2.0, 4.0, 6.0, 8.0], decay)], 4)
    assert found.log_likelihood == pytest.approx(law, abs=1e-4)
    assert found.lack_of_fit_ratio == pytest.approx(2 * (own - law), abs=1e-3)
    assert found.lack_of_fit_ratio > 15 and found.lack_of_fit_df == 2
    f = math.expm1(found.lack_of_fit_ratio / 10) * (10 - 2) / 2
    assert found.lack_of_fit == pytest.approx(stats.f.sf(f, 2, 8))
    assert found.lack_of_fit < 0.001 and found.lack_of_fit_why == ""


def test_why_lack_of_fit_is_not_told() -> None:
    two = fitted(grid(draws(17), decays=(0.3, 0.01)))
    assert math.isnan(two.lack_of_fit) and two.lack_of_fit_why == "2 values for 2 coefficients"
    one = fitted(grid(draws(13), seeds=1, every=1))
    assert one.lack_of_fit_why == "no value has the event in several runs"
    table = power_law.exponents(
        grid(draws(13), seeds=1, every=1), ["tau2"], ["weight_decay"], draws()
    )
    assert table["note"][0] == "lack of fit not told: no value has the event in several runs"
