"""Times read from curves: when a run fits, generalises or collapses, or that it did not.

A curve is two arrays: ascending `steps`, and the values at those evaluations. A time to event is
never a bare number: the event lies in (lower, upper] between two evaluations, or it had not
happened by the last one. An evaluation whose value is NaN counts for nothing: it never shows an
event, bounds none, and is not counted among evaluations in a row.

These are the functions on arrays. `kinds` turns them into kinds of events, and `definitions` holds
the events that have a name.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FINAL = 5  # evaluations whose mean is the final value, and whose median is a plateau before it
GENERALISED = 0.2  # least gain in test accuracy of a run that has generalised at all
RNC1 = "collapse/rnc1"
LEAST_SHARE = 0.2  # least change that has a half, relative to the curve's largest plateau
GROK_SUSTAINED = 5  # evaluations in a row that make t_grok_sustained
HALF_SUSTAINED = 5  # evaluations in a row beyond the half of a change after memorisation
ENTROPY = "spectral/entropy_train"
WINDOW = 5  # evaluations over which the entropy must fall
FALL = 0.05  # fall of the entropy over them that makes t_collapse


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
    at = int(reached.argmax()) if len(reached) else 0
    if not len(reached) or not reached[at]:
        last = float(steps[-1]) if len(steps) else 0.0
        return Event(last, False, last, math.inf, budget)
    return Event(float(steps[at]), True, float(steps[max(at - 1, 0)]), float(steps[at]), budget)


def sustained(reached: ArrayLike, evaluations: int) -> NDArray[np.bool_]:
    """Where `reached` holds now and at the following evaluations, `evaluations` in a row in all.

    Positions count, so the evaluations must be the known ones (`known`): of a curve that is known
    at every tenth evaluation, three in a row span twenty.
    """
    reached = np.asarray(reached, dtype=bool)
    if len(reached) < evaluations:
        return np.zeros(len(reached), dtype=bool)
    counts = np.concatenate([[0], np.cumsum(reached)])
    full = counts[evaluations:] - counts[:-evaluations] == evaluations
    return np.concatenate([full, np.zeros(evaluations - 1, dtype=bool)])


def first_sustained(steps: ArrayLike, reached: ArrayLike, evaluations: int, budget: float) -> Event:
    """The first of `evaluations` evaluations in a row at which `reached` holds.

    `steps` are the known evaluations, as in `sustained`. A curve that ends in a shorter row is
    censored before that row began: the row may turn out to be the event.
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


def known(steps: ArrayLike, values: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The evaluations whose value is not NaN."""
    steps, values = np.asarray(steps, dtype=float), np.asarray(values, dtype=float)
    unknown = np.isnan(values)
    return (steps[~unknown], values[~unknown]) if unknown.any() else (steps, values)


def plateaus(values: ArrayLike) -> tuple[float, float]:
    """The first value and the final one, the mean of the last 5; NaN without any."""
    curve = np.asarray(values, dtype=float)
    curve = curve[~np.isnan(curve)]
    return (float(curve[0]), float(curve[-FINAL:].mean())) if len(curve) else (math.nan, math.nan)


def half_change(
    steps: ArrayLike,
    values: ArrayLike,
    least: float,
    budget: float,
    finished: bool,
    rising: bool | None = None,
    relative: bool = False,
    start: float | None = None,
    evaluations: int = 1,
) -> Event:
    """The first evaluation at which a curve is half-way from a level to its final value, there and
    at the following ones, `evaluations` in a row in all, or as many as are left of the run.

    The level is the first value. With `start`, the step from which on the change counts (∞: it
    never came), it is that of the plateau there, the median of the first 5 values. Where those are
    no plateau, because the curve turned while they were taken, it is the value at `start`; where it
    had turned before, the event lies between the first evaluation and `start`.

    `least`, which is positive, is the change from level to final value that a curve must show to
    have a half, or with `relative` its share of the largest of first value, level and final value;
    `rising` says in which direction, None in either. The event is censored at the last evaluation
    if the curve changed less, and if the run is not finished: its final value is then unknown.
    Values that are not finite count as unknown.
    """
    values = np.asarray(values, dtype=float)
    steps, values = known(steps, np.where(np.isfinite(values), values, math.nan))
    begin = 0 if start is None else int(np.searchsorted(steps, start))
    never = first_reached(steps, np.zeros(len(steps), dtype=bool), budget)
    if not finished or begin == len(steps):
        return never
    (first, final), after = plateaus(values), values[begin:]
    levels = [first] if start is None else [float(np.median(after[:FINAL])), float(after[0]), first]
    if relative:
        least *= max(map(abs, [*levels, final]))
    changed = [_changed(level, final, least, rising) for level in levels]
    if not any(changed):
        return never
    at = changed.index(True)
    if start is not None and at == len(levels) - 1:
        return Event(float(steps[begin]), True, float(steps[0]), float(steps[begin]), budget)
    half = (levels[at] + final) / 2
    beyond = after >= half if final > levels[at] else after <= half
    to_the_end = np.concatenate([beyond, np.ones(evaluations - 1, dtype=bool)])
    return first_reached(steps[begin:], sustained(to_the_end, evaluations)[: len(beyond)], budget)


def _changed(level: float, final: float, least: float, rising: bool | None) -> bool:
    """Whether the change from `level` to `final` is at least `least`, in the wanted direction."""
    if level == final or (rising is not None and rising != (final > level)):
        return False
    return abs(final - level) >= least


def fallen(values: ArrayLike, fall: float = FALL, window: int = WINDOW) -> NDArray[np.bool_]:
    """Where a curve lies more than `fall` below its value `window` evaluations before.

    Positions count: of a curve with gaps pass the known evaluations (`known`); the window then
    spans those, however far apart. Where one of the two values is NaN there is no fall.
    """
    values = np.asarray(values, dtype=float)
    before = np.full(len(values), math.nan)
    before[window:] = values[:-window]
    return before - values > fall


def last_fall(
    steps: ArrayLike,
    values: ArrayLike,
    until: Event,
    budget: float,
    fall: float = FALL,
    window: int = WINDOW,
) -> Event:
    """The start of the last fall (a row of known evaluations at which the curve has `fallen`) that
    begins no later than the event `until`, such as grokking.

    Not observed if no fall had begun by then: censored at the last known evaluation up to `until`.
    Nor if `until` was not observed: a later fall may yet be the last one, and the last so far is
    the lower bound.
    """
    steps, values = known(steps, values)
    falling = fallen(values, fall, window)
    in_time = steps <= until.step
    begins = falling & ~np.concatenate([[False], falling[:-1]]) & in_time
    if not begins.any():
        last = float(steps[in_time].max(initial=0))
        return Event(last, False, last, math.inf, budget)
    at = int(np.flatnonzero(begins)[-1])
    if not until.observed:
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
