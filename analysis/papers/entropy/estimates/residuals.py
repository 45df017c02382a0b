"""E5 in version 2: how far the gap law and its forecasts are off at all evaluations before grokking
(Truong et al. 2026)."""

import math
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.claims.arms import BASELINE, Runs
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.laws import LAW, forecasts, law_estimate, way_to
from analysis.forecasting.predictors import ENTROPY_GAP
from analysis.stats import bootstrap, means
from grokpipe.curves import gap


def residual_spread(runs: Runs) -> Estimate:
    """Root mean square of the steps left less the power law of the entropy gap, fitted to the same
    evaluations of all runs; the interval leaves out one run at a time. Raises NotRun."""
    way = way_to(runs, BASELINE)
    pool = way.pool(ENTROPY_GAP, runs.generator())

    def spread(kept: NDArray[np.intp]) -> NDArray[np.float64]:
        counts = np.isin(np.arange(len(pool)), kept).astype(float)
        law = gap.fit_samples(pool, counts, "power").law(0)
        among = counts[pool.run] > 0
        rest = pool.remaining[among] - law.remaining(pool.x[among])
        return np.asarray(math.sqrt(np.square(rest).mean()))

    found = bootstrap.cluster_jackknife(spread, np.arange(len(pool)))
    return law_estimate(runs, BASELINE, way, found, f"{len(pool.x):,} evaluations")


def coverage(
    runs: Runs, within: int, forecast: Literal["law", "mean of the others"] = "law"
) -> Estimate:
    """Share of a run's evaluations at which its T_grok lies within so many steps of the forecast
    from the other runs; mean over runs. Raises NotRun."""
    long = forecasts(runs, BASELINE)
    hit = (long[forecast] - long["truth"]).abs() <= within
    shares = hit.groupby(long["key"]).mean()
    found = means.mean(shares.to_numpy(float), runs.generator())
    return Estimate(found, len(shares), runs.arm(BASELINE).tables.only(shares.index))


def relative_error(runs: Runs, of: Literal["time", "time left"] = "time") -> Estimate:
    """Median over the evaluations of all runs of |T̂ − T|, by the law of the other runs, over T or
    over the steps left; the interval leaves out the evaluations of one run at a time, and fits no
    law anew. Raises NotRun."""
    long = forecasts(runs, BASELINE)
    unit = long["truth"] - (long["step"] if of == "time left" else 0)
    errors = pd.Series((long[LAW] - long["truth"]).abs() / unit)
    found = bootstrap.cluster_jackknife(
        lambda kept: np.asarray(errors.iloc[kept].median()), long["key"].to_numpy(str)
    )
    keys = long["key"].unique()
    return Estimate(found, len(keys), runs.arm(BASELINE).tables.only(keys))
