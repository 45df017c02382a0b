"""Gap laws of the steps until an event: how well predictors explain them, in and out of sample.

The laws of `grokpipe.curves.gap` are fitted to the pooled evaluations of all runs of an arm. Since
evaluations of one run are not independent, intervals resample runs (seeds) or leave one out at a
time, never evaluations, and law and threshold are refitted each time.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.forecasting import out_of_sample
from analysis.forecasting.law_intervals import DEFAULT, clipped, of_fit
from analysis.forecasting.predictors import (
    COMBINATIONS,
    ENTROPY_GAP,
    ORACLES,
    PREDICTORS,
    Arm,
    Predictor,
    arms,
)
from analysis.output import formats
from analysis.runs.tables import Tables
from analysis.stats.intervals import Interval, none
from grokpipe.curves import gap
from grokpipe.curves.gap import Kind, Laws, Runs
from grokpipe.errors import InputError

Floats = NDArray[np.float64]

PARAMETERS = {"power": ("C1", "gamma", "C2"), "logarithmic": ("k", "x_limit"), "quadratic": ()}
ALL_PARAMETERS = [name for names in PARAMETERS.values() for name in names]
POSSIBLE = {"r_squared": (0.0, 1.0), "gamma": (0.0, math.inf)}
"""ranges of the numbers for which law_intervals.DEFAULT_FEW is used, to which the jackknife's
symmetric intervals are cut; the other numbers are too skewed for it (C1 spans decades)"""
ENDLESS = (-math.inf, math.inf)
LINE = 0.01  # largest gap over |x* − x∞| at which a logarithm is a line to half a per cent


@dataclass(frozen=True)
class Fit:
    """One law in one arm."""

    predictor: str
    law: str
    """power, logarithmic, or quadratic: least squares on values and their squares"""
    runs: int
    points: int
    undefined: int
    """number of evaluations left out because the predictor is undefined"""
    r_squared: Interval
    """in sample: every run is part of the fit that predicts it"""
    r_squared_out: Interval
    """out of sample: 1 − Σ(ΔT − law of the other runs)² / Σ(ΔT − mean of the other runs)²; below 0
    the law is worse than that mean. The interval resamples the runs' sums without refitting"""
    parameters: dict[str, Interval]
    """C1, gamma and C2 of ΔT = C1 gap^gamma + C2, or k and x_limit (x∞) of the logarithm, which are
    0 and infinite where the law is a line. A gamma at an end of `gap.GAMMA` is where the search
    ended"""
    curvature: str
    """of ΔT against the predictor: convex, concave or line; undecided if γ's interval contains 1 or
    C1's contains 0; empty for a quadratic"""


Task = tuple[Arm, str, str, Callable[[np.random.Generator], Fit]]
"""a pending fit: its arm, predictor and law, and the function that computes it"""


def fit_law(arm: Arm, predictor: Predictor, kind: Kind, generator: np.random.Generator) -> Fit:
    """Fit the power or logarithmic law of one predictor.

    Raises InputError if the predictor was not measured, or is never defined before the event or at
    the event.
    """
    runs = arm.pool(predictor, generator)
    absolute = predictor.form == "absolute"
    parameters = law_intervals(runs, kind, generator, absolute=absolute)
    r_squared = parameters.pop("r_squared")
    predicted = held_out(runs, kind, absolute)
    out = out_of_sample.r_squared(predicted, runs.remaining, runs.run, generator)
    curvature = (_bend if kind == "power" else _bend_of_logarithm)(parameters)
    return Fit(
        predictor.name, kind, len(runs), len(runs.x), runs.undefined,
        r_squared, out, parameters, curvature,
    )  # fmt: skip


def law_intervals(
    runs: Runs,
    kind: Kind,
    generator: np.random.Generator,
    method: str | None = None,
    absolute: bool = False,
) -> dict[str, Interval]:
    """Intervals of a law's R² ("r_squared") and parameters, over resampled runs.

    `method` None is `law_intervals.DEFAULT` or, for the numbers in `POSSIBLE` and fewer than `FEW`
    runs, `law_intervals.DEFAULT_FEW`. Raises ValueError for an unknown method.
    """

    def fitted(counts: Floats) -> Floats:
        laws = gap.fit_samples(runs, counts, kind, absolute)
        if kind == "power":
            return np.stack([laws.r_squared, laws.coefficient, laws.shape, laws.constant], -1)
        return np.stack([laws.r_squared, *_rate_and_limit(runs, laws)], -1)

    names = ("r_squared", *PARAMETERS[kind])
    methods = [method or (None if name in POSSIBLE else DEFAULT) for name in names]
    intervals = dict(zip(names, of_fit(fitted, len(runs), generator, methods), strict=True))
    return {name: clipped(i, *POSSIBLE.get(name, ENDLESS)) for name, i in intervals.items()}


def held_out(runs: Runs, kind: Kind, absolute: bool = False) -> Floats:
    """Predict each evaluation by the law of the other runs; shape of `runs.x`."""
    laws = gap.fit_samples(runs, 1 - np.eye(len(runs)), kind, absolute)
    predicted = np.empty(len(runs.x))
    for run in range(len(runs)):
        predicted[runs.run == run] = laws.law(run).remaining(runs.x[runs.run == run])
    return predicted


def fit_combination(
    arm: Arm,
    name: str,
    predictors: Sequence[Predictor],
    generator: np.random.Generator,
) -> Fit:
    """Fit ΔT by least squares to several predictors and their squares.

    Uses the evaluations at which all predictors are defined. Raises InputError if there are none.
    """
    values, remaining, run, undefined = [], [], [], 0
    for index, curve in enumerate(arm.curves):
        before = curve.iloc[:-1]
        columns = np.stack([p.values(curve, generator)[:-1] for p in predictors], -1)
        defined = np.isfinite(columns).all(-1)
        values.append(columns[defined])
        remaining.append((curve["step"].iloc[-1] - before["step"].to_numpy(float))[defined])
        run.append(np.full(defined.sum(), index))
        undefined += int((~defined).sum())
    x, y, of = np.concatenate(values), np.concatenate(remaining), np.concatenate(run)
    if not len(x):
        raise InputError("not defined at any evaluation before the event")
    x = (x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1)
    design = np.concatenate([np.ones((len(x), 1)), x, x**2], -1)
    target = y - y.mean()  # centred, so that the sums keep their digits
    runs = len(arm)
    grams = np.stack([design[of == r].T @ design[of == r] for r in range(runs)])
    products = np.stack([design[of == r].T @ target[of == r] for r in range(runs)])
    squares = np.bincount(of, target**2, runs)

    def solved(counts: Floats) -> Floats:
        inverse = np.linalg.pinv(np.einsum("sr,rij->sij", counts, grams), hermitian=True)
        return np.einsum("sij,sj->si", inverse, counts @ products)

    def fitted(counts: Floats) -> Floats:
        explained = (solved(counts) * (counts @ products)).sum(-1)
        # the first product is the sum of the targets, the first Gram entry the number of points
        mean = (counts @ products[:, 0]) ** 2 / np.maximum(counts @ grams[:, 0, 0], 1)
        total = counts @ squares - mean
        with np.errstate(invalid="ignore", divide="ignore"):
            r_squared = np.where(total > 1e-12 * squares.sum(), (explained - mean) / total, np.nan)
        return r_squared[:, None]

    (r_squared,) = of_fit(fitted, runs, generator, [None])
    r_squared = clipped(r_squared, *POSSIBLE["r_squared"])
    predicted = (design * solved(1 - np.eye(runs))[of]).sum(-1)
    out = out_of_sample.r_squared(predicted + y.mean(), y, of, generator)
    return Fit(name, "quadratic", runs, len(x), undefined, r_squared, out, {}, "")


def laws(
    tables: Tables,
    events: pd.DataFrame,
    event: str,
    generator: np.random.Generator,
    track: Callable[[Sequence[Task]], Iterable[Task]] = iter,
) -> tuple[pd.DataFrame, list[str]]:
    """Fit all laws in all arms.

    Args:
        tables: the runs.
        events: the events table.
        event: name of the event.
        generator: of the intervals.
        track: wraps the list of fits, each of which takes seconds, to show progress, or cuts its
            end off: they draw from the generator one after another.

    Returns:
        a row per arm and law: the columns that distinguish the arms, then the fields of `Fit`, with
        intervals as name, name_lower, name_upper and name_method; and a note on everything left out
        (runs without the event, predictors that were not measured).

    Raises:
        InputError: no run had the event, no law could be fitted, or as `predictors.arms` does.
    """
    every = list(arms(tables, events, event))
    notes = [note for arm in every for note in arm.notes(event)]
    rows = []
    tasks = [task for arm in every if len(arm) for task in _fits(arm)]
    for arm, name, _, fit in track(tasks):
        try:
            found = fit(generator)
            rows.append({**arm.values, **_row(found)})
            if found.r_squared_out.method == none(math.nan, out_of_sample.UNVARIED).method:
                notes.append(f"note: {arm.label}: no R² out of sample: {out_of_sample.UNVARIED}")
        except InputError as error:
            notes.append(f"note: {arm.label}: {name} left out: {error}")
    if not tasks:
        raise InputError(f"event={event}: no run had it, so no time to it is known")
    if not rows:
        raise InputError(f"event={event}: no law could be fitted: {'; '.join(notes)}")
    return pd.DataFrame(rows), notes


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Format the table of `laws` for people."""
    by = list(table.columns[: table.columns.get_loc("predictor")])
    shown = table[[*by, "predictor", "law"]].copy()
    shown["predictor"] = [f"{n} (oracle)" if n in ORACLES else n for n in shown["predictor"]]
    titles = {"r_squared": "R²", "r_squared_out": "R² out of sample", "gamma": "γ"}
    for name, title in titles.items():
        columns = (table[name], table[f"{name}_lower"], table[f"{name}_upper"])
        shown[f"{title} [95 %]"] = [
            f"{formats.number(value, 2)} {formats.interval(lower, upper, 2)}".rstrip()
            for value, lower, upper in zip(*columns, strict=True)
        ]
    low, high = gap.GAMMA
    at = {"≤ ": table["gamma"] < 1.001 * low, "≥ ": table["gamma"] > 0.999 * high}
    for sign, rows in at.items():
        shown["γ [95 %]"] = shown["γ [95 %]"].mask(rows, sign + shown["γ [95 %]"])
    return shown.join(table[["curvature", "runs", "points", "undefined"]])


def _fits(arm: Arm) -> Iterator[Task]:
    for predictor in PREDICTORS:
        for kind in ("power", "logarithmic") if predictor is ENTROPY_GAP else ("power",):
            yield arm, predictor.name, kind, partial(fit_law, arm, predictor, kind)
    for name, predictors in COMBINATIONS.items():
        yield arm, name, "quadratic", partial(fit_combination, arm, name, predictors)


def _row(fit: Fit) -> dict[str, object]:
    row: dict[str, object] = {
        name: getattr(fit, name)
        for name in ("predictor", "law", "runs", "points", "undefined", "curvature")
    }
    missing = none(math.nan, "not in this law")
    intervals = {"r_squared": fit.r_squared, "r_squared_out": fit.r_squared_out}
    intervals |= {name: fit.parameters.get(name, missing) for name in ALL_PARAMETERS}
    for name, interval in intervals.items():
        row |= interval.columns(name)
    return row


def _bend(parameters: dict[str, Interval]) -> str:
    c1, gamma = parameters["C1"], parameters["gamma"]
    decided = c1.lower * c1.upper > 0 and (gamma.lower - 1) * (gamma.upper - 1) > 0
    if not decided:  # as where there is no interval
        return "undecided"
    return "convex" if c1.estimate * (gamma.estimate - 1) > 0 else "concave"


def _bend_of_logarithm(parameters: dict[str, Interval]) -> str:
    return "concave" if math.isfinite(parameters["x_limit"].estimate) else "line"


def _rate_and_limit(runs: Runs, laws: Laws) -> tuple[Floats, Floats]:
    """k and x∞ of logarithmic laws; 0 and infinite for a line, which does not determine them."""
    farthest = np.where(laws.direction > 0, runs.x.max(), runs.x.min())
    line = (laws.coefficient == 0) | (
        laws.direction * (farthest - laws.threshold) < LINE * laws.shape
    )
    with np.errstate(divide="ignore"):
        rate = np.where(line, 0.0, 1 / laws.coefficient)
    distance = np.where(line, math.inf, laws.shape)
    return rate, laws.threshold - laws.direction * distance
