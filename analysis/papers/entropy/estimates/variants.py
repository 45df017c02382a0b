"""How much E1 rests on the variant that E0 chose: the same quantities of variants with ten seeds,
the authors' usual one among them (post-norm, two tokens, β₂ = 0.999)."""

import math

import numpy as np
import pandas as pd

from analysis.output.formats import estimated, number
from analysis.papers.entropy.estimates import leads
from analysis.papers.entropy.estimates.baseline import variance
from analysis.papers.entropy.estimates.calibration import SETTINGS
from analysis.papers.entropy.estimates.conditions import BASELINE, groks
from analysis.papers.entropy.estimates.thresholds import at_grok
from analysis.runs.experiments import Experiments, NotRun
from analysis.runs.tables import Tables
from analysis.stats import means
from analysis.times.compare import Arm
from analysis.times.mean_times import mean_time
from analysis.times.timescales import arms
from grokpipe.curves.events import ENTROPY

OTHERS = ("e1_post", "second_beta")
NORM = "weight_norm"


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """A row per variant, the main one first. Raises NotRun without a variant beside it."""
    several = [experiments.tables(BASELINE)]
    for name in OTHERS:
        try:
            several.append(experiments.tables(name))
        except NotRun:
            continue
    if len(several) == 1:
        raise NotRun(f"{', '.join(OTHERS)}: not run")
    rows = [_row(one, experiments) for found in several for one in _variants(found)]
    return {"E1 by variant, the main one first": pd.DataFrame(rows).fillna("–")}


def _variants(tables: Tables) -> list[Tables]:
    number = arms(tables)
    return [tables.only(keys.index) for _, keys in number.groupby(number)]


def _row(runs: Tables, experiments: Experiments) -> dict[str, str]:
    found, generator = leads.per_seed(runs), experiments.generator()
    time, _ = mean_time(Arm("", groks(runs)), generator)
    row = {setting.rpartition(".")[2]: str(runs.cells[setting].iloc[0]) for setting in SETTINGS}
    row |= {"grokked": f"{len(found)}/{len(runs.cells)}", "T_grok [95 %]": estimated(time)}
    if found.empty:
        return row
    levels = at_grok(runs).dropna().to_numpy()
    start = runs.curves.loc[runs.curves["step"] == 0, ENTROPY].to_numpy(float)
    row |= {
        "H̃(0)": f"{start.mean():.3f}",
        "H̃* [95 %]": estimated(means.mean(levels, generator), 3),
        "its variance [95 %]": estimated(variance(levels), 4),
    }
    for event, title in ((leads.CROSS, "T_cross"), (leads.COLLAPSE, "T_collapse")):
        lead = found[f"lead_{event}"]
        row[f"{title} < T_grok"] = f"{(lead > 0).sum()}/{len(found)}"
        row[f"lead of {title} [95 %], where seen"] = estimated(
            means.mean(lead.dropna().to_numpy(float), generator)
        )
    r = _correlation(runs, found["t_grok"])
    return row | {"r of norm and H̃ until T_grok": number(r, 2, "+")}


def _correlation(runs: Tables, grok: pd.Series) -> float:
    """Pearson's, of all evaluations up to T_grok of the runs that grok; NaN without variation."""
    until = runs.curves["step"] <= runs.curves["key"].map(grok)
    pooled = runs.curves.loc[until, [NORM, ENTROPY]].to_numpy(float)
    return float(np.corrcoef(pooled.T)[0, 1]) if np.ptp(pooled, axis=0).all() else math.nan
