"""Numbers as people read them."""

import math

import pytest

from analysis.output import formats
from analysis.stats.intervals import Interval, none


@pytest.mark.parametrize(
    ("value", "how", "text"),
    [
        (12_345.6, {}, "12,346"),
        (-1_234.5, {"decimals": 1}, "−1,234.5"),
        (2.0, {"decimals": 2, "sign": "+"}, "+2.00"),
        (-2.0, {"sign": "+"}, "−2"),
        (math.inf, {}, "∞"),
        (math.inf, {"sign": "+"}, "+∞"),
        (-math.inf, {"sign": "+"}, "−∞"),
        (math.nan, {"decimals": 3}, "–"),
    ],
)
def test_a_number(value: float, how: dict, text: str) -> None:
    assert formats.number(value, **how) == text


def test_a_median_beyond_the_last_step_is_a_bound() -> None:
    assert formats.bounded(1_500.0, 4_000, 10) == "1,500"
    assert formats.bounded(math.inf, 4_000, 10) == "> 4,000"
    assert formats.bounded(math.inf, 4_000, 1) == "> 4,000 (1 run)"
    assert formats.bounded(math.inf, 4_000, 3) == "> 4,000 (3 runs)"


def test_counts_say_of_how_many_runs() -> None:
    assert formats.counted(3, 4, 4) == "3/4"
    assert formats.counted(3, 3, 6) == "3/3 of 6"


def test_an_estimate_with_its_interval() -> None:
    found = Interval(5_020, 1_200, math.inf, "BCa")
    assert formats.estimated(found, sign="+") == "+5,020 [+1,200, +∞]"
    assert formats.estimated(none(0.25, "one run"), decimals=2) == "0.25"
    assert formats.interval(math.nan, math.nan) == ""


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.04449, "0.044"), (1.0, "1"), (1e-4, "0.0001"), (3.2e-7, "3e-07"), (math.nan, "–")],
)
def test_a_p_value(p: float, text: str) -> None:
    assert formats.p_value(p) == text
