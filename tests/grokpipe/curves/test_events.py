"""Events on made-up curves."""

import math
from typing import Any

import numpy as np
import pytest

from grokpipe.curves.definitions import EVENTS, run_events
from grokpipe.curves.events import (
    Event,
    fallen,
    first_reached,
    half_change,
    learned_levels,
    plateaus,
    ratio,
    stays,
    sustained,
)

STEPS = [0, 10, 20, 40, 80, 160, 320]


def curves(test, train=None, rnc1=None) -> dict[str, np.ndarray]:
    train = [1.0] * len(test) if train is None else train
    rnc1 = [1.0] * len(test) if rnc1 is None else rnc1
    return {
        "step": np.array(STEPS[: len(test)]),
        "train_accuracy": np.array(train, dtype=float),
        "test_accuracy": np.array(test, dtype=float),
        "collapse/rnc1": np.array(rnc1, dtype=float),
    }


def events(test, train=None, rnc1=None, finished=True) -> dict[str, Event]:
    return run_events(curves(test, train, rnc1), 0.1, 320, finished)


def test_crossing_lies_between_two_evaluations() -> None:
    found = first_reached(STEPS, np.array(STEPS) >= 33, 320)
    assert found == Event(step=40, observed=True, lower=20, upper=40, budget=320)


def test_never_is_censored_at_the_last_evaluation() -> None:
    found = first_reached(STEPS, [False] * 7, 1000)
    assert found == Event(step=320, observed=False, lower=320, upper=math.inf, budget=1000)


def test_beyond_from_the_first_evaluation_on() -> None:
    assert first_reached(STEPS, [True] * 7, 320) == Event(0, True, 0, 0, 320)


def test_curve_without_evaluations_is_censored_at_zero() -> None:
    found = run_events(
        {"step": [], "train_accuracy": [], "test_accuracy": [], "collapse/rnc1": []}, 0.1, 9, True
    )
    assert found["tau1"] == Event(0, False, 0, math.inf, 9)
    assert not any(event.observed for event in found.values())


def test_nan_is_never_reached() -> None:
    nan = [math.nan] * 7
    assert not any(event.observed for event in events(nan, nan, nan).values())


def test_one_nan_among_numbers_does_not_hide_the_crossing() -> None:
    found = events([0.1] * 7, rnc1=[1, math.nan, 0.15, 0.15, 0.04, 0.03, 0.02])
    assert found["tau_rnc1@0.2"] == Event(20, True, 0, 20, 320)  # it may have been below at 10
    assert found["tau_rnc1@0.05"].step == 80
    assert not found["tau_rnc1@0.01"].observed


def test_sustained_needs_all_in_a_row() -> None:
    reached = [True, True, False, True, True, True, False]
    assert sustained(reached, 3).tolist() == [False] * 3 + [True] + [False] * 3
    assert sustained([True, True], 3).tolist() == [False, False]  # too short


def test_ending_within_a_row_is_censored_before_it_began() -> None:
    found = events(test=[0.1, 0.1, 0.1, 0.5, 0.9], finished=False)["tau2_rise"]
    assert found == Event(20, False, 20, math.inf, 320)
    assert events(test=[0.1, 0.1, 0.1, 0.5, 0.9, 0.9])["tau2_rise"].step == 40
    assert events(test=[0.9, 0.9])["tau2_rise"] == Event(0, False, 0, math.inf, 320)


def test_stays_is_from_then_on() -> None:
    assert stays([True, False, True, True]).tolist() == [False, False, True, True]


def test_a_run_that_groks() -> None:
    found = events(
        test=[0.1, 0.1, 0.3, 0.5, 0.9, 0.9, 0.9],
        train=[0.1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
    )
    assert found["tau1"].step == 10
    assert found["tau2_rise"].step == 20
    # final = mean(0.3, 0.5, 0.9, 0.9, 0.9) = 0.7, half-way 0.4
    assert found["tau2_half"] == Event(40, True, 20, 40, 320)
    assert found["tau2_arrive"].step == 80
    assert found["tau2_most"] == Event(80, True, 40, 80, 320)  # 0.64
    assert found["tau2_half/tau1"] == Event(4, True, 2, math.inf, 32)


def test_a_run_that_never_generalises_has_no_tau2() -> None:
    found = events(test=[0.1, 0.12, 0.1, 0.11, 0.1, 0.12, 0.1])
    for name in ("tau2_rise", "tau2_half", "tau2_arrive", "tau2_most"):
        assert found[name] == Event(320, False, 320, math.inf, 320)


def test_a_gain_just_below_the_least_one_is_censored() -> None:
    rising = [0.1, 0.1, 0.29, 0.29, 0.29, 0.29, 0.29]
    assert not events(rising)["tau2_half"].observed
    rising[2:] = [0.31] * 5
    assert events(rising)["tau2_half"].step == 20


def test_ungrokking_shows_in_arrival_not_in_the_first_crossing() -> None:
    found = events(test=[0.1, 0.9, 0.9, 0.9, 0.1, 0.9, 0.9])
    assert found["tau2_half"].step == 10
    assert found["tau2_arrive"].step == 160


def test_most_of_the_way_is_there_for_three_evaluations() -> None:
    """From 0.1 to a final 0.8: 0.73 is most of it, a spike is not, what wavers at the end is."""
    wavering = [0.1, 0.9, 0.3, 0.725, 0.75, 0.8, 0.8, 0.8, 0.85]
    grid = {"step": np.arange(9) * 10, "test_accuracy": np.array(wavering)}
    found = run_events(grid, 0.1, 80, True, names=["tau2_most", "tau2_arrive"])
    assert found["tau2_most"] == Event(40, True, 30, 40, 80)
    assert found["tau2_arrive"].step == 50
    unfinished = run_events(grid, 0.1, 80, False, names=["tau2_most"])
    assert unfinished["tau2_most"] == Event(80, False, 80, math.inf, 80)
    late = grid | {"test_accuracy": np.array([0.1] * 5 + [0.7, 0.7, 0.7, 0.9])}
    assert run_events(late, 0.1, 80, True, names=["tau2_most"])["tau2_most"].step == 50


def test_a_run_that_ends_below_its_final_value_has_not_arrived() -> None:
    found = events(test=[0.1, 0.1, 0.9, 0.9, 0.9, 0.9, 0.5])
    assert not found["tau2_arrive"].observed


def test_an_unfinished_run_has_no_final_value_but_its_crossings_count() -> None:
    found = events(test=[0.1, 0.1, 0.9, 0.9, 0.9], rnc1=[1, 1, 0.1, 0.1, 0.1], finished=False)
    assert found["tau2_half"] == Event(80, False, 80, math.inf, 320)
    assert found["tau2_rise"].step == 20
    assert found["tau_rnc1@0.1"].step == 20


def test_tau1_after_tau2() -> None:
    found = events(
        test=[0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9], train=[0.1, 0.5, 0.9, 0.9, 0.9, 1.0, 1.0]
    )
    assert found["tau1"].step == 160
    assert found["tau2_half/tau1"].step == pytest.approx(10 / 160)


def test_ratio_is_censored_with_its_numerator_and_absent_without_denominator() -> None:
    late, early = Event(320, False, 320, math.inf, 320), Event(10, True, 5, 10, 320)
    assert ratio(late, early) == Event(32, False, 32, math.inf, 32)
    assert ratio(early, late) is None
    at_first = Event(10, True, 10, 10, 320)
    assert ratio(at_first, at_first) == Event(1, True, 0, math.inf, 32)
    assert ratio(late, at_first) == Event(32, False, 32, math.inf, 32)
    assert ratio(late, Event(0, True, 0, 0, 320)) is None
    assert "tau2_half/tau1" not in events([0.1] * 7, train=[0.5] * 7)


def test_the_times_of_memorising_and_grokking() -> None:
    found = events(
        test=[0.1, 0.99, 0.5, 0.99, 1.0, 0.995, 0.99], train=[0.5, 0.98, 0.99, 0.999, 1, 1, 1]
    )
    assert found["t_mem"] == Event(20, True, 10, 20, 320)
    assert found["t_grok"] == Event(10, True, 0, 10, 320)  # it un-groks at 20
    # four in a row to the end: five may follow, so it is censored where the row began
    assert found["t_grok_sustained"] == Event(20, False, 20, math.inf, 320)
    steady = events(test=[0.1, 0.2, 0.99, 0.99, 1.0, 0.995, 0.99])
    assert steady["t_grok_sustained"] == Event(20, True, 10, 20, 320)


def test_crossings_look_the_right_way_and_nan_never_counts() -> None:
    assert EVENTS["t_grok"].reached([0.98, 0.99, math.nan]).tolist() == [False, True, False]
    assert EVENTS["tau_rnc1@0.1"].reached([0.2, 0.1, math.nan]).tolist() == [False, True, False]


def entropies(values, test, finished=True, level=math.nan) -> dict[str, Event]:
    columns = curves(test) | {"spectral/entropy_train": np.array(values, dtype=float)}
    columns["step"] = 100 * np.arange(len(test))
    return run_events(columns, 0.01, 5000, finished, {"t_cross": level})


GROKS_AT_1000 = [0.01] * 10 + [1.0] * 6


def test_a_curve_has_fallen_if_it_lies_below_what_it_was_five_evaluations_before() -> None:
    values = [0.9, 0.9, 0.9, 0.86, 0.86, 0.86, 0.84, 0.84, 0.70]
    # 0.86 is 0.04 below 0.9; 0.84 is 0.06 below 0.9 at the second evaluation
    assert np.flatnonzero(fallen(values)).tolist() == [6, 7, 8]
    assert not fallen(values[:5]).any()  # shorter than the window
    assert not fallen([0.9, 0.9, math.nan, 0.9, 0.9, 0.9, 0.9, 0.5]).any()  # five before is NaN
    assert fallen([0.9, math.nan, 0.9, 0.9, 0.9, 0.8]).tolist() == [False] * 5 + [True]


def test_an_early_transient_is_the_first_collapse_and_not_the_last() -> None:
    values = [0.85, 0.78, 0.78, 0.78, 0.78, 0.78, 0.78, 0.77, 0.71, 0.65, 0.6] + [0.5] * 5
    found = entropies(values, GROKS_AT_1000)
    assert found["t_collapse"] == Event(500, True, 400, 500, 5000)
    assert found["t_collapse_last"] == Event(800, True, 700, 800, 5000)


def sparse(values: list[float], every: int) -> np.ndarray:
    """The values at every so many evaluations, NaN between."""
    curve = np.full(every * (len(values) - 1) + 1, math.nan)
    curve[::every] = values
    return curve


def test_a_fall_of_a_curve_that_is_known_at_every_tenth_evaluation() -> None:
    values = sparse([0.8, 0.8, 0.8, 0.79, 0.76, 0.7, 0.6, 0.5, 0.4, 0.3], 10)
    test = [0.01] * 81 + [1.0] * 10
    columns = {"step": 100 * np.arange(91), "train_accuracy": np.ones(91), "test_accuracy": test}
    found = run_events(columns | {"spectral/entropy_train": values}, 0.01, 9000, True)
    for name in ("t_collapse", "t_collapse_last"):
        assert found[name] == Event(5000, True, 4000, 5000, 9000)


def test_a_fall_is_censored_by_the_last_known_evaluation() -> None:
    values = [0.85] * 8 + [math.nan] * 8
    found = entropies(values, GROKS_AT_1000)
    assert found["t_collapse"] == Event(700, False, 700, math.inf, 5000)
    assert found["t_collapse_last"] == Event(700, False, 700, math.inf, 5000)
    assert entropies([math.nan] * 16, GROKS_AT_1000)["t_collapse_last"].step == 0


def test_an_unknown_evaluation_bounds_no_row() -> None:
    gap = [0.1, math.nan, 0.995, 0.995, 0.995, 0.995, 0.995]
    found = events(gap)
    assert found["t_grok_sustained"] == Event(20, True, 0, 20, 320)
    assert found["tau2_rise"] == Event(20, True, 0, 20, 320)
    inside = [0.1, 0.995, 0.995, math.nan, 0.995, 0.995, 0.995]
    assert events(inside)["t_grok_sustained"] == Event(10, True, 0, 10, 320)
    unknown_end = [0.1, 0.1, 0.1, 0.1, 0.1, math.nan, math.nan]
    for name in ("t_grok_sustained", "tau2_rise"):
        assert events(unknown_end)[name] == Event(80, False, 80, math.inf, 320)


def test_a_fall_after_grokking_is_not_the_collapse_before_it() -> None:
    found = entropies([0.85] * 11 + [0.6] * 5, GROKS_AT_1000)
    assert found["t_collapse"].step == 1100
    assert found["t_collapse_last"] == Event(1000, False, 1000, math.inf, 5000)


def test_without_grokking_the_last_fall_so_far_is_a_lower_bound() -> None:
    never = [0.01] * 16
    falls = entropies([0.85] * 3 + [0.7] * 13, never)
    assert falls["t_collapse_last"] == Event(500, False, 500, math.inf, 5000)
    assert entropies([0.85] * 16, never)["t_collapse_last"].step == 1500


def test_crossing_of_a_learned_value_needs_that_value() -> None:
    values = [0.85, math.nan, 0.7, 0.6, 0.65] + [0.5] * 11
    assert "t_cross" not in entropies(values, GROKS_AT_1000)
    found = entropies(values, GROKS_AT_1000, level=0.61)
    assert found["t_cross"] == Event(300, True, 200, 300, 5000)  # though it returns at 400
    # at the evaluation with NaN it may have been below 0.75 already: the bound is the one before
    assert entropies(values, GROKS_AT_1000, level=0.75)["t_cross"] == Event(200, True, 0, 200, 5000)
    assert not entropies([0.85] * 16, GROKS_AT_1000, level=0.61)["t_cross"].observed


def test_a_level_is_learned_from_the_other_runs() -> None:
    levels = learned_levels([0.6, 0.5, math.nan, 0.7])
    assert levels.tolist() == pytest.approx([0.6, 0.65, 0.6, 0.55])
    assert np.isnan(learned_levels([0.6, math.nan])).tolist() == [True, False]
    assert np.isnan(learned_levels([math.nan] * 3)).all()
    assert len(learned_levels([])) == 0


def test_half_rise_and_half_fall_between_plateaus() -> None:
    steps = np.arange(8) * 10
    falling = [1.0, 1.0, 0.7, 0.6, 0.2, 0.2, 0.2, 0.2]  # final = mean(0.6, 0.2 …) = 0.28
    for rising in (False, None):
        assert half_change(steps, falling, 0.5, 70, True, rising) == Event(30, True, 20, 30, 70)
    assert half_change(steps, np.negative(falling), 0.5, 70, True, True).step == 30
    for least, finished, rising in ((0.5, True, True), (0.8, True, None), (0.5, False, None)):
        assert half_change(steps, falling, least, 70, finished, rising) == Event(
            70, False, 70, math.inf, 70
        )
    assert not half_change(steps, [1.0] * 8, 0.0, 70, True).observed  # no change has no half
    assert half_change([], [], 0.1, 70, True) == Event(0, False, 0, math.inf, 70)
    # a loss that overflowed is not known
    overflow = [1.0, math.inf, 0.7, 0.6, 0.2, 0.2, 0.2, math.inf]
    assert half_change(steps, overflow, 0.5, 70, True).step == 30


TRANSIENT = [0.0, 0.9, 0.6, *[0.5] * 9, 0.2, *[0.1] * 6]
"""rises and falls while the run memorises, until step 30, and falls again at step 120"""


def after(values: list[float], start: float | None, **more: Any) -> Event:
    arguments = {"least": 0.2, "rising": False, "relative": True, "evaluations": 5}
    steps = np.arange(len(values)) * 10
    return half_change(steps, values, budget=150, finished=True, start=start, **arguments | more)


def test_a_half_after_a_transient() -> None:
    assert after(TRANSIENT, 30) == Event(120, True, 110, 120, 150)
    # from the first value RNC1 does not fall at all
    assert not after(TRANSIENT, None, evaluations=1).observed
    # a run that never memorised has no plateau
    assert after(TRANSIENT, math.inf) == Event(180, False, 180, math.inf, 150)
    # two evaluations of a spike below the half are not the change
    spiky = TRANSIENT.copy()
    spiky[8:10] = [0.05, 0.0]
    assert after(spiky, 30) == Event(120, True, 110, 120, 150)
    assert after(spiky, 30, evaluations=1).step == 80
    # nor is another one among the five values of the plateau: their median is 0.5 still
    spiky[4] = 0.0
    assert after(spiky, 30).step == 120


def test_a_change_that_was_over_by_memorisation_is_before_it() -> None:
    early = [0.8, 0.8, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]
    assert after(early, 40) == Event(40, True, 0, 40, 150)
    assert not after(early, math.inf).observed
    # the value at the start of the plateau is already half-way: it turned right after it
    assert after(early, 10) == Event(20, True, 10, 20, 150)
    # nothing is known after memorisation: neither is the change
    assert after(early, 95) == Event(90, False, 90, math.inf, 150)
    # the rest of a fall is not another one, relative to where it began
    assert after([0.8, 0.4, 0.02, *[0.01] * 8], 20) == Event(20, True, 0, 20, 150)


def test_a_row_that_lasts_until_the_end_is_long_enough() -> None:
    late = [0.5] * 8 + [0.1] * 3  # final = 0.26, half = 0.38
    assert after(late, 10) == Event(80, True, 70, 80, 150)


def test_plateaus_are_of_the_evaluations_that_are_there() -> None:
    assert plateaus([math.nan, 3, 1, 1, 1, 1, math.nan, 2]) == (3, 1.2)
    assert all(map(math.isnan, plateaus([math.nan])))
    nan_at_the_end = [0.1, 0.1, 0.9, 0.9, 0.9, 0.9, math.nan]
    assert events(nan_at_the_end)["tau2_half"].step == 20
    assert events(nan_at_the_end)["tau2_arrive"].step == 20


def test_rnc1_has_a_half_if_it_fell_by_a_fifth() -> None:
    assert events([0.1] * 7, rnc1=[0.5, 0.5, 0.5, 0.2, 0.1, 0.1, 0.1])["tau_rnc1_half"].step == 40
    assert not events([0.1] * 7, rnc1=[0.5, 0.5, 0.5, 0.45, 0.45, 0.45, 0.45])[
        "tau_rnc1_half"
    ].observed
