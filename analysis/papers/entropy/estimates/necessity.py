"""E9: does any run grok without having crossed the baseline's H̃*? (Truong et al. 2026, the title of
section 11)"""

from collections.abc import Iterator

import pandas as pd

from analysis.claims.findings import Finding
from analysis.output.formats import interval, number
from analysis.papers.entropy.estimates.conditions import BASELINE
from analysis.papers.entropy.estimates.thresholds import at_grok
from analysis.runs.combine import join
from analysis.runs.experiments import Experiments, NotRun
from analysis.runs.tables import Tables
from analysis.stats import effects
from analysis.times.timescales import arms, events
from grokpipe.curves.events import ENTROPY

OTHERS = (
    "e2_mixing", "e2_noise", "e3_norm_control", "e3_norm_alone", "e3_norm_freeze",
    "e3_temperature", "e3_regularise", "d2_failures", "e9_rates",
)  # fmt: skip
"""experiments on the baseline's task and architecture with other arms, decays, fractions, rates"""


def crossed_before_grokking(experiments: Experiments) -> Finding:
    """Of the runs of all other arms that grok: in how many H̃ was at or below the baseline's mean
    H̃* at T_grok or at an earlier evaluation. Raises NotRun."""
    level = _level(experiments)
    several, crossed = [], []
    for _, tables in _others(experiments):
        several.append(tables)
        crossed.append(_crossed(tables, level))
    if not crossed or not sum(map(len, crossed)):
        raise NotRun(f"{', '.join(OTHERS)}: no run that groks")
    every = pd.concat(crossed)
    every = every[~every.index.duplicated()]
    found, base = every["by then"], _crossed(experiments.tables(BASELINE), level)
    behind = join(several, experiments.folder).only(found.index)
    k, n = int(found.sum()), len(found)
    # no run need be below a mean over runs: what the baseline's own do is the yardstick
    note = (
        f"H̃* = {level:.3f}, the mean over the baseline's seeds, of which {base['by then'].sum()} of"
        f" {len(base)} have crossed it by T_grok and {base['before'].sum()} at an earlier"
        f" evaluation; of the other arms' runs {every['before'].sum()} of {n} earlier"
    )
    if said := _beyond(experiments):
        note += f"; H̃ at T_grok lies above that of every run of the baseline in: {said}"
    return Finding(effects.proportion(k, n), n, behind, k, note)


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """The same by arm, beside the baseline, whose own seeds cross their mean as they grok in about
    half of the runs. Raises NotRun."""
    level = _level(experiments)
    rows = []
    for label, of_arm in by_arm(experiments):
        crossed, values = _crossed(of_arm, level), at_grok(of_arm).dropna()
        by_then, before = int(crossed["by then"].sum()), int(crossed["before"].sum())
        share = effects.proportion(by_then, len(crossed))
        rows.append(
            {
                "runs": label,
                "grokked": f"{len(crossed)}/{len(of_arm.cells)}",
                "crossed H̃* by T_grok [95 %]": f"{by_then}/{len(crossed)} "
                + interval(share.lower, share.upper, 2),
                "at an earlier evaluation": f"{before}/{len(crossed)}",
                "H̃ at T_grok": number(float(values.mean()), 3),
                "highest": number(float(values.max()), 3),
            }
        )
    return {f"Runs that had crossed H̃* = {level:.3f} when they grokked": pd.DataFrame(rows)}


def _beyond(experiments: Experiments) -> str:
    """Arms with runs that grok at a higher H̃ than any of the baseline's: 5 of 5 of mixing."""
    (_, base), *others = by_arm(experiments)
    highest, said = float(at_grok(base).max()), []
    for label, of_arm in others:
        values = at_grok(of_arm).dropna()
        if beyond := int((values > highest).sum()):
            said.append(f"{beyond} of {len(values)} of {label}")
    return ", ".join(said)


def _level(experiments: Experiments) -> float:
    values = at_grok(experiments.tables(BASELINE)).dropna()
    if not len(values):
        raise NotRun(f"{BASELINE}: no run grokked yet")
    return float(values.mean())


def _others(experiments: Experiments) -> Iterator[tuple[str, Tables]]:
    known = set(experiments.tables(BASELINE).cells["key"])
    for name in OTHERS:
        try:
            tables = experiments.tables(name)
        except NotRun:
            continue
        yield name, tables.only(set(tables.cells["key"]) - known)


def by_arm(experiments: Experiments) -> Iterator[tuple[str, Tables]]:
    """The baseline and every other arm that was run, as a reader calls it. Raises NotRun without a
    baseline."""
    yield "baseline", experiments.tables(BASELINE)
    for name, tables in _others(experiments):
        of = arms(tables)
        settings = [
            c for c in SETTINGS if c in tables.cells and tables.cells[c].nunique(dropna=False) > 1
        ]
        cells = tables.cells.set_index("key")
        found = [
            (cells.loc[keys[0], settings].tolist(), keys) for keys in of.groupby(of).groups.values()
        ]
        for values, keys in sorted(found, key=lambda arm: arm[0]):
            said = ", ".join(
                f"{setting.rpartition('.')[2]} {value:g}"
                for setting, value in zip(settings, values, strict=True)
            )
            yield f"{name.partition('_')[2].replace('_', ' ')} {said}".strip(), tables.only(keys)


SETTINGS = ("intervention.alpha", "intervention.beta", "weight_decay", "task.fraction", "lr")


def _crossed(tables: Tables, level: float) -> pd.DataFrame:
    """By key, of the runs that grok, whether H̃ was at or below the level `by then`, at an
    evaluation up to T_grok, and `before`, at an earlier one."""
    found = events(tables)
    found = found[(found["event"] == "t_grok") & found["observed"].astype(bool)]
    by_key = dict(iter(tables.curves.groupby("key")))
    crossed = {}
    for key, step in zip(found["key"], found["step"], strict=True):
        until = by_key[key][by_key[key]["step"] <= step][ENTROPY] <= level
        crossed[str(key)] = {"by then": bool(until.any()), "before": bool(until.iloc[:-1].any())}
    return pd.DataFrame.from_dict(crossed, orient="index", columns=["by then", "before"])
