"""E1: the norm's way and the entropy after grokking, by variant (Truong et al. 2026, sections 3 and
5)."""

from contextlib import suppress

import numpy as np
import pandas as pd

from analysis.claims.arms import BASELINE, Arm, Runs, observed
from analysis.output.formats import estimated, interval, number
from analysis.papers.entropy.estimates.phases import NORM, growth, growth_ends
from analysis.papers.entropy.estimates.setting_calibration import SETTINGS
from analysis.runs.experiments import NotRun
from analysis.stats import means
from grokpipe.curves.events import ENTROPY


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """The norm's way by variant, over E0's variants and the baseline, and the slope of H̃ after
    grokking. Raises NotRun without the baseline."""
    rows = [_row("baseline", runs.arm(BASELINE), runs)]
    with suppress(NotRun):
        for arm in runs.arm("settings").settings():
            label = ", ".join(str(arm.tables.cells[setting].iloc[0]) for setting in SETTINGS)
            rows.append(_row(label, arm, runs))
    return {"The norm by variant, and the entropy after grokking": pd.DataFrame(rows)}


def slopes(arm: Arm) -> pd.Series:
    """By key, of the runs that grok for good: the slope of H̃ after it, per 1,000 steps, by least
    squares over the evaluations from sustained T_grok on."""
    curves, slope = arm.curves(), {}
    for row in observed(arm.events("t_grok_sustained")).to_dict("records"):
        curve = curves[row["key"]]
        after = curve[curve["step"] >= row["step"]]
        if len(after) > 2:
            slope[row["key"]] = 1000 * float(np.polyfit(after["step"], after[ENTROPY], 1)[0])
    return pd.Series(slope, dtype=float)


def _row(label: str, arm: Arm, runs: Runs) -> dict[str, str]:
    curves, until = arm.tables.curves, list(arm.until("t_grok").values())
    first = curves[curves["step"] == 0][NORM].mean()
    shown = {"runs": label, "grokked": f"{len(until)}/{len(arm.tables.cells)}"}
    shown["norm at start"] = number(float(first), 1)
    if not until:
        return shown
    ends = np.array([curve["step"].to_numpy()[[*growth_ends(curve)]] for curve in until])
    grown = np.array([growth(curve[NORM].to_numpy(float)) for curve in until])
    shown |= {
        "least at step": number(float(ends[:, 0].mean())),
        "most grown at step": number(float(ends[:, 1].mean())),
        "growth": f"{grown.mean():.2f} {interval(grown.min(), grown.max(), 2)}",
        "at the end": number(float(curves.groupby("key")[NORM].last().mean()), 1),
    }
    if len(slope := slopes(arm)):
        mean = means.mean(slope.to_numpy(), runs.generator())
        shown["H̃ per 1,000 steps after [95 %]"] = estimated(mean, 4, "+")
    return shown
