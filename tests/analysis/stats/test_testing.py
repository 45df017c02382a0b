"""Results of tests, and those that are refused."""

import math

import numpy as np
import pytest

from analysis.stats import testing


def test_a_refused_test_has_no_numbers_and_says_why() -> None:
    found = testing.refused("log-rank", "no run has the event", "later")
    assert (found.name, found.alternative) == ("log-rank", "later")
    assert math.isnan(found.p) and math.isnan(found.statistic)
    assert found.method == "refused: no run has the event"


def test_alternatives_by_name() -> None:
    for alternative in testing.ALTERNATIVES:
        testing.check_alternative(alternative)
    with pytest.raises(ValueError, match="alternative=greater: must be one of two-sided, later"):
        testing.check_alternative("greater")


def test_holm_by_hand() -> None:
    # 4 · 0.005, 3 · 0.01, 2 · 0.03, and never less than the one before
    assert testing.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert testing.holm([0.4, 0.6]) == pytest.approx([0.8, 0.8])
    assert testing.holm([0.7]) == pytest.approx([0.7])
    assert testing.holm([]).shape == (0,)


def test_a_refused_test_counts_in_the_family() -> None:
    assert testing.holm([0.01, math.nan, 0.02]) == pytest.approx(
        [0.03, math.nan, 0.04], nan_ok=True
    )
    assert np.isnan(testing.holm([math.nan, math.nan])).all()


def test_holm_of_what_is_not_a_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        testing.holm([0.1, 1.2])
