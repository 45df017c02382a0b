"""E1: how long before grokking the entropy crosses H̃*, and how long before it falls (Truong et al.
2026, Observation 1 and section 5, which take the two for one)."""

import math
from dataclasses import replace

import pandas as pd

from analysis.claims.findings import Finding
from analysis.output.formats import number
from analysis.papers.entropy.estimates.conditions import BASELINE
from analysis.runs.combine import every
from analysis.runs.experiments import Experiments, NotRun
from analysis.runs.tables import Tables
from analysis.stats import effects, means
from analysis.times.timescales import events

CROSS, COLLAPSE, LAST = "t_cross", "t_collapse", "t_collapse_last"
EVENTS = {"t_mem": "T_mem", COLLAPSE: "T_collapse", LAST: "T_collapse, last", CROSS: "T_cross"}
COARSE = 200
"""steps between evaluations in the paper's text; its counts of points mean 100"""


def crossed_before(experiments: Experiments) -> Finding:
    """In how many of the runs that grok H̃ was at or below the other seeds' H̃* at an earlier
    evaluation. Raises NotRun."""
    return _before(experiments, CROSS)


def mean_cross_lead(experiments: Experiments) -> Finding:
    """T_grok − T_cross, mean over the runs that grok; negative where H̃ crosses later. In a run that
    had not crossed by its last evaluation the lead is at most T_grok less that step: then the mean
    is only bounded from above. Raises NotRun."""
    return _lead(experiments, CROSS)


def collapsed_before(experiments: Experiments) -> Finding:
    """In how many of the runs that grok H̃ had fallen by more than 0.05 over 5 evaluations before.
    Raises NotRun."""
    return _before(experiments, COLLAPSE)


def mean_collapse_lead(experiments: Experiments) -> Finding:
    """T_grok − T_collapse, mean over the runs that grok. Raises NotRun."""
    return _lead(experiments, COLLAPSE)


def per_seed(tables: Tables) -> pd.DataFrame:
    """A row per run that groks, index key, by seed: seed, t_grok, and for each of EVENTS its step
    and `lead_<event>` = t_grok − step; NaN where it was not seen."""
    found = events(tables)
    wide = found[found["observed"].astype(bool)].pivot(index="key", columns="event", values="step")
    wide = wide.reindex(columns=["t_grok", *EVENTS]).dropna(subset=["t_grok"])
    for name in EVENTS:
        wide[f"lead_{name}"] = wide["t_grok"] - wide[name]
    seeds = tables.cells.set_index("key")["seed"]
    return wide.assign(seed=seeds.reindex(wide.index)).sort_values("seed")


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """Times and leads seed by seed, at both gaps between evaluations. Raises NotRun."""
    fine = experiments.tables(BASELINE)
    shown = {}
    for gap, runs in (("100", fine), (f"{COARSE}", every(fine, COARSE))):
        found = _found(runs)
        table = pd.DataFrame({"seed": found["seed"].astype(str), "T_grok": _steps(found["t_grok"])})
        for name, title in EVENTS.items():
            table[title] = _steps(found[name])
        for name in (COLLAPSE, LAST, CROSS):
            table[f"lead of {EVENTS[name]}"] = _steps(found[f"lead_{name}"])
        shown[f"Times and leads by seed, evaluated every {gap} steps"] = table.reset_index(
            drop=True
        )
    return shown


def _found(runs: Tables) -> pd.DataFrame:
    found = per_seed(runs)
    if found.empty:
        raise NotRun(f"{BASELINE}: no run grokked yet")
    return found


def _before(experiments: Experiments, event: str) -> Finding:
    tables = experiments.tables(BASELINE)
    found, coarse = _found(tables), _found(every(tables, COARSE))
    k, n = int((found[f"lead_{event}"] > 0).sum()), len(found)
    at_200 = int((coarse[f"lead_{event}"] > 0).sum())
    note = f"evaluated every {COARSE} steps: {at_200} of {len(coarse)}"
    if event == COLLAPSE:  # it may be a fall of the first transient, long before
        first, last = found[COLLAPSE], found[LAST]
        earlier = int((found[f"lead_{LAST}"] > 0).sum())
        note += (
            f"; the first such fall is at a median step of {number(float(first.median()))}"
            f" ({number(first.min())} to {number(first.max())}), the last before grokking at"
            f" {number(float(last.median()))}, earlier than T_grok in {earlier} of {n}"
        )
    return Finding(effects.proportion(k, n), n, tables.only(found.index), k, note)


def _lead(experiments: Experiments, event: str) -> Finding:
    tables = experiments.tables(BASELINE)
    found, coarse = _found(tables), _found(every(tables, COARSE))
    leads, last = found[f"lead_{event}"], tables.curves.groupby("key")["step"].max()
    note = (
        f"seeds from {number(leads.min())} to {number(leads.max())}; evaluated every {COARSE} "
        f"steps: mean {number(float(coarse[f'lead_{event}'].mean()))}"
    )
    if missing := int(leads.isna().sum()):
        note += f"; {missing} runs that grok had not shown it when they ended: no more than this"
    most = leads.fillna(found["t_grok"] - last.reindex(found.index))
    interval = means.mean(most.to_numpy(float), experiments.generator())
    if missing and interval.bounded:
        said = f"{interval.method}, {missing} leads bounded from above alone"
        interval = replace(interval, lower=-math.inf, method=said)
    return Finding(interval, len(found), tables.only(found.index), note=note)


def _steps(values: pd.Series) -> list[str]:
    return [number(value) for value in values]
