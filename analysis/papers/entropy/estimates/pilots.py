"""D3: how many pilot seeds calibrate H̃* for a task? (Truong et al. 2026, Appendix D.1)"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from analysis.claims.arms import BASELINE, Runs
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.curves import at_event
from analysis.runs.experiments import NotRun
from analysis.stats import bootstrap
from analysis.stats.intervals import CONFIDENCE, Interval
from grokpipe.curves import gap
from grokpipe.curves.events import ENTROPY

PILOTS = (1, 2, 3, 4, 5)


def error_of_three(runs: Runs) -> Estimate:
    """|H̃* of three seeds − H̃* of the others|, over all ways to choose three: the mean, and up to
    what 95 % of these draws lie. The claim is on draws: the interval reaches from 0 to that
    quantile and is not one of the mean. Raises NotRun for fewer than five runs that grok."""
    values = thresholds(runs)
    found = errors(values.to_numpy(), 3)
    interval = Interval(
        float(found.mean()), 0.0, reached(found), f"{len(found)} draws, their 95 % quantile"
    )
    return Estimate(interval, len(values), runs.arm(BASELINE).tables.only(values.index))


def reach_of_three(runs: Runs) -> Estimate:
    """Up to what |H̃* of three seeds − H̃* of the others| is in 95 % of the ways to choose three,
    with the jackknife's interval over seeds: an interval that can lie wholly beyond a bound. Raises
    NotRun for fewer than six runs that grok."""
    values = thresholds(runs)
    if len(values) < 6:
        raise NotRun(f"{BASELINE}: {len(values)} runs grokked, leaving one out needs six")
    array = values.to_numpy()

    def statistic(indices: np.ndarray) -> np.ndarray:
        rows = indices.reshape(-1, indices.shape[-1])
        found = np.array([reached(errors(array[row], 3)) for row in rows])
        return found.reshape(indices.shape[:-1])

    found = bootstrap.jackknife(statistic, len(array))
    return Estimate(found, len(values), runs.arm(BASELINE).tables.only(values.index))


def thresholds(runs: Runs) -> pd.Series:
    """H̃ at T_grok by key. Raises NotRun for fewer than five runs that grok."""
    values = at_event(runs.arm(BASELINE), ENTROPY)
    if len(values) < 5:
        raise NotRun(f"{BASELINE}: {len(values)} runs grokked, three pilots need five")
    return values


def errors(values: np.ndarray, pilots: int) -> np.ndarray:
    """|mean of the pilots − mean of the others| of values (n,), for every choice of the pilots."""
    chosen = np.array(list(combinations(range(len(values)), pilots)))
    total = values[chosen].sum(1)
    others = (values.sum() - total) / (len(values) - pilots)
    found: np.ndarray = np.abs(total / pilots - others)
    return found


def pilot_errors(runs: Runs) -> dict[int, np.ndarray]:
    """`errors` by the number of pilots, ascending. Raises NotRun for fewer than five runs that
    grok."""
    values = thresholds(runs).to_numpy()
    return {
        pilots: np.sort(errors(values, pilots)) for pilots in PILOTS if len(values) > pilots + 1
    }


def law_error(curves: Sequence[pd.DataFrame], times: np.ndarray, pilots: int) -> float:
    """The mean of |T̂ − T|/T over all choices of the pilots and the others, forecast by the power
    law of the pilots at the last evaluation up to T/2. `curves`: the evaluations of each run, by
    steps; `times`: their T_grok, (n,)."""
    steps = [curve["step"].to_numpy(float) for curve in curves]
    entropy = [curve[ENTROPY].to_numpy(float) for curve in curves]
    pooled = gap.pool(entropy, [time - step for time, step in zip(times, steps, strict=True)])
    half = [
        int(np.flatnonzero(step <= time / 2)[-1]) for step, time in zip(steps, times, strict=True)
    ]
    chosen = list(combinations(range(len(times)), pilots))
    counts = np.zeros((len(chosen), len(times)))
    for sample, members in enumerate(chosen):
        counts[sample, list(members)] = 1
    laws = gap.fit_samples(pooled, counts, "power")
    found = []
    for sample, members in enumerate(chosen):
        for run in set(range(len(times))) - set(members):
            at = half[run]
            forecast = steps[run][at] + laws.law(sample).remaining(entropy[run][at])
            found.append(abs(forecast - times[run]) / times[run])
    return float(np.mean(found))


def mean_time_error(times: np.ndarray, pilots: int) -> float:
    """Mean of |mean of the pilots − T|/T over the others and all choices."""
    found = []
    for chosen in combinations(range(len(times)), pilots):
        others = np.delete(times, chosen)
        found.append(np.abs(times[list(chosen)].mean() - others) / others)
    return float(np.mean(found))


def reached(found: np.ndarray) -> float:
    """The least of the errors up to which 95 % of the draws lie."""
    return float(np.quantile(found, CONFIDENCE, method="higher"))
