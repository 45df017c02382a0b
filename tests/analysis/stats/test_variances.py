"""The variance of a normal sample against the closed form, and what has no interval."""

import math

import numpy as np
import pytest

from analysis.stats.variances import variance


def test_the_ends_are_those_of_chi_squared() -> None:
    values = np.array([0.58, 0.60, 0.65])
    found = variance(values)
    assert found.estimate == pytest.approx(np.var(values, ddof=1))
    # P(χ² of two degrees > x) = exp(−x/2)
    ends = [found.estimate * 2 / (-2 * math.log(tail)) for tail in (0.025, 0.975)]
    assert [found.lower, found.upper] == pytest.approx(ends)


@pytest.mark.parametrize(("values", "said"), [([0.6], "one run"), ([0.5, 0.5], "no spread")])
def test_a_variance_without_an_interval_says_why(values: list[float], said: str) -> None:
    found = variance(values)
    assert said in found.method and math.isnan(found.upper)
