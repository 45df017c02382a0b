"""How much E1 rests on the variant that E0 chose: the same quantities of variants with ten seeds,
the authors' usual one among them (post-norm, two tokens, β₂ = 0.999)."""

import numpy as np
import pandas as pd

from analysis.claims.arms import BASELINE, Arm, Runs
from analysis.claims.estimators.times import leads
from analysis.output.formats import estimated, number
from analysis.papers.entropy.estimates.phases import NORM
from analysis.papers.entropy.estimates.setting_calibration import SETTINGS
from analysis.stats import means
from analysis.stats.variances import variance
from analysis.times.mean_times import mean_time
from grokpipe.curves.events import ENTROPY

OTHERS = ("post_norm", "second_beta")
LEADS = {"t_cross": "T_cross", "t_collapse": "T_collapse"}


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """A row per variant, the main one first. Raises NotRun without a variant beside it."""
    several = [runs.arm(BASELINE), *runs.there(OTHERS).values()]
    rows = [_row(one, runs.generator()) for arm in several for one in arm.settings()]
    return {"E1 by variant, the main one first": pd.DataFrame(rows).fillna("–")}


def _row(arm: Arm, generator: np.random.Generator) -> dict[str, str]:
    cells, curves, until = arm.tables.cells, arm.tables.curves, arm.until("t_grok")
    time, _ = mean_time(arm.whole("t_grok"), generator)
    row = {setting.rpartition(".")[2]: str(cells[setting].iloc[0]) for setting in SETTINGS}
    row |= {"grokked": f"{len(until)}/{len(cells)}", "T_grok [95 %]": estimated(time)}
    if not until:
        return row
    levels = arm.at(ENTROPY, "t_grok").dropna().to_numpy()
    row |= {
        "H̃(0)": f"{curves.loc[curves['step'] == 0, ENTROPY].mean():.3f}",
        "H̃* [95 %]": estimated(means.mean(levels, generator), 3),
        "its variance [95 %]": estimated(variance(levels), 4),
    }
    for event, title in LEADS.items():
        lead = leads(arm, event)["lead"]
        mean = means.mean(lead.dropna().to_numpy(float), generator)
        row[f"{title} < T_grok"] = f"{(lead > 0).sum()}/{len(lead)}"
        row[f"lead of {title} [95 %], where seen"] = estimated(mean)
    r = pd.concat(until.values())[[NORM, ENTROPY]].corr().iloc[0, 1]  # NaN without variation
    return row | {"r of norm and H̃ until T_grok": number(r, 2, "+")}
