"""E7: an MLP beside the Transformer on the same splits of addition modulo 41 (Truong et al. 2026,
section 11)."""

import math

import pandas as pd

from analysis.claims.arms import Arm, Runs, finished
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.times import share
from analysis.runs.experiments import NotRun
from grokpipe.curves.events import ENTROPY

MLP, TRANSFORMER = "mlp", "transformer"
FRACTION = 0.2
"""of the pairs, at which the claims are judged"""
GENERALISED = 0.1
"""test accuracy below which a run has not generalised at all"""


def mlp_collapsed_without_grokking(runs: Runs) -> Estimate:
    """The share of MLP runs whose H̃ fell below the Transformers' H̃* at some evaluation, with a
    test accuracy below GENERALISED at all of them. Raises NotRun."""
    arm = runs.arm(MLP)
    level, fraction = _nearest_threshold(runs)
    rows = arm.events("t_grok").set_index("key", drop=False)
    collapsed, low = (mask.reindex(rows.index) for mask in (least(arm) < level, never_rose(arm)))
    ended = finished(rows)
    note = f"H̃* {level:.3f} of the Transformers at a fraction of {fraction:g}"
    # of a run that has not ended nothing is known before it generalises
    return share(runs, [arm], rows, collapsed & low & ended, ended | ~low, note)


def transformer_grokked(runs: Runs) -> Estimate:
    """The share of Transformer runs that grok and have H̃ at or below H̃* at some evaluation. Raises
    NotRun."""
    arm = runs.arm(TRANSFORMER)
    rows = arm.events("t_grok").set_index("key", drop=False)
    grokked = rows["observed"].astype(bool)
    # without a run that groks the level is NaN, and nothing is below it
    crossed = least(arm).reindex(rows.index) <= threshold(arm)
    note = f"{grokked.sum()} of {len(rows)} grok"
    return share(runs, [arm], rows, grokked & crossed, finished(rows), note)


def threshold(arm: Arm) -> float:
    """H̃*: the mean H̃ at T_grok; NaN if no run groks."""
    return float(arm.at(ENTROPY, "t_grok").mean())


def least(arm: Arm) -> pd.Series:
    """H̃ at its least, by key."""
    return arm.tables.curves.groupby("key")[ENTROPY].min()


def never_rose(arm: Arm) -> pd.Series:
    """Whether test accuracy stayed below GENERALISED, by key."""
    return arm.tables.curves.groupby("key")["test_accuracy"].max() < GENERALISED


def _nearest_threshold(runs: Runs) -> tuple[float, float]:
    """H̃* of the Transformers at FRACTION or, if none groks there, at the nearest above; and that
    fraction. Raises NotRun."""
    for fraction, arm in runs.divided("transformer_by_fraction").items():
        if fraction >= FRACTION - 1e-9 and not math.isnan(level := threshold(arm)):
            return level, fraction
    raise NotRun(f"no Transformer groks from a fraction of {FRACTION:g} on: no H̃*")
