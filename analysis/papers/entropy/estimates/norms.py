"""E1: the two phases, an expanding norm and then a falling entropy (Truong et al. 2026, sections 3
and 5)."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.claims.findings import Finding
from analysis.output.formats import interval, number
from analysis.papers.entropy.estimates.calibration import expansion
from analysis.papers.entropy.estimates.conditions import BASELINE
from analysis.papers.entropy.estimates.within_runs import from_half
from analysis.runs.experiments import Experiments, NotRun
from analysis.runs.tables import Tables
from analysis.stats import effects, means
from analysis.times.timescales import arms, events
from grokpipe.curves.events import ENTROPY

NORM = "weight_norm"
EXPANDED = 1.1
"""the factor above its least value so far from which a norm has expanded"""
STABLE = 0.05
"""by how much H̃ may move while it counts as stable"""
RISE = 0.02
"""by how much H̃ may rise above its least value so far while it counts as falling"""


@dataclass(frozen=True)
class Phases:
    """Of one run that groks, over its evaluations until then."""

    growth: float
    """the norm's largest factor above its least value so far"""
    expanded: float
    """step at which that factor first was EXPANDED; NaN: never"""
    low: float
    """step of the least norm before the largest growth"""
    peak: float
    """step of the largest growth"""
    moved: float
    """by how much H̃ moved at most from `low` to `peak`"""
    collapse: float
    """T_collapse_last; T_grok if there was no fall"""
    half: float
    """step of the last H̃ above the middle of its first value and that at T_grok"""
    rise: float
    """the largest rise of H̃ above its least value so far"""


def phases(curve: pd.DataFrame, collapse: float) -> Phases:
    """`curve`: the evaluations of a run up to T_grok."""
    step, norm = curve["step"].to_numpy(float), curve[NORM].to_numpy(float)
    entropy = curve[ENTROPY].to_numpy(float)
    factors = norm / np.minimum.accumulate(norm)
    peak = int(factors.argmax())
    low = int(norm[: peak + 1].argmin())
    reached = factors >= EXPANDED
    return Phases(
        growth=expansion(norm),
        expanded=float(step[reached.argmax()]) if reached.any() else math.nan,
        low=float(step[low]),
        peak=float(step[peak]),
        moved=float(np.abs(entropy[low : peak + 1] - entropy[low]).max()),
        collapse=collapse,
        half=float(step[min(from_half(curve, math.nan), len(step) - 1)]),
        rise=float((entropy - np.minimum.accumulate(entropy)).max()),
    )


def of_runs(tables: Tables) -> dict[str, Phases]:
    """By key, of the runs that grok."""
    found = events(tables)
    wide = found[found["observed"].astype(bool)].pivot(index="key", columns="event", values="step")
    by_key = dict(iter(tables.curves.groupby("key")))
    phased = {}
    for key, row in wide.reindex(columns=["t_grok", "t_collapse_last"]).iterrows():
        if not math.isnan(row["t_grok"]):
            curve = by_key[key][by_key[key]["step"] <= row["t_grok"]]
            fall = row["t_collapse_last"]
            phased[str(key)] = phases(curve, row["t_grok"] if math.isnan(fall) else fall)
    return phased


def expands_before_collapse(experiments: Experiments) -> Finding:
    """In how many of the runs that grok the norm expands, by a tenth, before the last fall of H̃
    that leads to grokking begins. Raises NotRun."""
    found = _phased(experiments)
    shown = [one.expanded < one.collapse for one in found.values()]
    growths = [one.growth for one in found.values()]
    fallen = sum(one.expanded < one.half for one in found.values())
    note = (
        f"largest growth by a factor of {min(growths):.2f} to {max(growths):.2f}; it rests on where"
        " the collapse is said to begin: before H̃ is below the middle of its first value and that"
        f" at T_grok for good, the norm expands in {fallen} of {len(found)}"
    )
    return _share(experiments, found, shown, note)


def stable_while_expanding(experiments: Experiments) -> Finding:
    """In how many of the runs whose norm expands H̃ stays within 0.05 of what it was at the norm's
    least value until the norm's largest growth. Raises NotRun."""
    every = _phased(experiments)
    found = {key: one for key, one in every.items() if one.growth >= EXPANDED}
    moved = [one.moved for one in found.values()]
    told = [f"H̃ moves by {min(moved):.2f} to {max(moved):.2f}"] if moved else []
    if still := len(every) - len(found):
        told.append(f"the norm does not expand in {still} of {len(every)} runs")
    return _share(experiments, found, [value <= STABLE for value in moved], "; ".join(told))


def monotone(experiments: Experiments) -> Finding:
    """In how many H̃ never rises by more than 0.02 above its least value so far. Raises NotRun."""
    found = _phased(experiments)
    rises = [one.rise for one in found.values()]
    note = f"the largest rise is {min(rises):.2f} to {max(rises):.2f}"
    return _share(experiments, found, [value <= RISE for value in rises], note)


def slopes(tables: Tables) -> pd.Series:
    """By key, of the runs that grok for good: the slope of H̃ after it, per 1,000 steps, by least
    squares over the evaluations from sustained T_grok on."""
    found = events(tables)
    found = found[(found["event"] == "t_grok_sustained") & found["observed"].astype(bool)]
    by_key = dict(iter(tables.curves.groupby("key")))
    slope = {}
    for key, step in zip(found["key"], found["step"], strict=True):
        after = by_key[key][by_key[key]["step"] >= step]
        if len(after) > 2:
            slope[key] = 1000 * float(np.polyfit(after["step"], after[ENTROPY], 1)[0])
    return pd.Series(slope, dtype=float)


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """The norm's way by variant, over E0's variants and the baseline, and the slope of H̃ after
    grokking. Raises NotRun without the baseline."""
    rows = [_row("baseline", experiments.tables(BASELINE), experiments)]
    try:
        variants = experiments.tables("e0_fingerprint")
    except NotRun:
        variants = None
    if variants is not None:
        number_of = arms(variants)
        settings = ["arch.norm", "arch.tokens", "arch.embedding", "optimizer.betas"]
        for _, keys in number_of.groupby(number_of):
            arm = variants.only(keys.index)
            label = ", ".join(str(arm.cells[setting].iloc[0]) for setting in settings)
            rows.append(_row(label, arm, experiments))
    return {"The norm by variant, and the entropy after grokking": pd.DataFrame(rows)}


def _row(label: str, runs: Tables, experiments: Experiments) -> dict[str, str]:
    found, curves = of_runs(runs), runs.curves
    at_end = curves.groupby("key")[NORM].last()
    first = curves[curves["step"] == 0][NORM]
    slope = slopes(runs)
    shown = {"runs": label, "grokked": f"{len(found)}/{len(runs.cells)}"}
    shown["norm at start"] = number(float(first.mean()), 1)
    if not found:
        return shown
    table = pd.DataFrame([vars(one) for one in found.values()])
    shown |= {
        "least at step": number(float(table["low"].mean())),
        "most grown at step": number(float(table["peak"].mean())),
        "growth": f"{table['growth'].mean():.2f} {interval(*_range(table['growth']), 2)}",
        "at the end": number(float(at_end.mean()), 1),
    }
    if len(slope):
        mean = means.mean(slope.to_numpy(), experiments.generator())
        shown["H̃ per 1,000 steps after [95 %]"] = (
            f"{number(mean.estimate, 4, '+')} {interval(mean.lower, mean.upper, 4, '+')}".rstrip()
        )
    return shown


def _range(values: pd.Series) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _phased(experiments: Experiments) -> dict[str, Phases]:
    found = of_runs(experiments.tables(BASELINE))
    if not found:
        raise NotRun(f"{BASELINE}: no run grokked yet")
    return found


def _share(
    experiments: Experiments, found: dict[str, Phases], shown: list[bool], note: str
) -> Finding:
    behind, k = experiments.tables(BASELINE).only(found), int(sum(shown))
    return Finding(effects.proportion(k, len(shown)), len(shown), behind, k, note)
