"""Cumulative incidence against lifelines and closed forms."""

import math

import numpy as np
import pytest
from lifelines import AalenJohansenFitter
from scipy import stats

from analysis.stats.incidence import aalen_johansen, final_incidence
from analysis.stats.survival import kaplan_meier


@pytest.mark.parametrize("seed", range(5))
def test_against_lifelines(seed: int) -> None:
    generator = np.random.default_rng(seed)
    times = generator.permutation(np.arange(1.0, 31.0))
    kinds = generator.choice([0, 1, 2], 30, p=[0.3, 0.5, 0.2])
    at, shares, variances = aalen_johansen(times, kinds == 1, kinds == 2)
    fitter = AalenJohansenFitter()
    with np.errstate(all="ignore"):
        fitter.fit(times, kinds, event_of_interest=1)
    expected = fitter.cumulative_density_.loc[at].to_numpy()[:, 0]
    assert shares == pytest.approx(expected)
    known = np.isfinite(of := fitter.variance_.loc[at].to_numpy())
    assert variances[known] == pytest.approx(of[known], abs=1e-12) and known.sum() > 25
    last = fitter.confidence_interval_.loc[at[known][-1]].to_numpy()
    found = final_incidence(times, kinds == 1, kinds == 2)
    if known[-1]:
        assert (found.lower, found.upper) == pytest.approx((last.min(), last.max()))
        assert found.method == "Aalen–Johansen, log-log"


def test_runs_that_diverged_are_not_censored() -> None:
    """Four of five diverge at 50, one has the event at 200: a fifth of them, where Kaplan–Meier of
    diverged runs as censored would say all."""
    times, had = np.array([200.0, 50, 50, 50, 50]), np.array([True, False, False, False, False])
    found = final_incidence(times, had, ~had)
    exact = stats.binomtest(1, 5).proportion_ci()
    assert (found.estimate, found.lower, found.upper) == pytest.approx((0.2, exact.low, exact.high))
    assert kaplan_meier(times, had)[1][-1] == 0


def test_a_censored_run_shares_the_fate_of_those_at_risk_with_it() -> None:
    """Of four runs one diverges at 1, one is censored at 2, events at 3 and 4: 1/4, then the three
    quarters that are left, all of which have the event."""
    times = np.array([1.0, 2, 3, 4])
    had, ended = np.array([0, 0, 1, 1], bool), np.array([1, 0, 0, 0], bool)
    at, shares, _ = aalen_johansen(times, had, ended)
    assert at.tolist() == [1, 2, 3, 4]
    assert shares == pytest.approx([0, 0, 3 / 8, 3 / 4])
    # held at risk for ever instead, the run that diverged would take part of the censored one
    kept = 1 - kaplan_meier(np.where(ended, 9, times), had)[1]
    assert kept[-2:] == pytest.approx([2 / 3, 2 / 3])


def test_without_the_other_event_it_is_kaplan_meier() -> None:
    generator = np.random.default_rng(9)
    times, had = generator.integers(1, 9, 40).astype(float), generator.random(40) < 0.6
    at, shares, _ = aalen_johansen(times, had, np.zeros(40, bool))
    ordered, survival = kaplan_meier(times, had)
    last = np.searchsorted(ordered, at, "right") - 1
    assert shares == pytest.approx(1 - survival[last])


def test_refusals() -> None:
    with pytest.raises(ValueError, match="no runs"):
        aalen_johansen([], [], [])
    with pytest.raises(ValueError, match="1 runs are both"):
        aalen_johansen([1.0], [True], [True])
    none = final_incidence([1.0, 2.0], [False, False], [True, False])
    assert (none.estimate, math.isnan(none.lower)) == (0, False)
