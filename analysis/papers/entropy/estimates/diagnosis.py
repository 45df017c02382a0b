"""D2: does a run whose entropy has not collapsed fail to grok, and one whose has grok? (Truong et
al. 2026, section 10 and Table 5, which gives neither a horizon nor numbers.)

A run is called "will grok" if H̃ has been at or below H̃* by the horizon, the largest T_grok of the
baseline, and "will not" otherwise. H̃* is the baseline's; for its own runs that of the others.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.claims.findings import Finding
from analysis.output.formats import interval, number
from analysis.papers.entropy.estimates import networks
from analysis.papers.entropy.estimates.conditions import BASELINE, groks
from analysis.papers.entropy.estimates.thresholds import at_grok
from analysis.runs.combine import join
from analysis.runs.experiments import Experiments, NotRun
from analysis.runs.tables import Tables
from analysis.stats import effects
from grokpipe.curves.events import ENTROPY, learned_levels

FAILURES = "d2_failures"
MLPS = "MLP modulo 41"
LOW = 0.1
"""test accuracy below which a run has not generalised at all, for Table 5's fourth row"""


@dataclass(frozen=True)
class Diagnoses:
    """What the runs of the baseline, of the failures and of the MLPs were called, and were."""

    runs: pd.DataFrame
    """by key: kind, grokked, called (True: will grok), early (called, and before it grokked), low
    (below H̃* by the horizon with test accuracy < LOW throughout), known (False: neither crossed nor
    followed to the horizon)"""
    tables: Tables
    horizon: float
    level: float
    """H̃* of all of the baseline's runs"""

    @property
    def note(self) -> str:
        said = f"horizon {number(self.horizon)} steps, H̃* {self.level:.3f}"
        if self.runs["kind"].str.startswith(MLPS).any():
            said += ", to which MLPs modulo 41 are held as well"
        if unknown := int((~self.runs["known"]).sum()):
            said += f"; {unknown} runs that broke off before the horizon are left out"
        return said


def sensitivity(experiments: Experiments) -> Finding:
    """The share of the runs that grok that are called so, by the horizon, be it that they grokked
    before; the note tells the others. Raises NotRun."""
    found = diagnoses(experiments)
    early = int(found.runs.loc[found.runs["known"] & found.runs["grokked"], "early"].sum())
    said = f"a call by the horizon may come after grokking; before T_grok: {early}"
    return _share(found, True, f"{found.note}; {said}")


def specificity(experiments: Experiments) -> Finding:
    """The share of the runs that do not grok that are called so. Raises NotRun, also if all do."""
    found = diagnoses(experiments)
    return _share(found, False, found.note)


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """How the runs of each kind were called. Raises NotRun."""
    found = diagnoses(experiments)
    rows = []
    for kind, of_kind in found.runs[found.runs["known"]].groupby("kind", sort=False):
        right = of_kind["called"] == of_kind["grokked"]
        share = effects.proportion(int(right.sum()), len(right))
        rows.append(
            {
                "runs": kind,
                "grokked": f"{of_kind['grokked'].sum()}/{len(of_kind)}",
                "called: will grok": f"{of_kind['called'].sum()}/{len(of_kind)}",
                "of these before T_grok": str(of_kind["early"].sum()),
                "called rightly [95 %]": (
                    f"{right.sum()}/{len(right)} {interval(share.lower, share.upper, 2)}"
                ),
                f"below H̃*, test accuracy < {LOW:g} throughout": str(of_kind["low"].sum()),
            }
        )
    return {f"Diagnosis at {number(found.horizon)} steps": pd.DataFrame(rows)}


def diagnoses(experiments: Experiments) -> Diagnoses:
    """Of the baseline, the failures and the MLPs, as far as they were run. A run that has ended as
    it should before the horizon, 5,000 steps after it grokked, is called by what it showed till
    then. Raises NotRun without a baseline that groks, or without failures and MLPs."""
    base = experiments.tables(BASELINE)
    values = at_grok(base)
    events = groks(base)
    observed = events["observed"].astype(bool)
    if not observed.any() or values.isna().all():
        raise NotRun(f"{BASELINE}: no run grokked, so there is neither H̃* nor a horizon")
    horizon, level = float(events.loc[observed, "step"].max()), float(values.mean())
    levels = pd.Series(learned_levels(values), index=values.index)
    several, kinds = [base], [pd.Series("baseline", index=base.cells["key"])]
    for tables, of_tables in _others(experiments, set(base.cells["key"])):
        several.append(tables)
        kinds.append(of_tables)
    if len(several) == 1:
        raise NotRun(f"{FAILURES}, {networks.EXPERIMENT}: not run")
    joined = join(several, experiments.folder)
    kind = pd.concat(kinds)
    kind = kind[~kind.index.duplicated()]
    return Diagnoses(_called(joined, kind, levels, level, horizon), joined, horizon, level)


def _others(experiments: Experiments, known: set[str]) -> list[tuple[Tables, pd.Series]]:
    """The failures and the MLPs that were run, with the kind of each run by its key."""
    found = []
    try:
        tables = experiments.tables(FAILURES)
        cells = tables.cells[~tables.cells["key"].isin(known)].set_index("key")
        kinds = [
            f"decay {decay:g}, fraction {fraction:g}"
            for decay, fraction in zip(cells["weight_decay"], cells["task.fraction"], strict=True)
        ]
        found.append((tables.only(cells.index), pd.Series(kinds, index=cells.index, dtype=object)))
    except NotRun:
        pass
    try:
        for fraction in networks.fractions(experiments):
            tables = networks.of_network(experiments, networks.MLP, fraction)
            kind = f"{MLPS}, fraction {fraction:g}"
            found.append((tables, pd.Series(kind, index=tables.cells["key"])))
    except NotRun:
        pass
    return found


def _called(
    tables: Tables, kind: pd.Series, levels: pd.Series, level: float, horizon: float
) -> pd.DataFrame:
    events = groks(tables).set_index("key")
    state = tables.cells.set_index("key")["state"]
    rows = {}
    for key in kind.index:
        curve = tables.curves[tables.curves["key"] == key]
        until = curve[curve["step"] <= horizon]
        own = levels.get(key, math.nan)
        own = level if math.isnan(own) else own
        called = bool((until[ENTROPY] <= own).any())
        followed = curve["step"].max() >= horizon or state[key] == "done"
        rows[key] = {
            "kind": kind[key],
            "grokked": bool(events["observed"][key]),
            "called": called,
            "early": bool((curve.loc[curve["step"] < events["step"][key], ENTROPY] <= own).any())
            and called
            and bool(events["observed"][key]),
            "low": called and bool((curve["test_accuracy"] < LOW).all()),
            # neither outcome nor call is known of what broke off; what is not defined calls nothing
            "known": bool(events["observed"][key] or state[key] == "done")
            and (called or followed)
            and bool(np.isfinite(until[ENTROPY]).any()),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _share(found: Diagnoses, grokked: bool, note: str) -> Finding:
    of_kind = found.runs[found.runs["known"] & (found.runs["grokked"] == grokked)]
    if of_kind.empty:
        raise NotRun(f"no run that {'groks' if grokked else 'does not grok'}")
    right = of_kind["called"] == grokked
    k, n = int(right.sum()), len(right)
    return Finding(effects.proportion(k, n), n, found.tables.only(of_kind.index), k, note)
