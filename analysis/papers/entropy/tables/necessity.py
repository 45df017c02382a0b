"""E9 by arm: which runs had crossed the baseline's H̃* when they grokked (Truong et al. 2026, the
title of section 11)."""

import pandas as pd

from analysis.claims.arms import BASELINE, Runs
from analysis.output.formats import interval, number
from analysis.papers.entropy.estimates.necessity import by_arm, crossed, threshold
from analysis.stats import effects
from grokpipe.curves.events import ENTROPY


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """A row per arm, beside the baseline, whose own seeds cross their mean as they grok in about
    half of the runs. Raises NotRun."""
    level = threshold(runs.arm(BASELINE))
    rows = []
    for arm in by_arm(runs):
        found, values = crossed(arm, level), arm.at(ENTROPY, "t_grok").dropna()
        by_then, before, n = int(found["by then"].sum()), int(found["before"].sum()), len(found)
        share = effects.proportion(by_then, n)
        rows.append(
            {
                "runs": arm.label,
                "grokked": f"{n}/{len(arm.tables.cells)}",
                "crossed H̃* by T_grok [95 %]": (
                    f"{by_then}/{n} {interval(share.lower, share.upper, 2)}"
                ),
                "at an earlier evaluation": f"{before}/{n}",
                "H̃ at T_grok": number(float(values.mean()), 3),
                "highest": number(float(values.max()), 3),
            }
        )
    return {f"Runs that had crossed H̃* = {level:.3f} when they grokked": pd.DataFrame(rows)}
