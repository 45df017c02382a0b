"""E7: an MLP beside the Transformer on the same splits of addition modulo 41 (Truong et al. 2026,
section 11)."""

import math
from dataclasses import replace

import pandas as pd

from analysis.claims.arguments import ArmName, EventName
from analysis.claims.arms import Arm, Runs, finished
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.times import mean_lead, share
from analysis.runs.experiments import NotRun
from grokpipe.curves.events import ENTROPY

MLP, TRANSFORMER, TRANSFORMERS = "mlp", "transformer", "transformer_by_fraction"
FRACTION = 0.2
"""of the pairs, at which the claims are judged"""
GENERALISED = 0.1
"""test accuracy below which a run has not generalised at all"""


def mlp_collapsed_without_grokking(runs: Runs) -> Estimate:
    """The share of MLP runs whose H̃ fell below the Transformers' H̃* at some evaluation, with a
    test accuracy below GENERALISED at all of them. Raises NotRun."""
    arm = runs.arm(MLP)
    fraction, transformers = _nearest_that_grokked(runs)
    level = threshold(transformers)
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


def lead_after_crossing(runs: Runs) -> Estimate:
    """Mean steps from the crossing of H̃* to T_grok of the Transformers at FRACTION or, if none
    groks there, at the nearest fraction above; H̃* is that of the other seeds. Raises NotRun."""
    fraction, arm = _nearest_that_grokked(runs)
    by = runs.arms[TRANSFORMERS].by
    assert by is not None
    found = mean_lead(runs.at(by, fraction), ArmName(TRANSFORMERS), EventName("t_cross"))
    grokked = f"at a fraction of {fraction:g}, where {found.runs} of {len(arm.tables.cells)} grok"
    return replace(found, note=f"{grokked}; {found.note}")


def threshold(arm: Arm) -> float:
    """H̃*: the mean H̃ at T_grok; NaN if no run groks."""
    return float(arm.at(ENTROPY, "t_grok").mean())


def least(arm: Arm) -> pd.Series:
    """H̃ at its least, by key."""
    return arm.tables.curves.groupby("key")[ENTROPY].min()


def never_rose(arm: Arm) -> pd.Series:
    """Whether test accuracy stayed below GENERALISED, by key."""
    return arm.tables.curves.groupby("key")["test_accuracy"].max() < GENERALISED


def _nearest_that_grokked(runs: Runs) -> tuple[float, Arm]:
    """FRACTION or, if no Transformer groks there, the nearest above at which one does; and the
    Transformers there. Raises NotRun."""
    for fraction, arm in runs.divided(TRANSFORMERS).items():
        if fraction >= FRACTION - 1e-9 and not math.isnan(threshold(arm)):
            return fraction, arm
    raise NotRun(f"no Transformer groks from a fraction of {FRACTION:g} on: no H̃*")
