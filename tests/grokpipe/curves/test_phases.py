"""The diagnostic guide and the stop rules on histories made by hand, and on stored runs."""

import math

import numpy as np
import pandas as pd
import pytest

from grokpipe.curves.gap import Law
from grokpipe.curves.phases import (
    ADVICE,
    Guide,
    History,
    crossed_since,
    phase,
    predicting,
    why_stop,
)
from grokpipe.errors import InputError
from tests.helpers.cli import ROOT

THRESHOLD = 0.6
LAW = Law("power", THRESHOLD, direction=1, shape=1, coefficient=20_000, constant=0)


def history(entropy, norm=math.nan, train=1.0, test=math.nan, every=100.0) -> History:
    """One evaluation every 100 steps from 0 on; a number stands for a constant column."""
    entropy = np.asarray(entropy, dtype=float)
    columns = (np.broadcast_to(np.asarray(c, dtype=float), entropy.shape)
               for c in (train, test, norm))  # fmt: skip
    return History(np.arange(len(entropy)) * every, entropy, *columns)


def test_a_growing_norm_above_the_threshold_is_phase_one() -> None:
    """Row 1 of the guide: continue training."""
    seen = history(np.full(10, 0.78), norm=30 + np.arange(10.0))
    assert phase(seen, THRESHOLD) == "norm expansion"
    assert "continue training" in ADVICE["norm expansion"]


def test_a_norm_counts_as_growing_from_its_dial_on() -> None:
    norm = np.array([40.0, 40, 40, 40, 40, 40.5])  # 1.25 % over five evaluations
    seen = history(np.full(6, 0.78), norm)
    assert phase(seen, THRESHOLD) == "norm expansion"
    assert phase(seen, THRESHOLD, Guide(norm_growth=0.02)) == "undecided"
    # fewer than five evaluations back, and unknown norms, tell nothing
    assert phase(history(np.full(5, 0.78), norm[1:]), THRESHOLD) == "undecided"
    assert phase(history(np.full(9, 0.78)), THRESHOLD) == "undecided"


def test_a_falling_entropy_is_phase_two() -> None:
    """Row 2: use the predictor. The paper's fall: by more than 0.05 over five evaluations."""
    fall = [0.8] * 10 + [0.79, 0.78, 0.77, 0.76, 0.745]
    assert phase(history(fall, norm=np.arange(15.0)), THRESHOLD) == "entropy collapse"
    assert phase(history([*fall[:-1], 0.751]), THRESHOLD) == "undecided"
    assert "predict_grok_time" in ADVICE["entropy collapse"]


def test_a_slow_fall_is_phase_two_once_the_norm_has_stopped() -> None:
    slow = np.linspace(0.8, 0.7, 60)
    assert phase(history(slow, norm=40.0), THRESHOLD) == "entropy collapse"
    assert phase(history(slow, norm=np.linspace(20, 40, 60)), THRESHOLD) == "norm expansion"


@pytest.mark.parametrize(
    "norm", [math.nan, 40.0, np.append(np.linspace(20, 40, 40), np.full(20, 40.0))]
)
def test_a_slow_fall_switches_the_forecast_on(norm) -> None:
    """Far above the threshold, from the evaluation at which the advice is to use it."""
    seen = history(np.linspace(0.8, 0.72, 60), norm)
    columns = (seen.step, seen.entropy, seen.train_accuracy, seen.test_accuracy, seen.norm)
    phases = [phase(History(*(c[:end] for c in columns)), THRESHOLD) for end in range(1, 61)]
    first = phases.index("entropy collapse")
    assert predicting(seen, THRESHOLD).tolist() == [False] * first + [True] * (60 - first)


def test_near_the_threshold_grokking_is_imminent() -> None:
    """Row 3."""
    assert phase(history([0.8, 0.634]), THRESHOLD) == "near threshold"
    assert phase(history([0.8, 0.634]), THRESHOLD, Guide(near=0.03)) != "near threshold"
    assert "imminent" in ADVICE["near threshold"]
    # "about 1,000 steps" by the published law
    assert 2.45e5 * Guide().near ** 1.65 == pytest.approx(1_000, rel=0.05)


def test_collapse_with_low_test_accuracy_is_collapse_without_generalisation() -> None:
    """Row 4: the architecture may lack the bias; 1,000 steps below the threshold, and a test
    accuracy that is known."""
    below = [0.8] + [0.5] * 11  # from step 100 to 1,100
    assert phase(history(below, test=0.05), THRESHOLD) == "collapse without generalisation"
    assert phase(history(below[:-1], test=0.05), THRESHOLD) == "crossed"
    assert phase(history(below), THRESHOLD) == "crossed"
    assert phase(history(below, test=0.05), THRESHOLD, Guide(stop_after=2_000)) == "crossed"
    # an accuracy of 0.9 is no sign of a missing bias
    assert phase(history(below, test=0.5), THRESHOLD) == "crossed"
    assert phase(history(below, test=0.9), THRESHOLD) == "crossed"
    strict = Guide(low_accuracy=0.95)
    assert phase(history(below, test=0.9), THRESHOLD, strict) == "collapse without generalisation"
    assert "inductive bias" in ADVICE["collapse without generalisation"]


def test_an_entropy_that_does_not_fall_is_stagnant() -> None:
    """Row 5: raise the decay, lower the rate; after the horizon, whatever the norm does."""
    flat = np.full(151, 0.78)
    assert phase(history(flat, norm=np.arange(151.0)), THRESHOLD) == "stagnant"
    assert phase(history(flat[:-1]), THRESHOLD) == "undecided"
    assert phase(history(flat), THRESHOLD, Guide(stagnation_horizon=16_000)) == "undecided"
    assert phase(history(np.linspace(0.78, 0.729, 151)), THRESHOLD) != "stagnant"
    assert phase(history(np.linspace(0.78, 0.731, 151)), THRESHOLD) == "stagnant"
    assert phase(history(np.linspace(0.7, 0.78, 151)), THRESHOLD) == "stagnant"
    for word in ("weight decay", "learning rate", "can grok"):
        assert word in ADVICE["stagnant"]


def test_a_run_stuck_just_above_the_threshold_is_stagnant() -> None:
    """Grokking is not imminent for ever."""
    stuck = np.full(151, THRESHOLD + 0.03)
    assert phase(history(stuck), THRESHOLD) == "stagnant"
    assert phase(history(stuck[:-1]), THRESHOLD) == "near threshold"
    came_down = np.linspace(THRESHOLD + 0.09, THRESHOLD + 0.03, 151)
    assert phase(history(came_down), THRESHOLD) == "near threshold"
    # a quick fall is news, though it only undoes a rise
    dip = np.concatenate([stuck, [THRESHOLD + 0.1] * 5, [THRESHOLD + 0.04]])
    assert phase(history(dip), THRESHOLD) == "entropy collapse"


def test_nothing_is_read_from_the_time_before_memorisation() -> None:
    train = np.array([0.1] * 7 + [1.0] * 3)
    dip = [0.8, 0.8, 0.5, 0.5, 0.5, 0.5, 0.5, 0.8, 0.8, 0.8]
    assert phase(history(dip[:7], train=train[:7]), THRESHOLD) == "memorisation"
    assert crossed_since(history(dip[:7], train=train[:7]), THRESHOLD) is None
    # the fall from before memorisation is not one of phase II
    fell = [0.95] * 7 + [0.78] * 3
    assert phase(history(fell, train=train), THRESHOLD) == "undecided"
    assert not predicting(history(fell, train=train), THRESHOLD).any()
    # training accuracy may dip later, and may be unknown throughout
    train[-1] = 0.9
    assert phase(history(fell, train=train), THRESHOLD) == "undecided"
    assert phase(history([0.5], train=math.nan), THRESHOLD) == "crossed"


def test_test_accuracy_decides() -> None:
    assert phase(history([0.9], test=0.99), THRESHOLD) == "grokked"


@pytest.mark.parametrize("later", [0.9, 0.05, math.nan])
def test_a_run_that_has_grokked_stays_grokked(later: float) -> None:
    """However far it falls back: it has shown that the architecture can."""
    below = history([0.8] + [0.5] * 11, test=[0.05, 1.0] + [later] * 10)
    assert phase(below, THRESHOLD) == "grokked"
    assert phase(history([0.9, 0.9], test=[1.0, later]), THRESHOLD) == "grokked"
    assert "fallen back" in ADVICE["grokked"]


def test_every_phase_has_advice() -> None:
    assert all(ADVICE.values())


@pytest.mark.parametrize(
    "seen",
    [history([0.8]), history(np.full(9, 0.8)), history(np.full(9, 0.8), norm=40.0)],
    ids=["one evaluation", "unknown norm", "constant norm"],
)
def test_the_advice_on_an_undecided_run_claims_nothing(seen: History) -> None:
    assert phase(seen, THRESHOLD) == "undecided"
    for claim in ("norm", "entropy"):
        assert claim not in ADVICE["undecided"]


def test_the_present_row_below_the_threshold_counts() -> None:
    entropy = [0.8, 0.5, 0.7, 0.6, 0.5, 0.59]
    assert crossed_since(history(entropy), THRESHOLD) == 300
    assert crossed_since(history(entropy[:3]), THRESHOLD) is None
    assert crossed_since(history([0.5, 0.5]), THRESHOLD) == 0


def test_crossing_stops_after_a_thousand_steps() -> None:
    below = [0.8] + [0.5] * 11
    assert "since step 100, for 1,000 steps" in (why_stop(history(below), THRESHOLD, LAW) or "")
    assert why_stop(history(below[:-1]), THRESHOLD, LAW) is None
    assert why_stop(history([*below, 0.7]), THRESHOLD, LAW) is None
    assert why_stop(history(below), THRESHOLD, LAW, Guide(stop_after=1_001)) is None
    # neither stagnation nor a grokked run stops it
    assert why_stop(history(np.full(300, 0.8), test=1.0), THRESHOLD, LAW) is None


STABLE = Guide(stop="stable forecast", activation_gap=0.3)


def test_a_forecast_that_stays_put_stops() -> None:
    """T̂ = t + 20,000 (H̃ − 0.6): a fall by 0.005 an evaluation keeps it in place."""
    fall = 0.8 - 0.005 * np.arange(21)
    assert "stable for 2,000 steps: between 4,000 and 4,000" in (
        why_stop(history(fall), THRESHOLD, LAW, STABLE) or ""
    )
    assert why_stop(history(fall[:-1]), THRESHOLD, LAW, STABLE) is None  # not long enough
    assert why_stop(history(fall), THRESHOLD, LAW, Guide(stop="stable forecast")) is None  # not on
    # half as fast: the forecast recedes by half of the steps trained
    half = 0.8 - 0.00251 * np.arange(21)
    assert why_stop(history(half), THRESHOLD, LAW, STABLE) is not None
    strict = Guide(stop="stable forecast", activation_gap=0.3, stability=0.4)
    assert why_stop(history(half), THRESHOLD, LAW, strict) is None


@pytest.mark.parametrize("entropy", [0.7, 0.5], ids=["constant", "below the threshold"])
def test_a_forecast_that_recedes_does_not_stop(entropy: float) -> None:
    """ "So many steps from now" and "now" never come true, and must not count as stable."""
    assert why_stop(history(np.full(100, entropy)), THRESHOLD, LAW, STABLE) is None


def test_a_forecast_that_is_nan_does_not_stop() -> None:
    fall = 0.8 - 0.005 * np.arange(21)
    nan = Law("power", THRESHOLD, 1, 1, math.nan, 0)
    assert why_stop(history(fall), THRESHOLD, nan, STABLE) is None


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        ({"near": 0.0}, "near=0.0: must be > 0"),
        ({"stop_after": -1}, "stop_after=-1: must be > 0"),
        ({"stability": math.nan}, "stability=nan: must be > 0"),
        ({"stop": "soon"}, "stop='soon': must be one of crossed, stable forecast"),
    ],
)
def test_parameters_are_checked(parameter, text) -> None:
    with pytest.raises(InputError, match=text):
        Guide(**parameter)


def test_phases_of_a_stored_run_come_in_order() -> None:
    """A real run of the paper's Transformer: the norm expands, the entropy collapses, it groks."""
    folder = ROOT / "outputs/reference/entropy/second_beta"
    curves = pd.read_parquet(folder / "curves.parquet")
    run = curves[(curves["seed"] == 0) & (curves["optimizer.betas"] == "[0.9, 0.98]")]
    names = ("step", "spectral/entropy_train", "train_accuracy", "test_accuracy", "weight_norm")
    columns = [run[name].to_numpy(float) for name in names]
    found = [
        phase(History(*(column[:end] for column in columns)), 0.643)
        for end in range(1, len(run) + 1)
    ]
    first = {name: found.index(name) for name in set(found)}
    order = ["memorisation", "norm expansion", "entropy collapse", "near threshold", "crossed",
             "grokked"]  # fmt: skip
    assert sorted(order, key=first.__getitem__) == order
    assert not {"stagnant", "collapse without generalisation"} & set(found)
