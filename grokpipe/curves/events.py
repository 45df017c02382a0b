"""Times read from curves: when a run fits, generalises, collapses; or that it did not.

A curve is two arrays, `steps` ascending and values at those evaluations. An event is never a bare
number: it is known to lie in (lower, upper] between two evaluations, or not to have happened by
the last one. NaN never counts as reached.
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
RNC1_LEVELS = (0.2, 0.1, 0.05, 0.01)
GROK_SUSTAINED = 5  # evaluations in a row that make t_grok_sustained


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
    **{
        f"tau_rnc1@{level:g}": Crossing("collapse/rnc1", level, rising=False)
        for level in RNC1_LEVELS
    },
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
    """Where `reached` holds now and at the following evaluations, `evaluations` in a row in all."""
    reached = np.asarray(reached, dtype=bool)
    if len(reached) < evaluations:
        return np.zeros(len(reached), dtype=bool)
    windows = np.lib.stride_tricks.sliding_window_view(reached, evaluations).all(1)
    return np.concatenate([windows, np.zeros(evaluations - 1, dtype=bool)])


def first_sustained(steps: ArrayLike, reached: ArrayLike, evaluations: int, budget: float) -> Event:
    """The first of `evaluations` evaluations in a row at which `reached` holds.

    A curve that ends in a shorter row is censored before that row began: it may be the event.
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


def ratio(late: Event, early: Event) -> Event | None:
    """`late` over `early`, as an event on the scale of ratios; None if `early` was not observed or
    was at step 0: then nothing bounds the ratio from below and above."""
    if not early.observed or early.step == 0:
        return None
    return Event(
        step=late.step / early.step,
        observed=late.observed,
        lower=late.lower / early.upper,
        upper=late.upper / early.lower if early.lower else math.inf,
        budget=late.budget / early.step,
    )


def run_events(
    curves: Mapping[str, ArrayLike], chance: float, budget: float, finished: bool
) -> dict[str, Event]:
    """All times of a run.

    `curves` has the columns step, train_accuracy, test_accuracy and, if measured, collapse/rnc1;
    `chance` is 1/classes. First and final are the first value and the mean of the last 5.

    tau1: training accuracy 1 · tau2_rise: first of 3 evaluations in a row with test accuracy ≥
    chance + 0.1 · tau2_half: test accuracy ≥ (first + final)/2 · tau2_arrive: test accuracy ≥
    final − 0.02 from then on · tau_rnc1@L: RNC1 ≤ L · each tau2 over tau1 · t_mem and t_grok:
    training and test accuracy ≥ 0.99 · t_grok_sustained: first of 5 evaluations in a row with test
    accuracy ≥ 0.99.
    tau2_half and tau2_arrive need a final value: they are censored in a run that is not finished,
    and in one with final − first < 0.2, which has not generalised.
    """
    steps = np.asarray(curves["step"])
    test = np.asarray(curves["test_accuracy"])
    first = test[0] if len(test) else math.nan
    final = test[-FINAL:].mean() if len(test) else math.nan
    generalised = finished and final - first >= GENERALISED
    half = generalised & (test >= (first + final) / 2)
    arrived = generalised & stays(test >= final - NEARLY)
    tau2 = {
        "tau2_rise": first_sustained(steps, test >= chance + RISE, SUSTAINED, budget),
        "tau2_half": first_reached(steps, half, budget),
        "tau2_arrive": first_reached(steps, arrived, budget),
    }
    crossings = {
        name: first_reached(steps, crossing.reached(curves[crossing.column]), budget)
        for name, crossing in CROSSINGS.items()
        if crossing.column in curves
    }
    grokked = CROSSINGS["t_grok"].reached(test)
    found = {
        "tau1": crossings["tau1"],
        **tau2,
        **crossings,
        "t_grok_sustained": first_sustained(steps, grokked, GROK_SUSTAINED, budget),
    }
    for name, event in tau2.items():
        if over := ratio(event, crossings["tau1"]):
            found[f"{name}/tau1"] = over
    return found
