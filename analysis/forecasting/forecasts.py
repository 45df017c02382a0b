"""Forecasts of an event at every evaluation before it, compared with trivial forecasts.

Each run is forecast by the law of the other runs of its arm. The trivial forecasts are "now", the
mean of the others' events, and the mean of those of them that are still to come. Errors are
|T̂ − T|/T. Near the event "now" is nearly right, so that the error of any forecast there must be
compared with that of "now".
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.forecasting.predictors import ENTROPY, Arm, Predictor, arms
from analysis.output.formats import interval, number
from analysis.runs.tables import Tables
from grokpipe.curves.events import stays
from grokpipe.curves.forecast import fit_forecaster
from grokpipe.curves.gap import pool
from grokpipe.errors import InputError

FEWEST = 3
"""least number of runs with the event: a law's errors need two runs besides the forecast one"""
LEVELS = (0.5, 0.8, 0.95)
"""levels of the predictive intervals, columns lower@0.95 and upper@0.95"""
WAITING = "mean of those still waiting"
FORECASTS = ("law", "now", "mean of the others", WAITING)
SHARES = (0.25, 0.5, 0.75, 0.9)
"""shares of the time to the event at which errors are read"""
TOLERANCE = 0.2
"""relative error that defines the lead time"""
LEAD = "lead time"


def leave_one_out(
    tables: Tables, events: pd.DataFrame, event: str, predictor: str = ENTROPY
) -> tuple[pd.DataFrame, list[str]]:
    """Forecast the event in each run from the other runs of its arm.

    The law is the power law in the gap; law, threshold and intervals of a run come only from the
    other runs of its arm. "mean of the others" is the mean of their events, even if that is past;
    WAITING is the mean of those of their events that are not past, else "now": what the clock alone
    knows.

    Args:
        tables: the runs.
        events: the events table.
        event: name of the event.
        predictor: a column of the curves.

    Returns:
        a row per run with the event and evaluation before the event: the columns that distinguish
        the arms, key, seed, predictor, step, truth (the event's step), x and x_at_event (values of
        the predictor), the FORECASTS in steps, and the law's predictive intervals at LEVELS; and a
        note on everything left out (runs without the event, arms with too few, evaluations
        without x).

    Raises:
        InputError: no arm has enough runs, or as `predictors.arms` does.
    """
    rows, notes = [], []
    for arm in arms(tables, events, event):
        notes += arm.notes(event)
        if not len(arm):
            continue
        if len(arm) < FEWEST:
            notes.append(f"note: {arm.label}: {len(arm)} runs had {event}: no forecast; needs ≥ 3")
            continue
        if all(len(curve) == 1 for curve in arm.curves):
            notes.append(
                f"note: {arm.label}: {event} at the first evaluation of all {len(arm)} runs: "
                "nothing comes before it to forecast from"
            )
            continue
        try:
            of_arm = _leave_one_out(arm, Predictor(predictor, predictor))
        except InputError as error:
            notes.append(f"note: {arm.label}: no forecast: {error}")
            continue
        if undefined := sum(map(len, arm.curves)) - len(arm) - sum(map(len, of_arm)):
            notes.append(f"note: {arm.label}: {undefined} evaluations without {predictor} left out")
        if empty := sum(frame.empty for frame in of_arm):
            notes.append(
                f"note: {arm.label}: {empty} of {len(arm)} runs with {event} have no evaluation "
                f"with {predictor} before it: they are not forecast and not drawn"
            )
        rows += of_arm
    if not rows:
        why = "; ".join(note.removeprefix("note: ") for note in notes)
        raise InputError(f"{event}: nothing to forecast from: {why}")
    return pd.concat(rows, ignore_index=True), notes


def _leave_one_out(arm: Arm, predictor: Predictor) -> list[pd.DataFrame]:
    unused = np.random.default_rng(0)  # only noise draws
    x = [predictor.values(curve, unused) for curve in arm.curves]
    steps = [curve["step"].to_numpy(float) for curve in arm.curves]
    frames = []
    for run, (key, seed) in enumerate(zip(arm.runs["key"], arm.runs["seed"], strict=True)):
        others = [other for other in range(len(arm)) if other != run]
        forecaster = fit_forecaster(
            pool([x[o] for o in others], [steps[o][-1] - steps[o] for o in others])
        )
        seen = np.isfinite(x[run][:-1])
        step, value = steps[run][:-1][seen], x[run][:-1][seen]
        forecasts = {level: forecaster.forecast(step, value, level) for level in LEVELS}
        columns = {
            "predictor": predictor.name, "step": step, "truth": steps[run][-1],
            "x": value, "x_at_event": x[run][-1],
            "law": forecasts[LEVELS[-1]].step,
            "now": step,
            "mean of the others": np.mean([steps[other][-1] for other in others]),
            WAITING: still_waiting(step, np.array([steps[other][-1] for other in others])),
        }  # fmt: skip
        for level, forecast in forecasts.items():
            columns |= {f"lower@{level:g}": forecast.lower, f"upper@{level:g}": forecast.upper}
        frames.append(pd.DataFrame({**arm.values, "key": key, "seed": seed, **columns}))
    return frames


def still_waiting(step: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of those of other runs' events, (runs,), that are later than each step, (n,); the
    step itself where none is: the mean residual life."""
    later = times > step[:, None]
    count = later.sum(1)
    sums = np.where(later, times, 0.0).sum(1)
    return np.where(count > 0, sums / np.maximum(count, 1), step)


def per_run(long: pd.DataFrame, tolerance: float = TOLERANCE) -> pd.DataFrame:
    """Compute the quality of each forecast in each run.

    The quantities are the relative error at the last evaluation up to 25, 50, 75 and 90 % of the
    time to the event (NaN if there is none), at the last evaluation before the event, and its mean
    over all evaluations; and the lead time in steps: T less the first evaluation from which the
    error stays within the tolerance, 0 if it exceeds the tolerance at the last evaluation. The lead
    time is known only in hindsight.

    Returns a row per run, forecast and quantity: the columns of the arm, key, seed, forecast,
    quantity, value.
    """
    by = _arm_columns(long)
    rows = []
    for group, of_run in long.groupby([*by, "key", "seed"], sort=False, dropna=False):
        of_run = of_run.sort_values("step")
        run = dict(zip([*by, "key", "seed"], group, strict=True))
        step, truth = of_run["step"].to_numpy(), float(of_run["truth"].iloc[0])
        for forecast in FORECASTS:
            error = np.abs(of_run[forecast].to_numpy() - truth) / truth
            for quantity, value in _quantities(step, truth, error, tolerance).items():
                rows.append({**run, "forecast": forecast, "quantity": quantity, "value": value})
    return pd.DataFrame(rows)


def _quantities(
    step: NDArray[np.float64], truth: float, error: NDArray[np.float64], tolerance: float
) -> dict[str, float]:
    quantities = {}
    for share in SHARES:
        until = step <= share * truth
        quantities[f"error at {share:.0%}"] = float(error[until][-1]) if until.any() else np.nan
    within = stays(error <= tolerance)
    return {
        **quantities,
        "error at the last evaluation": float(error[-1]),
        "mean error": float(error.mean()),
        LEAD: truth - float(step[within.argmax()]) if within.any() else 0.0,
    }


def errors(long: pd.DataFrame, tolerance: float = TOLERANCE) -> pd.DataFrame:
    """Summarise the quantities of `per_run` over the runs of each arm.

    Columns: those of the arm, quantity, forecast, runs, median, least, greatest, mean, and none
    (the number of runs whose lead time is 0).
    """
    values = per_run(long, tolerance)
    rows = []
    by = [*_arm_columns(long), "quantity", "forecast"]
    for group, of_group in values.groupby(by, sort=False, dropna=False):
        value = of_group["value"].dropna()
        rows.append(
            {
                **dict(zip(by, group, strict=True)), "runs": len(value),
                "median": value.median(), "least": value.min(), "greatest": value.max(),
                "mean": value.mean(),
                "none": int((value == 0).sum()) if group[-2] == LEAD else 0,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def coverage(long: pd.DataFrame) -> pd.DataFrame:
    """Compute how often the predictive intervals contain the truth, every run weighted equally.

    Columns: those of the arm, level (nominal), runs, share (of a run's evaluations, mean over
    runs), least and greatest share over runs, and width (mean length of the interval in steps).
    """
    by = _arm_columns(long)
    levels = []
    for level in LEVELS:
        lower, upper = long[f"lower@{level:g}"], long[f"upper@{level:g}"]
        covered = (lower <= long["truth"]) & (long["truth"] <= upper)
        levels.append(long[[*by, "key"]].assign(level=level, share=covered, width=upper - lower))
    every = pd.concat(levels).sort_index(kind="stable")
    of_runs = every.groupby([*by, "level", "key"], sort=False, dropna=False).mean()
    of_arms = of_runs.groupby([*by, "level"], sort=False, dropna=False)
    table = of_arms.agg(
        runs=("share", "size"), share=("share", "mean"), least=("share", "min"),
        greatest=("share", "max"), width=("width", "mean"),
    )  # fmt: skip
    return table.reset_index()


def readable_errors(table: pd.DataFrame) -> pd.DataFrame:
    """Format `errors` for people: a row per arm and quantity, the forecasts side by side."""
    by = list(table.columns[: table.columns.get_loc("quantity")])
    rows: dict[tuple[object, ...], dict[str, object]] = {}
    for row in table.to_dict("records"):
        at = tuple(row[column] for column in [*by, "quantity", "runs"])
        scale, decimals = (1, 0) if row["quantity"] == LEAD else (100, 1)
        unit = "" if scale == 1 else " %"
        middle = f"{number(scale * row['median'], decimals)}{unit}"
        span = interval(scale * row["least"], scale * row["greatest"], decimals)
        text = f"{middle} {span}" + (f", none in {row['none']}" if row["none"] else "")
        rows.setdefault(at, dict(zip([*by, "quantity", "runs"], at, strict=True)))
        rows[at][f"{row['forecast']}: median [range]"] = text
    return pd.DataFrame(rows.values())


def readable_coverage(table: pd.DataFrame) -> pd.DataFrame:
    """Format `coverage` for people."""
    by = list(table.columns[: table.columns.get_loc("level")])
    return table[by].assign(
        **{
            "interval": [f"{level:.0%}" for level in table["level"]],
            "held the truth [range of runs]": [
                f"{number(100 * share, 1)} % {interval(100 * least, 100 * greatest)}"
                for share, least, greatest in zip(
                    table["share"], table["least"], table["greatest"], strict=True
                )
            ],
            "width": [number(width) for width in table["width"]],
            "runs": table["runs"],
        }
    )


def _arm_columns(long: pd.DataFrame) -> list[str]:
    return list(long.columns[: long.columns.get_loc("key")])
