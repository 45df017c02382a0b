"""E5: forecasts of T_grok that leave one seed out, beside the two that need no law (Truong et al.
2026, section 8)."""

import numpy as np
import pandas as pd

from analysis.claims.findings import Finding
from analysis.forecasting import forecasts as made
from analysis.papers.entropy.estimates.conditions import BASELINE
from analysis.runs.experiments import Experiments, NotRun
from analysis.stats import effects, means
from analysis.times.timescales import events
from grokpipe.errors import InputError

LAST = "error at the last evaluation"
HALF = "error at 50%"
LAW, NOW, OTHERS = made.FORECASTS
SMALL = 0.2


def last_error(experiments: Experiments) -> Finding:
    """|T̂ − T|/T of the law at the last evaluation before T_grok, mean over seeds. Raises NotRun."""
    errors = _errors(experiments)
    trivial = f"“now” errs by {errors[NOW, LAST].mean():.1%} there"
    return _mean(experiments, errors[LAW, LAST], trivial)


def last_error_below_20(experiments: Experiments) -> Finding:
    """In how many seeds that error is below 20 %. Raises NotRun."""
    errors = _errors(experiments)[LAW, LAST]
    k, n = int((errors < SMALL).sum()), len(errors)
    behind = experiments.tables(BASELINE).only(errors.index)
    return Finding(effects.proportion(k, n), n, behind, k, f"the largest is {errors.max():.1%}")


def gain_over_mean(experiments: Experiments) -> Finding:
    """Half-way to T_grok: the error of the mean of the other seeds less that of the law; negative
    where the law is worse. Mean over seeds. Raises NotRun."""
    errors = _errors(experiments)
    law, others = errors[LAW, HALF], errors[OTHERS, HALF]
    note = f"the law errs by {law.mean():.1%}, the mean of the others by {others.mean():.1%}"
    return _mean(experiments, others - law, note)


def lead_time(experiments: Experiments) -> Finding:
    """T_grok less the step from which on the law errs by less than 20 %, mean over seeds; only
    looking back tells that it stays so. Raises NotRun."""
    errors = _errors(experiments)
    note = f"that of the mean of the others: {errors[OTHERS, made.LEAD].mean():,.0f}"
    return _mean(experiments, errors[LAW, made.LEAD], note)


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """Errors and lead times of the three forecasts, and how often the law's intervals held. Raises
    NotRun."""
    found = long(experiments)
    errors = made.readable_errors(made.errors(found))
    held = made.readable_coverage(made.coverage(found))
    return {
        "Forecasts that leave one seed out": errors,
        "Intervals of these forecasts": held,
    }


def long(experiments: Experiments) -> pd.DataFrame:
    """`analysis.forecasts.leave_one_out` of the baseline. Raises NotRun where it has too few runs
    that grok."""

    def make() -> pd.DataFrame:
        tables = experiments.tables(BASELINE)
        try:
            return made.leave_one_out(tables, events(tables), "t_grok")[0]
        except InputError as error:
            raise NotRun(f"{BASELINE}: {error}") from error

    return experiments.once("forecasts", make)


def _errors(experiments: Experiments) -> pd.DataFrame:
    """A row per key, columns (forecast, quantity)."""
    per_run = made.per_run(long(experiments), SMALL)
    return per_run.pivot(index="key", columns=["forecast", "quantity"], values="value")


def _mean(experiments: Experiments, values: pd.Series, note: str) -> Finding:
    interval = means.mean(values.to_numpy(np.float64), experiments.generator())
    return Finding(
        interval, len(values), experiments.tables(BASELINE).only(values.index), note=note
    )
