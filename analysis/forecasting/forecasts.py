"""Forecasts of an event made at every evaluation before it, each run by the law of the other runs
of its arm, beside two trivial forecasts: "now", and the mean of the others.

Errors are |T̂ − T|/T. Near the event "now" is nearly right by itself: no forecast's error there
means anything without it.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.forecasting.predictors import ENTROPY, Arm, Predictor, arms
from analysis.output.formats import interval, number
from analysis.runs.tables import Tables
from grokpipe.curves.events import stays
from grokpipe.curves.forecast import calibrate
from grokpipe.curves.gap import pool
from grokpipe.errors import InputError

FEWEST = 3
"""runs of an arm that had the event: a law's errors need two runs, beside the one it forecasts"""
LEVELS = (0.5, 0.8, 0.95)
"""of the predictive intervals, columns lower@0.95 and upper@0.95"""
FORECASTS = ("law", "now", "mean of the others")
SHARES = (0.25, 0.5, 0.75, 0.9)
"""of the time of the event, at which errors are read"""
TOLERANCE = 0.2
"""the error that a lead time is stated for"""
LEAD = "lead time"


def leave_one_out(
    tables: Tables, events: pd.DataFrame, event: str, predictor: str = ENTROPY
) -> tuple[pd.DataFrame, list[str]]:
    """A row per run that had the event and evaluation before it: the columns that tell the arms
    apart, key, seed, predictor (a column of the curves), step, truth (the event's step), x and
    x_at_event (the predictor's values), the FORECASTS in steps, and the law's predictive intervals
    at LEVELS. And a line for everything left out: runs without the event, arms with too few,
    evaluations without x.

    The law is the power law in the gap; law, threshold and intervals of a run come from the other
    runs of its arm alone. "mean of the others" is the plain mean of their events, also when that is
    past. Raises InputError if no arm has enough runs, or as `predictors.arms` does.
    """
    rows, told = [], []
    for arm in arms(tables, events, event):
        told += arm.notes(event)
        if len(arm) < FEWEST:
            told.append(f"note: {arm.label}: {len(arm)} runs had {event}: no forecast; needs ≥ 3")
            continue
        try:
            of_arm = _leave_one_out(arm, Predictor(predictor, predictor))
        except InputError as error:
            told.append(f"note: {arm.label}: no forecast: {error}")
            continue
        if undefined := sum(map(len, arm.curves)) - len(arm) - sum(map(len, of_arm)):
            told.append(f"note: {arm.label}: {undefined} evaluations without {predictor} left out")
        rows += of_arm
    if not rows:
        why = "; ".join(note.removeprefix("note: ") for note in told)
        raise InputError(f"{event}: nothing to forecast from: {why}")
    return pd.concat(rows, ignore_index=True), told


def _leave_one_out(arm: Arm, predictor: Predictor) -> list[pd.DataFrame]:
    unused = np.random.default_rng(0)  # only noise draws
    x = [predictor.values(curve, unused) for curve in arm.curves]
    steps = [curve["step"].to_numpy(float) for curve in arm.curves]
    frames = []
    for run, (key, seed) in enumerate(zip(arm.runs["key"], arm.runs["seed"], strict=True)):
        others = [other for other in range(len(arm)) if other != run]
        forecaster = calibrate(
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
        }  # fmt: skip
        for level, found in forecasts.items():
            columns |= {f"lower@{level:g}": found.lower, f"upper@{level:g}": found.upper}
        frames.append(pd.DataFrame({**arm.values, "key": key, "seed": seed, **columns}))
    return frames


def per_run(long: pd.DataFrame, tolerance: float = TOLERANCE) -> pd.DataFrame:
    """A row per run, forecast and quantity: the columns of the arm, key, seed, forecast, quantity,
    value. The quantities are the relative error at the last evaluation up to 25, 50, 75 and 90 % of
    the time of the event (NaN if there is none), at the last evaluation before it, and its mean
    over all; and the lead time, in steps: T less the first evaluation from which on the error stays
    within the tolerance. It is 0 if not even the last one does: there was no warning. Only looking
    back tells when an error stays small, so nobody could have known it then.
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
    found = {}
    for share in SHARES:
        until = step <= share * truth
        found[f"error at {share:.0%}"] = float(error[until][-1]) if until.any() else np.nan
    within = stays(error <= tolerance)
    return {
        **found,
        "error at the last evaluation": float(error[-1]),
        "mean error": float(error.mean()),
        LEAD: truth - float(step[within.argmax()]) if within.any() else 0.0,
    }


def errors(long: pd.DataFrame, tolerance: float = TOLERANCE) -> pd.DataFrame:
    """The quantities of `per_run` over the runs of each arm: the columns of the arm, quantity,
    forecast, runs, median, least, greatest, mean, and none, the runs whose lead time is 0."""
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


def calibration(long: pd.DataFrame) -> pd.DataFrame:
    """How often the predictive intervals held the truth: the columns of the arm, level (nominal),
    runs, share (of a run's evaluations, mean over runs), least and greatest (over runs), and width,
    the mean length of the interval in steps, every run counting the same."""
    by = _arm_columns(long)
    levels = []
    for level in LEVELS:
        lower, upper = long[f"lower@{level:g}"], long[f"upper@{level:g}"]
        held = (lower <= long["truth"]) & (long["truth"] <= upper)
        levels.append(long[[*by, "key"]].assign(level=level, share=held, width=upper - lower))
    every = pd.concat(levels).sort_index(kind="stable")
    of_runs = every.groupby([*by, "level", "key"], sort=False, dropna=False).mean()
    of_arms = of_runs.groupby([*by, "level"], sort=False, dropna=False)
    table = of_arms.agg(
        runs=("share", "size"), share=("share", "mean"), least=("share", "min"),
        greatest=("share", "max"), width=("width", "mean"),
    )  # fmt: skip
    return table.reset_index()


def readable_errors(table: pd.DataFrame) -> pd.DataFrame:
    """`errors` for people: a row per arm and quantity, the forecasts side by side."""
    by = list(table.columns[: table.columns.get_loc("quantity")])
    rows: dict[tuple[object, ...], dict[str, object]] = {}
    for row in table.to_dict("records"):
        at = tuple(row[column] for column in [*by, "quantity", "runs"])
        scale, decimals = (1, 0) if row["quantity"] == LEAD else (100, 1)
        unit = "" if scale == 1 else " %"
        middle = f"{number(scale * row['median'], decimals)}{unit}"
        span = interval(scale * row["least"], scale * row["greatest"], decimals)
        said = f"{middle} {span}" + (f", none in {row['none']}" if row["none"] else "")
        rows.setdefault(at, dict(zip([*by, "quantity", "runs"], at, strict=True)))
        rows[at][f"{row['forecast']}: median [range]"] = said
    return pd.DataFrame(rows.values())


def readable_calibration(table: pd.DataFrame) -> pd.DataFrame:
    """`calibration` for people."""
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
