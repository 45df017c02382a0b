"""Whether an intervention did what it is for: H̃ of unmixed probes in its runs, less that of the
baseline's run of the same seed, at the step at which the baseline groks."""

import numpy as np
import pandas as pd

from analysis.papers.entropy.estimates.conditions import BASELINE, Condition, groks, runs
from analysis.runs.experiments import Experiments
from analysis.runs.tables import Tables
from grokpipe.curves.events import ENTROPY

COLUMNS = ["key", "baseline", "seed", "strength", "raised", "ended"]


def raised(experiments: Experiments, condition: Condition) -> pd.DataFrame:
    """A row per run of the condition whose seed has a baseline that grokked: key, baseline (its
    key), seed, strength (NaN without one), raised (the difference of H̃), ended.

    A run that had finished by then, as they do 5,000 steps after they grok, counts with its last
    evaluation, and `ended` says so: left out, the fast runs would be missing. A run that broke off
    before is left out, its entropy would have gone on changing. Raises NotRun.
    """
    base, tables = experiments.tables(BASELINE), runs(experiments, condition)
    grokked = groks(base)
    grokked = grokked[grokked["observed"].astype(bool)]
    rows = []
    for run in grokked[["key", "seed", "step"]].to_dict("records"):
        level = _at(base, run["key"], run["step"])
        for cell in tables.cells[tables.cells["seed"] == run["seed"]].to_dict("records"):
            last = tables.curves.loc[tables.curves["key"] == cell["key"], "step"].max()
            ended = last < run["step"]
            if np.isnan(last) or (ended and cell["state"] != "done"):
                continue
            difference = _at(tables, cell["key"], min(last, run["step"])) - level
            strength = cell[condition.strength] if condition.strength else np.nan
            rows.append(
                [cell["key"], run["key"], run["seed"], float(strength), difference, bool(ended)]
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def _at(tables: Tables, key: str, step: float) -> float:
    """H̃ at the last evaluation that is not after a step."""
    curve = tables.curves[(tables.curves["key"] == key) & (tables.curves["step"] <= step)]
    return float(curve[ENTROPY].iloc[-1])
