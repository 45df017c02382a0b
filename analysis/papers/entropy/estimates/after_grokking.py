"""E11 and E12: the entropy after grokking, and the shares of pooled evaluations by phase (Truong et
al. 2026, version 2).

Both depend on how long a run is followed after T_grok, which the text at hand does not tell. Of the
1,556 pooled evaluations of ten seeds 1,436 lie before T_grok, which leaves 12 each: T_grok and
1,100 steps; and a slope of −3.60e-5 a step reaches a gap of 0.039 in 1,083 steps. So the numbers
are held to that window; a run that was not followed so far has none.
"""

import math
from typing import Literal

import numpy as np
import pandas as pd

from analysis.claims.arms import BASELINE, Runs
from analysis.claims.estimate import Estimate
from analysis.papers.entropy.estimates.phases import RISE
from analysis.runs.experiments import NotRun
from analysis.stats import bootstrap
from grokpipe.curves.definitions import GROKKED
from grokpipe.curves.events import ENTROPY

AFTER = 1_100
"""steps after T_grok"""
FITTED = 0.95
"""training accuracy from which phase I is over"""

Phase = Literal["I", "II", "III"]


def slope_after_grokking(curve: pd.DataFrame) -> float:
    """Slope of H̃ per 1,000 steps, by least squares over the evaluations from T_grok to AFTER steps
    later."""
    return _slope(_window(curve, 0, AFTER))


def slope_to_the_end(curve: pd.DataFrame) -> float:
    """The same over all evaluations from T_grok on; NaN for a run that does not grok."""
    return _slope(_window(curve, 0, _followed(curve)))


def slope_before_grokking(curve: pd.DataFrame) -> float:
    """The same over the AFTER steps before T_grok."""
    return _slope(_window(curve, -AFTER, 0))


def falls_after_grokking(curve: pd.DataFrame) -> bool | None:
    """Whether `slope_after_grokking` is negative; None where there is none."""
    return _negative(slope_after_grokking(curve))


def falls_to_the_end(curve: pd.DataFrame) -> bool | None:
    """Whether `slope_to_the_end` is negative."""
    return _negative(slope_to_the_end(curve))


def gap_after_grokking(curve: pd.DataFrame) -> float:
    """H̃ at T_grok less that AFTER steps later."""
    return _gap(_window(curve, 0, AFTER))


def gap_at_the_end(curve: pd.DataFrame) -> float:
    """H̃ at T_grok less that at the last evaluation; NaN for a run that does not grok."""
    return _gap(_window(curve, 0, _followed(curve)))


def no_rebound(curve: pd.DataFrame) -> bool | None:
    """Whether H̃ never rises by more than RISE above its least value since T_grok, in AFTER steps;
    None for a run without them."""
    return _stays_down(_window(curve, 0, AFTER))


def no_rebound_to_the_end(curve: pd.DataFrame) -> bool | None:
    """The same until the last evaluation."""
    return _stays_down(_window(curve, 0, _followed(curve)))


def share_in_phase_1(runs: Runs, after: int = AFTER) -> Estimate:
    """Share of the pooled evaluations of the runs that grok, until `after` steps past T_grok, with
    a training accuracy below FITTED. The interval resamples runs. Raises NotRun."""
    return _share(runs, "I", after)


def share_in_phase_2(runs: Runs, after: int = AFTER) -> Estimate:
    """The same: of those from then on before T_grok."""
    return _share(runs, "II", after)


def share_in_phase_3(runs: Runs, after: int = AFTER) -> Estimate:
    """The same: of those from T_grok on."""
    return _share(runs, "III", after)


def phases(curve: pd.DataFrame, grokked: float) -> pd.Series:
    """The phase of each evaluation of a run that groks at step `grokked`: III from then on, else I
    where training accuracy is below FITTED, else II."""
    before = np.where(curve["train_accuracy"] < FITTED, "I", "II")
    return pd.Series(np.where(curve["step"] < grokked, before, "III"), index=curve.index)


def _share(runs: Runs, phase: Phase, after: int) -> Estimate:
    arm = runs.arm(BASELINE)
    seen = {}
    for key, curve in arm.curves().items():
        if not math.isnan(step := _grokked(curve)):
            seen[key] = phases(curve[curve["step"] <= step + after], step).to_numpy() == phase
    if not seen:
        raise NotRun(f"{BASELINE}: no run had t_grok yet")
    shown, every = (np.array([of(one) for one in seen.values()]) for of in (np.sum, len))
    found = bootstrap.interval(
        lambda drawn: shown[drawn].sum(-1) / every[drawn].sum(-1), [len(seen)], runs.generator()
    )
    note = f"phase {phase} has {shown.sum():,} of {every.sum():,} evaluations"
    if phase == "I":
        first = sum(int(np.logical_and.accumulate(one).sum()) for one in seen.values())
        note += f", {first:,} of them before training accuracy first is {FITTED:g}"
    return Estimate(found, len(seen), arm.tables.only(seen), note=note)


def _grokked(curve: pd.DataFrame) -> float:
    """The step of T_grok; NaN: never."""
    reached = GROKKED.reached(curve["test_accuracy"].to_numpy(float))
    return float(curve["step"].to_numpy()[reached.argmax()]) if reached.any() else math.nan


def _followed(curve: pd.DataFrame) -> float:
    """Steps that a run was followed after T_grok; NaN if it never grokked."""
    return float(curve["step"].iloc[-1]) - _grokked(curve)


def _window(curve: pd.DataFrame, begin: float, end: float) -> pd.DataFrame:
    """The evaluations between two numbers of steps after T_grok; none if the curve does not cover
    them."""
    after = curve["step"] - _grokked(curve)
    covered = after.iloc[0] <= begin and after.iloc[-1] >= end  # not for NaN
    return curve[(after >= begin) & (after <= end) & covered]


def _slope(window: pd.DataFrame) -> float:
    known = window[["step", ENTROPY]].dropna()
    if len(known) < 2:
        return math.nan
    return 1_000 * float(np.polyfit(known["step"], known[ENTROPY], 1)[0])


def _gap(window: pd.DataFrame) -> float:
    known = window[ENTROPY].dropna()
    return float(known.iloc[0] - known.iloc[-1]) if len(known) > 1 else math.nan


def _negative(slope: float) -> bool | None:
    return None if math.isnan(slope) else slope < 0


def _stays_down(window: pd.DataFrame) -> bool | None:
    entropy = window[ENTROPY].dropna().to_numpy(float)
    if len(entropy) < 2:
        return None
    return bool((entropy - np.minimum.accumulate(entropy)).max() <= RISE)
