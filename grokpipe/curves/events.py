"""Times read from curves: when a run fits, generalises, collapses; or that it did not.

A curve is two arrays, `steps` ascending and values at those evaluations. An event is never a bare
number: it is known to lie in (lower, upper] between two evaluations, or not to have happened by
the last one. An evaluation with NaN tells nothing: it never counts as reached, and bounds nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

SUSTAINED = 3  # evaluations in a row that make tau2_rise
RISE = 0.1  # test accuracy above chance that counts as a rise
FINAL = 5  # evaluations whose mean is the final value
GENERALISED = 0.2  # least gain in test accuracy of a run that has generalised at all
NEARLY = 0.02  # distance from the final value that counts as arrived
RNC1 = "collapse/rnc1"
RNC1_LEVELS = (0.2, 0.1, 0.05, 0.01)
RNC1_FALL = 0.2  # least fall of RNC1, relative to its first value, that has a half
GROK_SUSTAINED = 5  # evaluations in a row that make t_grok_sustained
ENTROPY = "spectral/entropy_train"
WINDOW = 5  # evaluations over which the entropy must fall
FALL = 0.05  # fall of the entropy over them that makes t_collapse


@dataclass(frozen=True)
class Crossing:
    """A column of the curves at or beyond a level."""

    column: str
    level: float
    rising: bool = True
    """reached from below (≥), or from above (≤)"""

    def reached(self, values: ArrayLike) -> NDArray[np.bool_]:
        """Where it holds; NaN never does."""
        values = np.asarray(values, dtype=float)
        return values >= self.level if self.rising else values <= self.level


CROSSINGS = {
    "tau1": Crossing("train_accuracy", 1.0),
    "t_mem": Crossing("train_accuracy", 0.99),
    "t_grok": Crossing("test_accuracy", 0.99),
    **{f"tau_rnc1@{level:g}": Crossing(RNC1, level, rising=False) for level in RNC1_LEVELS},
}
"""Events that are the first evaluation at which a column has reached a level: tau1 and tau_rnc1 of
Sakamoto & Sato, t_mem and t_grok of Truong et al. A stop rule names one of them."""


@dataclass(frozen=True)
class Event:
    """A time to an event, in steps."""

    step: float
    """the evaluation that showed it; the last evaluation if it was not observed"""
    observed: bool
    """False: censored, it had not happened by `step`"""
    lower: float
    """it had not happened by then (equal to `upper` if the first evaluation showed it already)"""
    upper: float
    """it had happened by then; infinite if censored"""
    budget: float
    """the steps the run was given"""


def first_reached(steps: ArrayLike, reached: ArrayLike, budget: float) -> Event:
    """The first evaluation at which `reached` holds.

    A curve that begins beyond the threshold is observed at its first evaluation, with
    lower = upper: it happened then or before. A curve without evaluations is censored at 0.
    """
    steps, reached = np.asarray(steps), np.asarray(reached, dtype=bool)
    if not reached.any():
        last = float(steps[-1]) if len(steps) else 0.0
        return Event(last, False, last, math.inf, budget)
    at = int(reached.argmax())
    return Event(float(steps[at]), True, float(steps[max(at - 1, 0)]), float(steps[at]), budget)


def sustained(reached: ArrayLike, evaluations: int) -> NDArray[np.bool_]:
    """Where `reached` holds now and at the following evaluations, `evaluations` in a row in all.

    Positions count, so that the evaluations must be the known ones (`known`): of a curve that is
    known at every tenth evaluation, three in a row span twenty.
    """
    reached = np.asarray(reached, dtype=bool)
    if len(reached) < evaluations:
        return np.zeros(len(reached), dtype=bool)
    windows = np.lib.stride_tricks.sliding_window_view(reached, evaluations).all(1)
    return np.concatenate([windows, np.zeros(evaluations - 1, dtype=bool)])


def first_sustained(steps: ArrayLike, reached: ArrayLike, evaluations: int, budget: float) -> Event:
    """The first of `evaluations` evaluations in a row at which `reached` holds.

    `steps` are the evaluations that are known, as in `sustained`. A curve that ends in a shorter
    row is censored before that row began: it may be the event.
    """
    steps, reached = np.asarray(steps), np.asarray(reached, dtype=bool)
    found = first_reached(steps, sustained(reached, evaluations), budget)
    if found.observed or not len(steps) or not reached[-1]:
        return found
    before = np.flatnonzero(~reached)
    last = float(steps[before[-1]]) if len(before) else 0.0
    return Event(last, False, last, math.inf, budget)


def stays(reached: ArrayLike) -> NDArray[np.bool_]:
    """Where `reached` holds now and at every later evaluation."""
    return np.logical_and.accumulate(np.asarray(reached, dtype=bool)[::-1])[::-1]


def first_crossed(steps: ArrayLike, values: ArrayLike, crossing: Crossing, budget: float) -> Event:
    """The first evaluation at or beyond the crossing's level, though the run may return later."""
    steps, values = known(steps, values)
    return first_reached(steps, crossing.reached(values), budget)


def known(steps: ArrayLike, values: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The evaluations that are not NaN."""
    steps, values = np.asarray(steps, dtype=float), np.asarray(values, dtype=float)
    there = ~np.isnan(values)
    return steps[there], values[there]


def plateaus(values: ArrayLike) -> tuple[float, float]:
    """The first value and the final one, the mean of the last 5; NaN without any."""
    curve = np.asarray(values, dtype=float)
    curve = curve[~np.isnan(curve)]
    return (float(curve[0]), float(curve[-FINAL:].mean())) if len(curve) else (math.nan, math.nan)


def half_change(
    steps: ArrayLike, values: ArrayLike, least: float, budget: float, finished: bool
) -> Event:
    """The first evaluation at which a curve is half-way from its first value to its final one.

    `least` is the change from first to final that a curve must show to have a half: a rise if
    positive, a fall if negative. It is censored at the last evaluation if it changed less, and if
    the run is not finished: then the final value is not known.
    """
    steps, values = known(steps, values)
    first, final = plateaus(values)
    change = final - first
    changed = finished and change != 0 and (change >= least if least > 0 else change <= least)
    half = Crossing("", (first + final) / 2, rising=least > 0)
    return first_reached(steps, changed & half.reached(values), budget)


def fallen(values: ArrayLike, fall: float = FALL, window: int = WINDOW) -> NDArray[np.bool_]:
    """Where a curve lies by more than `fall` below its value `window` evaluations before.

    Positions count: of a curve with gaps give the known evaluations (`known`), and the window is of
    those, however far apart. Where one of the two values is NaN it is no fall.
    """
    values = np.asarray(values, dtype=float)
    before = np.full(len(values), math.nan)
    before[window:] = values[:-window]
    return before - values > fall


def last_fall(steps: ArrayLike, values: ArrayLike, grok: Event, budget: float) -> Event:
    """The start of the last fall (a row of known evaluations at which the curve has `fallen`) that
    begins no later than `grok`.

    Not observed if no fall had begun when the run grokked: it is then censored by the last known
    evaluation until then. Nor if the run did not grok: a later fall may yet be the last one, and
    the last so far is the lower bound.
    """
    steps, values = known(steps, values)
    falling = fallen(values)
    until = steps <= grok.step
    begins = falling & ~np.concatenate([[False], falling[:-1]]) & until
    if not begins.any():
        last = float(steps[until].max(initial=0))
        return Event(last, False, last, math.inf, budget)
    at = int(np.flatnonzero(begins)[-1])
    if not grok.observed:
        return Event(float(steps[at]), False, float(steps[at]), math.inf, budget)
    return Event(float(steps[at]), True, float(steps[at - 1]), float(steps[at]), budget)


def learned_levels(at_event: ArrayLike) -> NDArray[np.float64]:
    """For each run, the mean of the other runs' values at an event, of shape (runs,): H̃* of Truong
    et al. without the run that it is used for. NaN stands for a run without the event in
    `at_event`, and in the result for a run whose others have none."""
    at_event = np.asarray(at_event, dtype=float)
    there = ~np.isnan(at_event)
    values = np.where(there, at_event, 0.0)
    others = there.sum() - there
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(others > 0, (values.sum() - values) / others, math.nan)


def ratio(late: Event, early: Event) -> Event | None:
    """`late` over `early`, as an event on the scale of ratios; None if `early` was not observed or
    was at step 0: then nothing bounds the ratio from below and above."""
    if not early.observed or early.step == 0:
        return None
    # what the first evaluation showed may have happened at any time before it
    at_first = late.observed and late.lower == late.upper
    bounded = 0 < early.lower < early.upper
    return Event(
        step=late.step / early.step,
        observed=late.observed,
        lower=0.0 if at_first else late.lower / early.upper,
        upper=late.upper / early.lower if bounded else math.inf,
        budget=late.budget / early.step,
    )


def run_events(
    curves: Mapping[str, ArrayLike],
    chance: float,
    budget: float,
    finished: bool,
    level: float = math.nan,
) -> dict[str, Event]:
    """All times of a run.

    `curves` has the columns step, train_accuracy, test_accuracy and, if measured, collapse/rnc1 and
    spectral/entropy_train; `chance` is 1/classes; `level` is the entropy at which other runs
    grokked (`learned_levels`). First and final are the first value and the mean of the last 5.

    tau1: training accuracy 1 · tau2_rise: first of 3 evaluations in a row with test accuracy ≥
    chance + 0.1 · tau2_half: test accuracy ≥ (first + final)/2 · tau2_arrive: test accuracy ≥
    final − 0.02 from then on · tau_rnc1@L: RNC1 ≤ L · tau_rnc1_half: RNC1 ≤ (first + final)/2 ·
    each tau2 over tau1 · t_mem and t_grok: training and test accuracy ≥ 0.99 · t_grok_sustained:
    first of 5 evaluations in a row with test accuracy ≥ 0.99 · t_collapse: entropy more than 0.05
    below what it was 5 known evaluations before · t_collapse_last: the start of the last such fall
    before t_grok · t_cross: entropy ≤ `level`, if that is known · t_entropy_half: entropy ≤
    (first + final)/2.
    What needs a final value (half, arrive) is censored in a run that is not finished, and in one
    that changed less than: test accuracy 0.2, RNC1 a fifth of its first value, entropy 0.05.
    """
    steps = np.asarray(curves["step"], dtype=float)
    test = np.asarray(curves["test_accuracy"], dtype=float)
    known_steps, known_test = known(steps, test)
    first, final = plateaus(test)
    arrived = (finished and final - first >= GENERALISED) & stays(known_test >= final - NEARLY)
    tau2 = {
        "tau2_rise": first_sustained(known_steps, known_test >= chance + RISE, SUSTAINED, budget),
        "tau2_half": half_change(steps, test, GENERALISED, budget, finished),
        "tau2_arrive": first_reached(known_steps, arrived, budget),
    }
    crossings = {
        name: first_crossed(steps, curves[crossing.column], crossing, budget)
        for name, crossing in CROSSINGS.items()
        if crossing.column in curves
    }
    grokked = CROSSINGS["t_grok"].reached(known_test)
    found = {
        "tau1": crossings["tau1"],
        **tau2,
        **crossings,
        "t_grok_sustained": first_sustained(known_steps, grokked, GROK_SUSTAINED, budget),
    }
    if RNC1 in curves:
        least = -RNC1_FALL * plateaus(curves[RNC1])[0]
        found["tau_rnc1_half"] = half_change(steps, curves[RNC1], least, budget, finished)
    if ENTROPY in curves:
        entropy = curves[ENTROPY]
        known_entropy_steps, known_entropy = known(steps, entropy)
        found["t_collapse"] = first_reached(known_entropy_steps, fallen(known_entropy), budget)
        found["t_collapse_last"] = last_fall(steps, entropy, crossings["t_grok"], budget)
        if not math.isnan(level):
            below = Crossing(ENTROPY, level, rising=False)
            found["t_cross"] = first_crossed(steps, entropy, below, budget)
        found["t_entropy_half"] = half_change(steps, entropy, -FALL, budget, finished)
    for name, event in tau2.items():
        if over := ratio(event, crossings["tau1"]):
            found[f"{name}/tau1"] = over
    return found
