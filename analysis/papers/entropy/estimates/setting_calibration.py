"""E0: which of the settings that the paper leaves open comes nearest to its own baseline, by the
distance of settings.yaml, which was written before the runs."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from analysis.claims.arms import finished, require
from analysis.output.formats import number
from analysis.papers.entropy.estimates.phases import NORM, growth
from analysis.runs.tables import Tables
from analysis.times.timescales import events
from grokpipe.curves.events import ENTROPY

RULE = Path(__file__).parents[1] / "settings.yaml"
SETTINGS = ("arch.norm", "arch.tokens", "arch.embedding", "optimizer.betas")
TERMS = {"t_grok": "T_grok", "entropy_initial": "H̃(0)", "entropy_at_grok": "H̃ at T_grok"}
OF_GROKKED = ("t_grok", "entropy_at_grok")
"""terms that a run which was not seen to grok leaves open"""


def rule() -> dict[str, Any]:
    """The distance, as settings.yaml states it."""
    found: dict[str, Any] = yaml.safe_load(RULE.read_text())
    return found


def variants(tables: Tables, rule: Mapping[str, Any]) -> pd.DataFrame:
    """A row per variant, the nearest first: SETTINGS, n, finished, grokked; the means over runs of
    `t_grok`, `entropy_initial` and `entropy_at_grok`; the share whose norm `expands`; a term for
    each and `distance`; `admissible`: all of its runs are finished and grokked; and `waiting`: the
    runs that are not finished, or not there while another variant has them.

    Where a run was not seen to grok, `t_grok` is a lower bound, for which that run counts with its
    last step, and `entropy_at_grok` is of the others. Neither has a term then, nor the variant a
    distance: the runs that grok first would make it look nearer or farther than it is. Raises
    Unmatched if the runs lack a setting or a measure."""
    for column in SETTINGS:
        require(column, tables.cells, "E0")
    for column in (ENTROPY, NORM):
        require(column, tables.curves, "E0")
    runs = _runs(tables, rule["expansion"]["factor"])
    most = int(runs.groupby(list(SETTINGS)).size().max())
    rows = []
    for values, group in runs.groupby(list(SETTINGS), sort=False):
        row: dict[str, Any] = dict(zip(SETTINGS, values, strict=True))
        row |= {"n": len(group), "finished": int(group["finished"].sum())}
        row |= {"grokked": int(group["grokked"].sum())}
        row |= {name: float(group[name].mean()) for name in TERMS}
        row["expands"] = float(group["expands"].mean())
        for name in TERMS:
            every = row["grokked"] == row["n"] or name not in OF_GROKKED
            value = row[name] if every else math.nan
            row[f"term_{name}"] = half_widths(value, rule["terms"][name])
        row["term_expands"] = rule["expansion"]["weight"] * (1 - row["expands"])
        terms = [row[name] for name in row if name.startswith("term_")]
        row["distance"] = math.sqrt(sum(term**2 for term in terms))
        row["waiting"] = most - row["finished"]
        row["admissible"] = row["grokked"] == row["finished"] == most
        rows.append(row)
    table = pd.DataFrame(rows)
    table["distance"] = table["distance"].where(table["admissible"])
    return table.sort_values(["admissible", "distance"], ascending=[False, True], ignore_index=True)


def half_widths(value: float, published: Mapping[str, Any]) -> float:
    """Distance of a value from the published one, in half-widths of the published range."""
    scale = math.log if published["scale"] == "log" else float
    if math.isnan(value):
        return math.nan
    half = (scale(published["upper"]) - scale(published["lower"])) / 2
    return (scale(value) - scale(published["published"])) / half


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """The same for people."""
    shown = table[[*SETTINGS]].copy()
    shown["grokked"] = [f"{k}/{n}" for k, n in zip(table["grokked"], table["n"], strict=True)]
    decimals = {"t_grok": 0, "entropy_initial": 3, "entropy_at_grok": 3}
    for name, title in TERMS.items():
        bound = np.where((name == "t_grok") & (table["grokked"] < table["n"]), "≥ ", "")
        shown[f"{title} (half-widths off)"] = [
            f"{sign}{number(value, decimals[name])} ({number(term, 1, '+')})"
            for sign, value, term in zip(bound, table[name], table[f"term_{name}"], strict=True)
        ]
    shown["norm expands"] = [f"{share:.0%}" for share in table["expands"]]
    shown["distance"] = [number(distance, 2) for distance in table["distance"]]
    shown["admissible"] = [
        "yes" if row.admissible else "not finished" if row.waiting else "not all grokked"
        for row in table.itertuples()
    ]
    return shown


def _runs(tables: Tables, factor: float) -> pd.DataFrame:
    """A row per run: SETTINGS, finished, grokked, t_grok (the last step of a run that was not seen
    to grok), both entropies, expands."""
    found = events(tables)
    found = found[found["event"] == "t_grok"].set_index("key")
    cells = tables.cells.set_index("key")
    ended = finished(cells)
    rows = []
    for key, curve in tables.curves.groupby("key"):
        grokked, step = bool(found["observed"][key]), float(found["step"][key])
        before = curve[curve["step"] < step] if grokked else curve
        at_grok = curve.loc[curve["step"] == step, ENTROPY] if grokked else pd.Series([math.nan])
        rows.append(
            {column: cells[column][key] for column in SETTINGS}
            | {
                "finished": bool(ended[key]),
                "grokked": grokked,
                "t_grok": step,
                "entropy_initial": float(curve[ENTROPY].iloc[0]),
                "entropy_at_grok": float(at_grok.iloc[0]),
                "expands": growth(before[NORM].to_numpy(float)) >= factor,
            }
        )
    return pd.DataFrame(rows)
