"""Three laws: the true one is found, and each at its largest likelihood."""

import math

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
