"""E9: does any run grok without having crossed the baseline's H̃*? (Truong et al. 2026, the title of
section 11)"""

from collections.abc import Iterator

import pandas as pd

from analysis import effects
from analysis.entropy.conditions import BASELINE
from analysis.entropy.experiments import Experiments, NotRun
from analysis.entropy.joined import join
from analysis.entropy.thresholds import at_grok
from analysis.findings import Finding
from analysis.gather import Tables
from analysis.tables import interval, number
from analysis.timescales import arms, events
from grokpipe.curves.events import ENTROPY

OTHERS = (
    "e2_mixing", "e2_noise", "e3_norm_control", "e3_norm_alone", "e3_norm_freeze",
    "e3_temperature", "e3_regularise", "d2_failures",
)  # fmt: skip
"""experiments on the baseline's task and architecture with other arms, decays and fractions"""


def crossed_before_grokking(experiments: Experiments) -> Finding:
    """Of the runs of all other arms that grok: in how many H̃ was at or below the baseline's mean
    H̃* at T_grok or before. Raises NotRun."""
    level = _level(experiments)
    several, crossed = [], []
    for _, tables in _others(experiments):
        several.append(tables)
        crossed.append(_crossed(tables, level))
    if not crossed or not sum(map(len, crossed)):
        raise NotRun(f"{', '.join(OTHERS)}: no run that groks")
    found = pd.concat(crossed)
    found = found[~found.index.duplicated()]
    behind = join(several, experiments.folder).only(found.index)
    note = f"H̃* = {level:.3f}, the mean over the baseline's seeds"
    k, n = int(found.sum()), len(found)
    return Finding(effects.proportion(k, n), n, behind, k, note)


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """The same by arm, beside the baseline, whose own seeds cross their mean as they grok in about
    half of the runs. Raises NotRun."""
    level = _level(experiments)
    rows = []
    for label, of_arm in _arms(experiments):
        crossed, values = _crossed(of_arm, level), at_grok(of_arm).dropna()
        share = effects.proportion(int(crossed.sum()), len(crossed))
        rows.append(
            {
                "runs": label,
                "grokked": f"{len(crossed)}/{len(of_arm.cells)}",
                "crossed H̃* before [95 %]": f"{int(crossed.sum())}/{len(crossed)} "
                + interval(share.lower, share.upper, 2),
                "H̃ at T_grok": number(float(values.mean()), 3),
                "highest": number(float(values.max()), 3),
            }
        )
    return {f"Runs that crossed H̃* = {level:.3f} before they grokked": pd.DataFrame(rows)}


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


def _arms(experiments: Experiments) -> Iterator[tuple[str, Tables]]:
    yield "baseline", experiments.tables(BASELINE)
    for name, tables in _others(experiments):
        of = arms(tables)
        dials = [
            c for c in DIALS if c in tables.cells and tables.cells[c].nunique(dropna=False) > 1
        ]
        for _, keys in of.groupby(of):
            cells = tables.cells[tables.cells["key"].isin(keys.index)]
            said = ", ".join(f"{dial.rpartition('.')[2]} {cells[dial].iloc[0]:g}" for dial in dials)
            yield (
                f"{name.partition('_')[2].replace('_', ' ')} {said}".strip(),
                tables.only(keys.index),
            )


DIALS = ("intervention.alpha", "intervention.beta", "weight_decay", "task.fraction")


def _crossed(tables: Tables, level: float) -> pd.Series:
    """By key, of the runs that grok: whether H̃ was at or below the level by then."""
    found = events(tables)
    found = found[(found["event"] == "t_grok") & found["observed"].astype(bool)]
    by_key = dict(iter(tables.curves.groupby("key")))
    crossed = {}
    for key, step in zip(found["key"], found["step"], strict=True):
        until = by_key[key][by_key[key]["step"] <= step][ENTROPY]
        crossed[str(key)] = bool((until <= level).any())
    return pd.Series(crossed, dtype=bool)
