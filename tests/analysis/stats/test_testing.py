"""Results of tests, and those that are refused."""

import math

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
