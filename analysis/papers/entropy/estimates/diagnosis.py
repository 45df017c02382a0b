"""D2: does a run whose entropy has not collapsed fail to grok, and one whose has grok? (Truong et
al. 2026, section 10 and Table 5, which gives neither a horizon nor numbers.)

A run is called "will grok" if H̃ has been at or below H̃* by the horizon, the largest T_grok of the
baseline, and "will not" otherwise. H̃* is the baseline's; for its own runs that of the others.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.claims.arms import BASELINE, Arm, Runs, observed
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.curves import at_event
from analysis.output.formats import number
from analysis.papers.entropy.estimates.networks import GENERALISED
from analysis.runs.experiments import NotRun
from analysis.runs.tables import Tables
from analysis.stats import effects
from grokpipe.curves.events import ENTROPY, learned_levels

FAILURES, MLPS = "failures", "mlp_by_fraction"


@dataclass(frozen=True)
class Diagnoses:
    """Predictions and outcomes of the runs of the baseline, of the failures and of the MLPs."""

    runs: pd.DataFrame
    """by key: kind, grokked, called (predicted to grok), early (called before it grokked, by a
    horizon from the other seeds), low (below H̃* by the horizon, test accuracy below GENERALISED
    throughout), known (False: neither crossed nor followed to the horizon)"""
    tables: Tables
    horizon: float
    level: float
    """H̃* of all of the baseline's runs"""

    @property
    def note(self) -> str:
        said = f"horizon {number(self.horizon)} steps, H̃* {self.level:.3f}"
        if unknown := int((~self.runs["known"]).sum()):
            said += f"; {unknown} runs that broke off before the horizon are left out"
        return said


def sensitivity(runs: Runs) -> Estimate:
    """Fraction of grokking runs predicted to grok by the horizon, including those that had already
    grokked; the note has the number predicted before. Raises NotRun."""
    found = diagnoses(runs)
    early = int(found.runs.loc[found.runs["known"] & found.runs["grokked"], "early"].sum())
    return _share(found, True, f"{found.note}; predicted before T_grok: {early}")


def sensitivity_ahead(runs: Runs) -> Estimate:
    """Fraction of grokking runs that were predicted to grok before they did, and by a horizon from
    other seeds: a diagnosis is made before what it predicts. Raises NotRun."""
    found = diagnoses(runs)
    of_kind = found.runs[found.runs["known"] & found.runs["grokked"]]
    if of_kind.empty:
        raise NotRun("no run that groks")
    k, n = int(of_kind["early"].sum()), len(of_kind)
    return Estimate(effects.proportion(k, n), n, found.tables.only(of_kind.index), k, found.note)


def specificity(runs: Runs) -> Estimate:
    """Fraction of the runs that do not grok that are predicted not to. Raises NotRun, also if all
    grok."""
    found = diagnoses(runs)
    return _share(found, False, found.note)


def diagnoses(runs: Runs) -> Diagnoses:
    """Predictions for the baseline, the failures and the MLPs, as far as they were run. A run that
    ended as planned before the horizon, 5,000 steps after it grokked, is judged by its curve until
    then. Raises NotRun without a baseline that groks, or without failures and MLPs."""
    base = runs.arm(BASELINE)
    values = at_event(base, ENTROPY)
    times = observed(base.events("t_grok")).set_index("key")["step"]
    horizon, level = float(times.max()), float(values.mean())
    levels = pd.Series(learned_levels(values), index=values.index).dropna()
    named = [("baseline", base), *_others(runs)]
    if len(named) == 1:
        raise NotRun(f"{FAILURES}, {MLPS}: not run")
    rows: dict[str, dict[str, object]] = {}
    for kind, arm in named:
        for event in arm.events("t_grok").to_dict("records"):
            key = event["key"]
            if key not in rows:
                curve = arm.tables.curves[arm.tables.curves["key"] == key]
                own = levels.get(key, level)
                ahead = times.drop(key, errors="ignore").max()  # of other seeds
                rows[key] = {"kind": kind} | _called(curve, event, own, horizon, ahead)
    tables = runs.joined([arm for _, arm in named], rows)
    return Diagnoses(pd.DataFrame.from_dict(rows, orient="index"), tables, horizon, level)


def _others(runs: Runs) -> Iterator[tuple[str, Arm]]:
    """The failures and the MLPs that were run, with their kinds."""
    with suppress(NotRun):
        failures = runs.arm(FAILURES)
        for (decay, fraction), cells in failures.tables.cells.groupby(
            ["weight_decay", "task.fraction"], sort=False
        ):
            yield f"decay {decay:g}, fraction {fraction:g}", failures.only(cells["key"])
    with suppress(NotRun):
        for fraction, arm in runs.divided(MLPS).items():
            yield f"MLP modulo 41, fraction {fraction:g}", arm


def _called(
    curve: pd.DataFrame, event: dict[str, Any], level: float, horizon: float, ahead: float
) -> dict[str, object]:
    """The row of one run: its evaluations, its T_grok, the H̃* that it is held to, the horizon, and
    that of the other seeds alone."""
    until = curve[curve["step"] <= horizon]
    grokked = bool(event["observed"])
    called = bool((until[ENTROPY] <= level).any())
    earlier = (curve["step"] < event["step"]) & (curve["step"] <= ahead)
    before = curve.loc[earlier, ENTROPY] <= level
    done = event["state"] == "done"
    followed = curve["step"].max() >= horizon or done
    return {
        "grokked": grokked,
        "called": called,
        "early": called and grokked and bool(before.any()),
        "low": called and bool((curve["test_accuracy"] < GENERALISED).all()),
        # neither outcome nor call is known of what broke off; what is not defined calls nothing
        "known": (grokked or done)
        and (called or followed)
        and bool(np.isfinite(until[ENTROPY]).any()),
    }


def _share(found: Diagnoses, grokked: bool, note: str) -> Estimate:
    of_kind = found.runs[found.runs["known"] & (found.runs["grokked"] == grokked)]
    if of_kind.empty:
        raise NotRun(f"no run that {'groks' if grokked else 'does not grok'}")
    right = of_kind["called"] == grokked
    k, n = int(right.sum()), len(right)
    return Estimate(effects.proportion(k, n), n, found.tables.only(of_kind.index), k, note)
