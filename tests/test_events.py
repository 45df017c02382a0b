"""Events on made-up curves."""

import math

import numpy as np
import pytest

from grokpipe.curves.events import (
    CROSSINGS,
    Event,
    first_reached,
    ratio,
    run_events,
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
    assert found["tau_rnc1@0.2"].step == 20
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
    assert found["tau2_half/tau1"] == Event(4, True, 2, math.inf, 32)


def test_a_run_that_never_generalises_has_no_tau2() -> None:
    found = events(test=[0.1, 0.12, 0.1, 0.11, 0.1, 0.12, 0.1])
    for name in ("tau2_rise", "tau2_half", "tau2_arrive"):
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
    assert ratio(late, Event(0, True, 0, 0, 320)) is None
    assert "tau2_half/tau1" not in events([0.1] * 7, train=[0.5] * 7)


def test_a_run_that_did_not_measure_collapse_has_no_such_event() -> None:
    columns = curves([0.1] * 7)
    del columns["collapse/rnc1"]
    assert not any("rnc1" in name for name in run_events(columns, 0.1, 320, True))


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
    assert CROSSINGS["t_grok"].reached([0.98, 0.99, math.nan]).tolist() == [False, True, False]
    assert CROSSINGS["tau_rnc1@0.1"].reached([0.2, 0.1, math.nan]).tolist() == [False, True, False]
