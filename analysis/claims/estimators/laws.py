"""Estimators of laws of the time left until an event, and of the forecasts that they make."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from analysis.claims.arguments import ArmName, EventName
from analysis.claims.arms import Runs
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.times import GROK
from analysis.forecasting import forecasts as made
from analysis.forecasting import gap_laws, out_of_sample, predictors
from analysis.forecasting.gap_laws import Task
from analysis.forecasting.predictors import ENTROPY_GAP, PREDICTORS, Arm, Predictor
from analysis.output.formats import number
from analysis.runs.experiments import NotRun
from analysis.stats import effects, means
from analysis.stats.intervals import Interval
from grokpipe.errors import InputError

LAST = "error at the last evaluation"
LAW = "law"


def gap_law(
    runs: Runs,
    of: ArmName,
    what: Literal["r_squared", "gamma", "gain_over_power"],
    law: Literal["power", "logarithmic"] = "power",
    predictor: str = ENTROPY_GAP.name,
    event: EventName = GROK,
) -> Estimate:
    """A law of the steps left until an event, in a predictor's distance from its value there: R² in
    sample, the exponent γ of the power law, or R² out of sample less that of the power law."""
    way = way_to(runs, of, event)
    if what == "gain_over_power":
        return law_estimate(runs, of, way, *_gain(runs, way, law, predictor, event))
    row = law_row(runs, of, event, predictor, law)
    interval = Interval(*(row[f"{what}{end}"] for end in ("", "_lower", "_upper", "_method")))
    note = f"R² out of sample {number(row['r_squared_out'], 2)}"
    return law_estimate(runs, of, way, interval, note)


def clock(
    runs: Runs,
    of: ArmName,
    what: Literal["waiting", "mean less now"] = "waiting",
    event: EventName = GROK,
) -> Estimate:
    """R² out of sample of the steps left until an event as the clock alone knows them, at the
    evaluations of `gap_law`: the mean of the other runs that are still waiting, or of all others,
    less the step. A law that does not better it has learned nothing but the time."""
    way = way_to(runs, of, event)
    generator = runs.generator()
    pool = way.pool(ENTROPY_GAP, generator)
    times = np.array([float(curve["step"].iloc[-1]) for curve in way.curves])
    predicted = np.empty(len(pool.remaining))
    for run, time in enumerate(times):
        mine = pool.run == run
        others = np.delete(times, run)
        now = time - pool.remaining[mine]
        late = made.still_waiting(now, others) if what == "waiting" else others.mean()
        predicted[mine] = late - now
    found = out_of_sample.r_squared(predicted, pool.remaining, pool.run, generator)
    return law_estimate(runs, of, way, found, "")


def forecast_error(
    runs: Runs,
    of: ArmName,
    at: Literal["25%", "50%", "75%", "90%", "last"],
    below: float | None = None,
    less_than: Literal["now", "mean of the others", "mean of those still waiting"] | None = None,
    event: EventName = GROK,
) -> Estimate:
    """Mean of |T̂ − T|/T of forecasts by the power law of the other runs, at a share of the time T
    of an event or at the last evaluation before it.

    With `below`, the share of the runs whose error is smaller. With `less_than`, by how much the
    error is smaller than that of another forecast: negative where the law is worse.
    """
    when = LAST if at == "last" else f"error at {at}"
    every = forecast_quantities(runs, of, event)
    errors = every[LAW, when]
    tables = runs.arm(of).tables.only(errors.index)
    if below is not None:
        k, n = int((errors < below).sum()), len(errors)
        return Estimate(
            effects.proportion(k, n), n, tables, k, f"the largest is {errors.max():.1%}"
        )
    note = f"“now” errs by {every['now', when].mean():.1%} there"
    if less_than is not None:
        others = every[less_than, when]
        note = f"the law errs by {errors.mean():.1%}, {less_than} by {others.mean():.1%}"
        errors = others - errors
    interval = means.mean(errors.to_numpy(np.float64), runs.generator())
    return Estimate(interval, len(errors), tables, note=note)


def forecast_lead(
    runs: Runs, of: ArmName, below: float = made.TOLERANCE, event: EventName = GROK
) -> Estimate:
    """Mean steps from the first evaluation from which on the law's error stays below a tolerance
    until the event; only looking back tells that it stays so."""
    every = forecast_quantities(runs, of, event, below)
    leads = every[LAW, made.LEAD]
    note = f"mean of the others: {every['mean of the others', made.LEAD].mean():,.0f}"
    interval = means.mean(leads.to_numpy(np.float64), runs.generator())
    return Estimate(interval, len(leads), runs.arm(of).tables.only(leads.index), note=note)


def way_to(runs: Runs, of: str, event: str = GROK) -> Arm:
    """The evaluations up to an event of the runs of an arm that had it. Raises NotRun if none
    did."""

    def find() -> Arm:
        arm = runs.arm(of)
        ways = [way for way in predictors.arms(arm.tables, arm.all_events, event) if len(way)]
        if not ways:
            raise NotRun(f"{of}: no run had {event} yet")
        if len(ways) > 1:
            raise InputError(f"arm {of}: its runs must differ in the seed alone for a law")
        return ways[0]

    return runs.once(f"way of {of} to {event}", find)


def law_table(runs: Runs, of: str, event: str = GROK) -> pd.DataFrame:
    """`gap_laws.laws` of an arm: a row per predictor and law. Raises NotRun."""
    return runs.once(f"laws of {of} before {event}", lambda: _laws(runs, of, event)[0])


def law_row(runs: Runs, of: str, event: str, predictor: str, law: str) -> pd.Series:
    """One row of `law_table`, without the fits that come after it. Raises NotRun, and InputError
    for a predictor that has no such law."""

    def up_to(tasks: Sequence[Task]) -> Sequence[Task]:
        named = [(name, kind) for _, name, kind, _ in tasks]
        if (predictor, law) not in named:
            valid = ", ".join(name for name, kind in named if kind == law)
            raise InputError(f"predictor={predictor}: no {law} law; valid: {valid}")
        return tasks[: named.index((predictor, law)) + 1]

    def fit() -> pd.Series:
        table, notes = _laws(runs, of, event, up_to)
        row = table.iloc[-1]
        if (row["predictor"], row["law"]) != (predictor, law):
            raise InputError(notes[-1])
        return row

    return runs.once(f"{law} law of {predictor} of {of} before {event}", fit)


def forecasts(runs: Runs, of: str, event: str = GROK) -> pd.DataFrame:
    """`forecasts.leave_one_out` of an arm. Raises NotRun where too few runs had the event."""

    def make() -> pd.DataFrame:
        arm = runs.arm(of)
        try:
            return made.leave_one_out(arm.tables, arm.all_events, event)[0]
        except InputError as error:
            raise NotRun(f"{of}: {error}") from error

    return runs.once(f"forecasts of {of} before {event}", make)


def forecast_quantities(
    runs: Runs, of: str, event: str = GROK, below: float = made.TOLERANCE
) -> pd.DataFrame:
    """The quantities of `forecasts.per_run`: a row per key, columns (forecast, quantity)."""
    per_run = made.per_run(forecasts(runs, of, event), below)
    return per_run.pivot(index="key", columns=["forecast", "quantity"], values="value")


def law_estimate(
    runs: Runs, of: str, way: Arm, found: Interval, note: str, notes: Sequence[str] = ()
) -> Estimate:
    """The estimate of a law, of the runs that had the event."""
    said = [note, *notes]
    if never := way.total - len(way):
        said.append(f"{never} of {way.total} runs did not have the event and are left out")
    tables = runs.arm(of).tables.only(way.runs["key"])
    return Estimate(found, len(way), tables, note="; ".join(part for part in said if part))


def _laws(
    runs: Runs, of: str, event: str, track: Callable[[Sequence[Task]], Iterable[Task]] = iter
) -> tuple[pd.DataFrame, list[str]]:
    way_to(runs, of, event)
    arm = runs.arm(of)
    return gap_laws.laws(arm.tables, arm.all_events, event, runs.generator(), track)


def _gain(
    runs: Runs, way: Arm, law: Literal["power", "logarithmic"], predictor: str, event: str
) -> tuple[Interval, str]:
    by_name = {one.name: one for one in PREDICTORS}
    if predictor not in by_name:
        raise InputError(f"predictor={predictor}: no such predictor; valid: {', '.join(by_name)}")
    if len(way) < 2:
        raise NotRun(f"{event}: a law out of sample needs two runs at least")
    chosen: Predictor = by_name[predictor]
    generator = runs.generator()
    pool = way.pool(chosen, generator)
    absolute = chosen.form == "absolute"
    own, power = (gap_laws.held_out(pool, kind, absolute) for kind in (law, "power"))
    gain = out_of_sample.gain(own, power, pool.remaining, pool.run, generator)
    note = ", ".join(
        f"{name} {out_of_sample.r_squared(one, pool.remaining, pool.run, generator).estimate:.3f}"
        for name, one in ((law, own), ("power", power))
    )
    return gain, note
