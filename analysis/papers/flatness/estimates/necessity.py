"""F7: does any run generalise at a κ above that of the memorising plateau? (Han et al. 2025, the
title)"""

import math

import numpy as np
import pandas as pd

from analysis.claims.arguments import ArmName
from analysis.claims.arms import BASELINE, Arm, Runs
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.curves import at_event
from analysis.papers.flatness.estimates.curves import KAPPA
from analysis.runs.experiments import NotRun
from analysis.stats import effects
from grokpipe.curves.definitions import MEMORISED

RISEN = 0.1
"""test accuracy above which a run is no longer on the plateau"""


def below_plateau(runs: Runs, of: list[ArmName]) -> Estimate:
    """Share of the runs that grok, of several arms, whose κ at T_grok is at most the plateau of the
    baseline's other seeds (`level`). Raises NotRun."""
    return _share(runs, of, grokked=True)


def below_plateau_without_grokking(runs: Runs, of: list[ArmName]) -> Estimate:
    """The mirror: share of the runs that never grok whose κ ends at or below that plateau. If most
    do, a small κ says little."""
    return _share(runs, of, grokked=False)


def plateau(curve: pd.DataFrame) -> float:
    """Median κ of one run from T_mem until its test accuracy exceeds RISEN, or at T_mem if it does
    already; NaN if the run never memorises."""
    memorised = MEMORISED.reached(curve["train_accuracy"])
    if not memorised.any():
        return math.nan
    begins = int(memorised.argmax())
    rows = curve.iloc[begins:]
    on = rows[~(rows["test_accuracy"] > RISEN).cummax()]
    return float((on if len(on) else rows.iloc[:1])[KAPPA].median())


def plateaus(base: Arm) -> pd.Series:
    """The plateau of each run of the baseline that memorises, by its seed. Raises NotRun for fewer
    than two, of which none would have another to be held to."""
    found = {key: plateau(curve) for key, curve in base.curves().items()}
    values = pd.Series(found, dtype=float).dropna()
    if len(values) < 2:
        raise NotRun(f"{base.name}: {len(values)} of its runs memorise; a plateau needs two")
    return values.set_axis(base.seeds().reindex(values.index))


def level(plateaus: pd.Series, seed: int) -> float:
    """Level to which a run is held: the geometric mean of the plateaus of seeds other than its
    own."""
    return float(np.exp(np.log(plateaus[plateaus.index != seed]).mean()))


def _share(runs: Runs, of: list[ArmName], grokked: bool) -> Estimate:
    known, arms = plateaus(runs.arm(BASELINE)), runs.there(of)
    below: dict[str, bool] = {}
    for arm in arms.values():
        seeds = arm.seeds()
        for key, value in (_at_grokking(arm) if grokked else _at_the_end(arm)).items():
            below[str(key)] = bool(value <= level(known, int(seeds[key])))
    if not below:
        raise NotRun(f"{', '.join(of)}: no run that {'groks' if grokked else 'never groks'}")
    k, n = sum(below.values()), len(below)
    note = f"the plateaus' geometric mean: κ = {np.exp(np.log(known).mean()):.3g}"
    tables = runs.joined(list(arms.values()), list(below))
    return Estimate(effects.proportion(k, n), n, tables, k, note)


def _at_grokking(arm: Arm) -> pd.Series:
    try:
        return at_event(arm, KAPPA)
    except NotRun:
        return pd.Series(dtype=float)


def _at_the_end(arm: Arm) -> pd.Series:
    """The last κ of each run that was followed to its budget without grokking."""
    events = arm.events("t_grok")
    never = events[~events["observed"].astype(bool) & (events["state"] == "done")]
    curves = arm.curves()
    last = {key: curves[key][KAPPA].dropna() for key in never["key"] if key in curves}
    return pd.Series({k: float(v.iloc[-1]) for k, v in last.items() if len(v)}, dtype=float)
