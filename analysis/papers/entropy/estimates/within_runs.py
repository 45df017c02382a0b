"""What Lemma 4 and Heuristic 1 of Truong et al. (2026, Appendix E) say of the course of a run."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

from analysis.forecasting import predictors
from analysis.forecasting.predictors import ENTROPY
from analysis.runs.tables import Tables
from analysis.times import timescales
from grokpipe.curves.events import WINDOW

KAPPA = "flatness/kappa"
RANK = "spectral/effective_rank"
FEWEST = 4  # points from which a rank correlation or a line is asked for


def from_last_fall(curve: pd.DataFrame, fall: float) -> int:
    """The evaluation WINDOW before T_collapse_last, at `fall` (NaN if there is none)."""
    return len(curve) if math.isnan(fall) else max(int((curve["step"] < fall).sum()) - WINDOW, 0)


def from_half(curve: pd.DataFrame, fall: float) -> int:
    """The last evaluation with H̃ above the middle of its first value and that at T_grok."""
    above = curve[ENTROPY] > (curve[ENTROPY].iloc[0] + curve[ENTROPY].iloc[-1]) / 2
    return int(np.flatnonzero(above)[-1]) if above.any() else len(curve)


def from_5000_before(curve: pd.DataFrame, fall: float) -> int:
    return int((curve["step"] < curve["step"].iloc[-1] - 5_000).sum())


BEGINNINGS = {
    "5 evaluations before T_collapse_last (judged)": from_last_fall,
    "the last H̃ above the middle of start and T_grok": from_half,
    "5,000 steps before T_grok": from_5000_before,
}
"""where the collapse, which ends at T_grok, may be said to begin: the index of an evaluation"""


def fits_of_the_collapse(
    tables: Tables, begins: Callable[[pd.DataFrame, float], int] = from_last_fall
) -> pd.DataFrame:
    """By the key of the runs that grok and have such a phase, R² of a line in time through the
    logarithm of the effective rank and through the rank itself."""
    events = timescales.events(tables).set_index(["event", "key"])
    grok, fall = events.loc["t_grok"], events.loc["t_collapse_last"]
    rows = {}
    for key in grok.index[grok["observed"].astype(bool)]:
        curve = tables.curves[tables.curves["key"] == key]
        until = curve[curve["step"] <= grok["step"][key]]
        begin = begins(until, fall["step"][key] if fall["observed"][key] else math.nan)
        step, rank = (until[name].to_numpy(float)[begin:] for name in ("step", RANK))
        if len(step) >= FEWEST and np.isfinite(rank).all() and np.ptp(rank) > 0:
            rows[key] = {
                "log rank": np.corrcoef(step, np.log(rank))[0, 1] ** 2,
                "rank": np.corrcoef(step, rank)[0, 1] ** 2,
            }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["log rank", "rank"])


def curvature_correlations(tables: Tables, whole: bool = False) -> pd.Series:
    """By key, Spearman's correlation of −dH̃/dt with κ, until the run groks (all of it if it does
    not) or over the whole run; NaN without variation."""
    events = timescales.events(tables)
    grok = events[events["event"] == "t_grok"].set_index("key")
    found = {}
    for key, curve in tables.curves.groupby("key"):
        falls = -predictors.rate(curve["step"].to_numpy(float), curve[ENTROPY].to_numpy(float))
        pairs = pd.DataFrame({"fall": falls, "kappa": curve[KAPPA].to_numpy(float)})
        if not whole:
            pairs = pairs[(curve["step"] <= grok["step"][key]).to_numpy()]
        pairs = pairs[np.isfinite(pairs).all(axis=1)]
        varies = len(pairs) >= FEWEST and (pairs.nunique() > 1).all()
        found[key] = float(stats.spearmanr(*pairs.to_numpy().T).statistic) if varies else math.nan
    return pd.Series(found, dtype=float)
