"""D3: how many pilot seeds calibrate H̃* for a task? (Truong et al. 2026, Appendix D.1)"""

from itertools import combinations

import numpy as np
import pandas as pd

from analysis.entropy.conditions import BASELINE
from analysis.entropy.experiments import Experiments, NotRun
from analysis.entropy.thresholds import at_grok
from analysis.findings import Finding
from analysis.intervals import CONFIDENCE, Interval
from analysis.tables import number
from analysis.timescales import events

PILOTS = (1, 2, 3, 4, 5)


def error_of_three(experiments: Experiments) -> Finding:
    """|H̃* of three seeds − H̃* of the others|, over all ways to choose three: the mean, and up to
    what 95 % of these draws lie. Raises NotRun for fewer than five runs that grok."""
    values = _values(experiments)
    found = errors(values.to_numpy(), 3)
    upper = float(np.quantile(found, CONFIDENCE, method="higher"))
    interval = Interval(float(found.mean()), 0.0, upper, f"{len(found)} draws, their 95 % quantile")
    return Finding(interval, len(values), experiments.tables(BASELINE).only(values.index))


def errors(values: np.ndarray, pilots: int) -> np.ndarray:
    """Of values (n,): |mean of the pilots − mean of the others| for every choice of the pilots."""
    chosen = np.array(list(combinations(range(len(values)), pilots)))
    total = values[chosen].sum(1)
    others = (values.sum() - total) / (len(values) - pilots)
    found: np.ndarray = np.abs(total / pilots - others)
    return found


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """The error of H̃*, and of the mean time of the pilots as a forecast, by the number of pilots.
    Raises NotRun."""
    levels = _values(experiments)
    found = events(experiments.tables(BASELINE))
    found = found[(found["event"] == "t_grok") & found["observed"].astype(bool)].set_index("key")
    times = found["step"].reindex(levels.index).to_numpy(float)
    rows = []
    for pilots in PILOTS:
        if len(levels) < pilots + 2:
            continue
        level = errors(levels.to_numpy(), pilots)
        rows.append(
            {
                "pilot seeds": str(pilots),
                "draws": str(len(level)),
                "error of H̃*, mean": number(float(level.mean()), 4),
                "95 % of draws below": number(float(np.quantile(level, CONFIDENCE)), 4),
                "mean time as a forecast, mean error": f"{_forecast(times, pilots):.1%}",
            }
        )
    return {"Pilot seeds": pd.DataFrame(rows)}


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
