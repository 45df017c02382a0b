"""E7: an MLP beside the Transformer on the same splits of addition modulo 41 (Truong et al. 2026,
section 11). The paper does not tell the fraction of pairs that it trains on, and MLPs grok from a
fraction on: the claim is judged at FRACTION, a table has them all.
"""

import math

import numpy as np
import pandas as pd

from analysis.claims.findings import Finding
from analysis.output.formats import estimated, number
from analysis.papers.entropy.estimates.conditions import groks
from analysis.papers.entropy.estimates.shares import finished, share
from analysis.papers.entropy.estimates.thresholds import at_grok
from analysis.runs.experiments import Experiments, NotRun
from analysis.runs.tables import Tables
from analysis.stats import means
from analysis.times import timescales
from grokpipe.curves.events import ENTROPY

EXPERIMENT = "e7_mlp"
MLP, TRANSFORMER = "mlp", "transformer"
NAMES = {MLP: "MLP", TRANSFORMER: "Transformer"}
FRACTION = 0.2
"""as for addition modulo 97"""
GENERALISED = 0.1
"""test accuracy below which a run has not generalised at all"""
BEFORE = 1_000
"""steps before T_grok that a rise is counted from"""
ALIGNMENT, NULL = "fourier/alignment", "fourier/alignment_null"


def mlp_collapsed_without_grokking(experiments: Experiments) -> Finding:
    """The share of MLP runs whose H̃ fell below the Transformers' H̃* at some evaluation, with a
    test accuracy below GENERALISED at all of them. Raises NotRun."""
    tables = of_network(experiments, MLP, FRACTION)
    level, of = _threshold(experiments, FRACTION)
    runs = groks(tables).set_index("key", drop=False)
    ended, low = finished(runs), _best(tables).reindex(runs.index) < GENERALISED
    collapsed = _least(tables).reindex(runs.index) < level
    note = f"at a fraction of {FRACTION:g}; H̃* {level:.3f} of the Transformers at {of:g}"
    if of != FRACTION:
        why = "groks" if _was_run(experiments, TRANSFORMER, FRACTION) else "was run"
        note += f", as none {why} at {FRACTION:g}"
    # of a run that has not ended nothing is known before it generalises
    return share(EXPERIMENT, tables, runs, collapsed & low & ended, ended | ~low, note)


def transformer_grokked(experiments: Experiments) -> Finding:
    """The share of Transformer runs, at the fraction at which the MLPs are judged, that grok and
    have H̃ at or below H̃* at some evaluation. Raises NotRun."""
    tables = of_network(experiments, TRANSFORMER, FRACTION)
    runs = groks(tables).set_index("key", drop=False)
    events = runs["observed"].astype(bool)
    level = float(at_grok(tables).mean())  # NaN, and nothing is below it, if none groks
    crossed = _least(tables).reindex(runs.index) <= level
    note = f"at a fraction of {FRACTION:g}, {events.sum()} of {len(runs)} grok"
    return share(EXPERIMENT, tables, runs, events & crossed, finished(runs), note)


def mlp_alignment_excess(experiments: Experiments) -> Finding:
    """By how much the MLPs' Fourier alignment is above that with permuted labels at the end. Raises
    NotRun."""
    tables = of_network(experiments, MLP, FRACTION)
    last = tables.curves.groupby("key").tail(1)
    excess = (last[ALIGNMENT] - last[NULL]).to_numpy()
    found = means.mean(excess, experiments.generator())
    note = f"at a fraction of {FRACTION:g}" + _unfinished(tables)
    return Finding(found, len(excess), tables, note=note)


def transformer_alignment_rise(experiments: Experiments) -> Finding:
    """How much the Transformers' alignment rises from BEFORE steps before T_grok to the end, in the
    runs that grok. Raises NotRun if none does."""
    tables = of_network(experiments, TRANSFORMER, FRACTION)
    rises = _rises(tables, "t_grok", BEFORE)
    if rises.empty:
        raise NotRun(f"{EXPERIMENT}: no Transformer groks at a fraction of {FRACTION:g}")
    found = means.mean(rises.to_numpy(), experiments.generator())
    whole = _rises(tables, "t_mem", 0).reindex(rises.index).mean()
    note = (
        f"at a fraction of {FRACTION:g}, from {BEFORE:,} steps before T_grok to the end;"
        f" from the end of memorisation {number(whole, 2, '+')}"
    )
    if left := len(tables.cells) - len(rises):
        note += f"; {left} of {len(tables.cells)} runs that did not grok are left out"
    return Finding(found, len(rises), tables.only(rises.index), note=note)


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """A row per fraction and network. Raises NotRun."""
    rows = []
    for fraction in fractions(experiments):
        for arch in (MLP, TRANSFORMER):
            try:
                rows.append(_row(experiments, arch, fraction))
            except NotRun:
                continue
    return {"MLP and Transformer modulo 41": pd.DataFrame(rows)}


def fractions(experiments: Experiments) -> list[float]:
    """The fractions that were run, ascending. Raises NotRun."""
    cells = experiments.tables(EXPERIMENT).cells
    return sorted(float(value) for value in cells["task.fraction"].unique())


def of_network(experiments: Experiments, arch: str, fraction: float) -> Tables:
    """The runs of one network at one fraction. Raises NotRun."""
    tables = experiments.tables(EXPERIMENT)
    cells = tables.cells
    near = np.isclose(cells["task.fraction"].astype(float), fraction)
    there = near & (cells["arch.name"] == arch)
    if not there.any():
        raise NotRun(f"{EXPERIMENT}: no run of an {arch} at a fraction of {fraction:g}")
    return tables.only(cells["key"][there])


def _was_run(experiments: Experiments, arch: str, fraction: float) -> bool:
    try:
        of_network(experiments, arch, fraction)
    except NotRun:
        return False
    return True


def threshold(experiments: Experiments, fraction: float) -> float:
    """H̃* of the Transformers at one fraction; NaN if none groks or none was run."""
    try:
        return float(at_grok(of_network(experiments, TRANSFORMER, fraction)).mean())
    except NotRun:
        return math.nan


def _threshold(experiments: Experiments, fraction: float) -> tuple[float, float]:
    """H̃* of the Transformers at a fraction or, if none groks there, at the nearest above; and
    which. Raises NotRun."""
    for other in fractions(experiments):
        if other >= fraction - 1e-9 and not math.isnan(level := threshold(experiments, other)):
            return level, other
    raise NotRun(f"{EXPERIMENT}: no Transformer groks from a fraction of {fraction:g} on: no H̃*")


def _least(tables: Tables) -> pd.Series:
    """H̃ at its least, by key."""
    return tables.curves.groupby("key")[ENTROPY].min()


def _best(tables: Tables) -> pd.Series:
    """Test accuracy at its best, by key."""
    return tables.curves.groupby("key")["test_accuracy"].max()


def _rises(tables: Tables, event: str, back: float) -> pd.Series:
    """By key, of the runs that had the event: how much the alignment rises to the end from the last
    evaluation that lies so many steps before it or more, or from the first if none does."""
    events = timescales.events(tables)
    events = events[(events["event"] == event) & events["observed"].astype(bool)]
    found = {}
    for key, step in zip(events["key"], events["step"], strict=True):
        curve = tables.curves[tables.curves["key"] == key]
        before = curve[curve["step"] <= max(step - back, curve["step"].iloc[0])]
        found[str(key)] = float(curve[ALIGNMENT].iloc[-1] - before[ALIGNMENT].iloc[-1])
    return pd.Series(found, dtype=float)


def _unfinished(tables: Tables) -> str:
    count = int((tables.cells["state"] != "done").sum())
    return f"; {count} of {len(tables.cells)} runs are not finished" if count else ""


def _row(experiments: Experiments, arch: str, fraction: float) -> dict[str, str]:
    tables = of_network(experiments, arch, fraction)
    generator = experiments.generator()
    runs = tables.curves.groupby("key")
    last = runs.tail(1)
    level = threshold(experiments, fraction)
    n = len(tables.cells)
    collapsed = "–"
    if not math.isnan(level):
        without = (_least(tables) < level) & (_best(tables) < GENERALISED)
        collapsed = f"{without.sum()}/{n}"
    rises = _rises(tables, "t_grok", BEFORE)
    learned = _rises(tables, "t_mem", 0)
    accuracy = last["test_accuracy"]
    return {
        "fraction": f"{fraction:g}",
        "network": NAMES[arch],
        "grokked": f"{groks(tables)['observed'].sum()}/{n}",
        "H̃* of the Transformers": number(level, 3),
        "H̃ below it, test accuracy < 0.1 throughout": collapsed,
        "H̃ at the end": _mean(last[ENTROPY], generator, 3),
        "test accuracy at the end (least to largest)": (
            f"{number(accuracy.mean(), 3)} ({number(accuracy.min(), 3)} to"
            f" {number(accuracy.max(), 3)})"
        ),
        "alignment at the end": _mean(last[ALIGNMENT], generator, 2),
        "its null": _mean(last[NULL], generator, 2),
        "its rise from memorisation on": _mean(learned, generator, 2) if len(learned) else "–",
        f"from {BEFORE:,} steps before T_grok on": (
            _mean(rises, generator, 2) if len(rises) else "–"
        ),
    }


def _mean(values: pd.Series, generator: np.random.Generator, decimals: int) -> str:
    return estimated(means.mean(values.to_numpy(float), generator), decimals)
