"""D3: how many pilot seeds calibrate H̃* for a task? (Truong et al. 2026, Appendix D.1)"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from analysis.claims.findings import Finding
from analysis.output.formats import number
from analysis.papers.entropy.estimates.conditions import BASELINE
from analysis.papers.entropy.estimates.thresholds import at_grok
from analysis.runs.experiments import Experiments, NotRun
from analysis.stats.intervals import CONFIDENCE, Interval
from analysis.times.timescales import events
from grokpipe.curves import gap
from grokpipe.curves.events import ENTROPY

PILOTS = (1, 2, 3, 4, 5)


def error_of_three(experiments: Experiments) -> Finding:
    """|H̃* of three seeds − H̃* of the others|, over all ways to choose three: the mean, and up to
    what 95 % of these draws lie. The claim is on draws: the interval reaches from 0 to that
    quantile and is not one of the mean. Raises NotRun for fewer than five runs that grok."""
    values = _values(experiments)
    found = errors(values.to_numpy(), 3)
    interval = Interval(
        float(found.mean()), 0.0, reached(found), f"{len(found)} draws, their 95 % quantile"
    )
    return Finding(interval, len(values), experiments.tables(BASELINE).only(values.index))


def errors(values: np.ndarray, pilots: int) -> np.ndarray:
    """Of values (n,): |mean of the pilots − mean of the others| for every choice of the pilots."""
    chosen = np.array(list(combinations(range(len(values)), pilots)))
    total = values[chosen].sum(1)
    others = (values.sum() - total) / (len(values) - pilots)
    found: np.ndarray = np.abs(total / pilots - others)
    return found


def pilot_errors(experiments: Experiments) -> dict[int, np.ndarray]:
    """`errors` by the number of pilots, ascending. Raises NotRun for fewer than five runs that
    grok."""
    values = _values(experiments).to_numpy()
    return {
        pilots: np.sort(errors(values, pilots)) for pilots in PILOTS if len(values) > pilots + 1
    }


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """By the number of pilots: the error of H̃*, and of two forecasts of the time of the others, by
    the pilots' law in the entropy gap when half of it has passed, and by their mean time. Raises
    NotRun."""
    levels = _values(experiments)
    found = events(experiments.tables(BASELINE))
    found = found[(found["event"] == "t_grok") & found["observed"].astype(bool)].set_index("key")
    times = found["step"].reindex(levels.index).to_numpy(float)
    curves = experiments.tables(BASELINE).curves
    by_key = {key: curve.sort_values("step") for key, curve in curves.groupby("key")}
    of_levels = [by_key[key] for key in levels.index]
    rows = []
    for pilots, level in pilot_errors(experiments).items():
        rows.append(
            {
                "pilot seeds": str(pilots),
                "draws": str(len(level)),
                "error of H̃*, mean": number(float(level.mean()), 4),
                "95 % of draws up to": number(reached(level), 4),
                "law at half the time, mean error": f"{law_error(of_levels, times, pilots):.1%}",
                "mean time as a forecast, mean error": f"{_forecast(times, pilots):.1%}",
            }
        )
    return {"Pilot seeds": pd.DataFrame(rows)}


def law_error(curves: Sequence[pd.DataFrame], times: np.ndarray, pilots: int) -> float:
    """The mean of |T̂ − T|/T over all choices of the pilots and the others, forecast by the power
    law of the pilots at the last evaluation up to T/2. `curves`: the evaluations of each run, by
    steps; `times`: their T_grok, (n,)."""
    steps = [curve["step"].to_numpy(float) for curve in curves]
    entropy = [curve[ENTROPY].to_numpy(float) for curve in curves]
    runs = gap.pool(entropy, [time - step for time, step in zip(times, steps, strict=True)])
    half = [
        int(np.flatnonzero(step <= time / 2)[-1]) for step, time in zip(steps, times, strict=True)
    ]
    chosen = list(combinations(range(len(times)), pilots))
    counts = np.zeros((len(chosen), len(times)))
    for sample, members in enumerate(chosen):
        counts[sample, list(members)] = 1
    laws = gap.fit_samples(runs, counts, "power")
    found = [
        abs(
            steps[run][half[run]] + laws.law(sample).remaining(entropy[run][half[run]]) - times[run]
        )
        / times[run]
        for sample, members in enumerate(chosen)
        for run in range(len(times))
        if run not in members
    ]
    return float(np.mean(found))


def reached(found: np.ndarray) -> float:
    """The least of the errors up to which 95 % of the draws lie."""
    return float(np.quantile(found, CONFIDENCE, method="higher"))


def _forecast(times: np.ndarray, pilots: int) -> float:
    """Mean of |mean of the pilots − T|/T over the others and all choices."""
    found = []
    for chosen in combinations(range(len(times)), pilots):
        others = np.delete(times, chosen)
        found.append(np.abs(times[list(chosen)].mean() - others) / others)
    return float(np.mean(found))


def _values(experiments: Experiments) -> pd.Series:
    values = at_grok(experiments.tables(BASELINE)).dropna()
    if len(values) < 5:
        raise NotRun(f"{BASELINE}: {len(values)} runs grokked, three pilots need five")
    return values
