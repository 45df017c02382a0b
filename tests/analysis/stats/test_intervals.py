"""Intervals as columns of a table."""

import math

import pytest

from analysis.stats.intervals import Interval, none


def test_columns_have_the_name_of_the_estimate() -> None:
    assert Interval(1.0, 0.5, 2.0, "BCa").columns("delay") == {
        "delay": 1.0, "delay_lower": 0.5, "delay_upper": 2.0, "delay_method": "BCa",
    }  # fmt: skip


def test_without_an_interval_the_method_says_why() -> None:
    found = none(3.0, "one run")
    assert (found.estimate, found.method) == (3.0, "none: one run")
    assert math.isnan(found.lower) and math.isnan(found.upper) and not found.bounded


@pytest.mark.parametrize(
    ("lower", "upper", "bounded"),
    [(0, 1, True), (-math.inf, 1, False), (0, math.inf, False), (math.nan, math.nan, False)],
)
def test_bounded_by_the_data(lower: float, upper: float, bounded: bool) -> None:
    assert Interval(0.5, lower, upper, "x").bounded == bounded
