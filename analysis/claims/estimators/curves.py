"""Estimators of the curves of runs: values at an event, changes, correlations, shares and means."""

import math
from typing import Literal

import numpy as np
import pandas as pd

from analysis.claims.arguments import ArmName, Column, CurveTest, CurveValue, EventName
from analysis.claims.arms import Arm, Runs, equation, observed, require
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.times import GROK, THAN
from analysis.forecasting import synchrony as curve_pairs
from analysis.runs.experiments import NotRun
from analysis.stats import bootstrap, effects, means, variances
from analysis.stats.intervals import CONFIDENCE, Interval
from analysis.times.order import median_lag
from grokpipe.errors import InputError


def value_at(
    runs: Runs,
    of: ArmName,
    column: Column,
    at: EventName | int = GROK,
    minus: Column | None = None,
) -> Estimate:
    """Mean of a column at an event or at a step, over the runs where it is known; with `minus`,
    less another column there."""
    arm, values = _values(runs, of, column, at, minus)
    return Estimate(
        means.mean(values.to_numpy(), runs.generator()),
        len(values),
        arm.tables.only(values.index),
        note=f"runs from {values.min():.3g} to {values.max():.3g}",
    )


def variance_at(
    runs: Runs,
    of: ArmName,
    column: Column,
    at: EventName | int = GROK,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Variance between runs (n − 1) of a column at an event or at a step. A claim about one end
    needs no more than an interval of 90 %, whose ends are bounds of 95 % each."""
    arm, values = _values(runs, of, column, at, None)
    found = variances.variance(values.to_numpy(), confidence)
    return Estimate(found, len(values), arm.tables.only(values.index))


def difference_at(
    runs: Runs, of: ArmName, column: Column, than: ArmName = THAN, at: EventName = GROK
) -> Estimate:
    """A column of an arm's run less that of the baseline's run of the same seed (`than`), at the
    step at which the latter has an event; the mean over the strengths of each seed, then over the
    seeds that have a run at every strength (`differences_at`)."""
    arm, base = runs.arm(of), runs.arm(than)
    rows = differences_at(arm, base, column, at)
    strengths = rows["strength"].nunique(dropna=False)
    by_seed = rows.groupby("seed")["difference"].agg(["mean", "size"])
    whole = by_seed[by_seed["size"] == strengths]  # or seeds would differ by the strengths they had
    if whole.empty:
        raise NotRun(f"{of}: no seed with {at} in {than} and a run at every strength")
    rows = rows[rows["seed"].isin(whole.index)]
    said = []
    if arm.by:
        said.append(f"mean over {equation(arm.by, *sorted(rows['strength'].unique()))}")
    if left := len(by_seed) - len(whole):
        said.append(f"{left} seeds without a run at every strength are left out")
    if ended := int(rows["ended"].sum()):
        said.append(f"{ended} of {len(rows)} runs had ended by then: their last value counts")
    tables = runs.joined([base, arm], [*rows["key"], *rows["base"]])
    found = means.mean(whole["mean"].to_numpy(), runs.generator())
    return Estimate(found, len(tables.cells), tables, seeds=len(whole), note="; ".join(said))


def change_between(
    runs: Runs,
    of: ArmName,
    column: Column,
    start: EventName = GROK,
    back: int = 0,
    end: EventName | None = None,
) -> Estimate:
    """Mean change of a column from `back` steps before an event to another one, or to the last
    evaluation; over the runs that had both (`changes`)."""
    arm = runs.arm(of)
    require(column, arm.tables.curves, f"arm {of}")
    found = changes(arm, column, start, back, end)
    if found.empty:
        raise NotRun(f"{of}: no run had {start}" + (f" and {end}" if end else ""))
    note = ""
    if left := len(arm.tables.cells) - len(found):
        note = f"{left} of {len(arm.tables.cells)} runs without {start} are left out"
    interval = means.mean(found.to_numpy(), runs.generator())
    return Estimate(interval, len(found), arm.tables.only(found.index), note=note)


def correlation(
    runs: Runs, of: ArmName, x: Column, y: Column, until: EventName | None = None
) -> Estimate:
    """Pearson's r of two columns over the evaluations of all runs, pooled; with `until`, over those
    up to an event of the runs that had it. The interval resamples runs."""
    arm = runs.arm(of)
    for column in (x, y):
        require(column, arm.tables.curves, f"arm {of}")
    curves = arm.curves() if until is None else arm.until(until)
    if not curves:
        raise NotRun(f"{of}: no run had {until} yet")
    # the order of the runs decides the resamples: by key, and by seed up to an event, as in laws
    seeds = arm.seeds().reindex(list(curves)).sort_values(kind="stable")
    in_order = sorted(curves) if until is None else seeds.index
    both = pd.concat([curves[key][["key", x, y]] for key in in_order]).dropna()
    note = f"{len(both):,} evaluations"
    if left := len(arm.tables.cells) - len(curves):
        note += f"; {left} of {len(arm.tables.cells)} runs without {until} are left out"
    return Estimate(
        pearson(both, x, y, runs.generator()),
        both["key"].nunique(),
        arm.tables.only(curves),
        note=note,
    )


def partial_correlation(runs: Runs, of: ArmName, x: Column, y: Column, given: Column) -> Estimate:
    """Median over runs of Spearman's partial correlation of two columns within a run, a third one
    held fixed (`synchrony.correlations`)."""
    arm = runs.arm(of)
    values = curve_pairs.correlations(arm.tables, x, y, given)["partial_levels"].dropna()
    found = curve_pairs.median_correlation(values.to_numpy(), runs.generator())
    return Estimate(found, len(values), arm.tables)


def synchrony(
    runs: Runs,
    of: ArmName,
    first: Column,
    second: Column,
    what: Literal["lag", "levels", "increments"] = "lag",
    from_first: bool = False,
    after: EventName | None = None,
) -> Estimate:
    """Median over runs of the lag, in steps, from the half-change of one column to that of another
    (positive: the second is later), or of Spearman's correlation of their levels or increments
    within a run, over the evaluations at which both are known; `from_first` counts half-changes
    from the curves' first values, and `after` correlates from an event on, in the runs that had
    it."""
    arm = runs.arm(of)
    for column in (first, second):
        require(column, arm.tables.curves, f"arm {of}")
    if what == "lag":
        if after is not None:
            raise InputError(f"after={after}: is of levels and increments, not of a lag")
        lags = curve_pairs.lags(arm.tables, first, second, from_first)
        note = f"{int(lags['observed'].sum())} of {len(lags)} lags observed"
        return Estimate(median_lag(lags), len(lags), arm.tables, note=note)
    tables = arm.tables if after is None else arm.after(after)
    values = curve_pairs.correlations(tables, first, second)[what].dropna()
    found = curve_pairs.median_correlation(values.to_numpy(), runs.generator())
    left = len(arm.tables.cells) - len(tables.cells)
    note = f"{left} of {len(arm.tables.cells)} runs without {after} are left out" if left else ""
    return Estimate(found, len(values), tables, note=note)


def share_of_runs(
    runs: Runs, of: ArmName, test: CurveTest, until: EventName | None = None
) -> Estimate:
    """Share of the runs whose curve passes a test; with `until`, of the runs that had that event,
    by their curves up to it. Runs of which the test cannot be asked (None) are left out."""
    arm, curves, note = _tested(runs, of, until)
    results = {key: test(curve) for key, curve in curves.items()}
    shown = {key: result for key, result in results.items() if result is not None}
    if left := len(results) - len(shown):
        note.append(f"{left} of {len(results)} runs have nothing to test")
    if not shown:
        raise NotRun(f"{of}: no run to test")
    k, n = sum(shown.values()), len(shown)
    return Estimate(effects.proportion(k, n), n, arm.tables.only(shown), k, "; ".join(note))


def mean_of_runs(
    runs: Runs, of: ArmName, value: CurveValue, until: EventName | None = None
) -> Estimate:
    """Mean over runs of a number read from each curve; with `until`, over the runs that had that
    event, by their curves up to it. Runs without such a number (NaN) are left out."""
    arm, curves, note = _tested(runs, of, until)
    every = pd.Series({key: value(curve) for key, curve in curves.items()}, dtype=float)
    values = every.dropna()
    if values.empty:
        raise NotRun(f"{of}: no run has this number")
    if left := len(every) - len(values):
        note.append(f"{left} of {len(every)} runs have no such number")
    found = means.mean(values.to_numpy(), runs.generator())
    return Estimate(found, len(values), arm.tables.only(values.index), note="; ".join(note))


def at_event(arm: Arm, column: str, at: str | int = GROK) -> pd.Series:
    """A column at an event or a step, by key, where it is known. Raises NotRun if nowhere."""
    require(column, arm.tables.curves, f"arm {arm.name}")
    if isinstance(at, int):
        curves = arm.tables.curves
        values = curves[curves["step"] == at].set_index("key")[column].astype(float)
    else:
        values = arm.at(column, at)
    values = values.dropna()
    if values.empty:
        raise NotRun(f"{arm.name}: no run with {column} at {at} yet")
    return values


def differences_at(arm: Arm, base: Arm, column: str, event: str = GROK) -> pd.DataFrame:
    """A row per run of an arm whose seed's run in `base` had an event: key, base (that run's key),
    seed, strength (NaN without one), difference (of the column, at the event's step) and ended.

    A run that had finished before that step counts with its last evaluation, and `ended` says so:
    without them the fast runs would be missing. A run that broke off before is left out.
    """
    require(column, arm.tables.curves, f"arm {arm.name}")
    curves, bases = arm.curves(), base.curves()
    rows = []
    for run in observed(base.events(event))[["key", "seed", "step"]].to_dict("records"):
        level = _last(bases[run["key"]], column, run["step"])
        for cell in arm.tables.cells[arm.tables.cells["seed"] == run["seed"]].to_dict("records"):
            if cell["key"] not in curves:
                continue
            curve = curves[cell["key"]]
            ended = bool(curve["step"].max() < run["step"])
            if ended and cell["state"] != "done":
                continue
            difference = _last(curve, column, run["step"]) - level
            strength = float(cell[arm.by]) if arm.by else math.nan
            rows.append([cell["key"], run["key"], run["seed"], strength, difference, ended])
    return pd.DataFrame(rows, columns=["key", "base", "seed", "strength", "difference", "ended"])


def changes(arm: Arm, column: str, start: str, back: int = 0, end: str | None = None) -> pd.Series:
    """By key, the change of a column from the last evaluation at least `back` steps before an
    event, or from the first one if there is none, to another event or the last evaluation; only
    evaluations at which the column is known count."""
    curves = arm.curves() if end is None else arm.until(end)
    found = {}
    for key, step in observed(arm.events(start))[["key", "step"]].itertuples(index=False):
        if key in curves and len(curve := curves[key].dropna(subset=[column])):
            from_step = max(step - back, curve["step"].iloc[0])
            found[key] = float(curve[column].iloc[-1] - _last(curve, column, from_step))
    return pd.Series(found, dtype=float)


def pearson(both: pd.DataFrame, x: str, y: str, generator: np.random.Generator) -> Interval:
    """r of two columns, with an interval that resamples `key`, in the order of the rows."""
    a, b = both[x] - both[x].mean(), both[y] - both[y].mean()
    products = pd.DataFrame({"n": 1.0, "a": a, "b": b, "aa": a * a, "bb": b * b, "ab": a * b})
    sums = products.groupby(both["key"], sort=False).sum().to_numpy()

    def r(indices: np.ndarray) -> np.ndarray:
        n, a, b, aa, bb, ab = np.moveaxis(sums[indices].sum(-2), -1, 0)
        # a resample of one run alone has no spread but that of rounding
        spread = np.maximum(n * aa - a**2, 0) * np.maximum(n * bb - b**2, 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (n * ab - a * b) / np.sqrt(spread)

    return bootstrap.interval(r, [len(sums)], generator)


def _values(
    runs: Runs, of: ArmName, column: Column, at: EventName | int, minus: Column | None
) -> tuple[Arm, pd.Series]:
    arm = runs.arm(of)
    values = at_event(arm, column, at)
    if minus is not None:
        values = (values - at_event(arm, minus, at)).dropna()
    return arm, values


def _tested(
    runs: Runs, of: ArmName, until: EventName | None
) -> tuple[Arm, dict[str, pd.DataFrame], list[str]]:
    """The curves of the runs that are asked, by key, and which runs are left out."""
    arm = runs.arm(of)
    if until is not None:
        curves, why = arm.until(until), f"did not have {until}"
    else:
        curves, why = arm.finished_curves(), "are not finished"
    if not curves:
        raise NotRun(f"{of}: no run had {until} yet" if until else f"{of}: no run is finished yet")
    left = len(arm.tables.cells) - len(curves)
    return arm, curves, [f"{left} of {len(arm.tables.cells)} runs {why}"] if left else []


def _last(curve: pd.DataFrame, column: str, step: float) -> float:
    """A column at the last evaluation that is not after a step."""
    return float(curve.loc[curve["step"] <= step, column].iloc[-1])
