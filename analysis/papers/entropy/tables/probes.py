"""E8: does the entropy depend on the probe? (Truong et al. 2026, Appendix B)

The paper has r in a sentence that begins "at the grokking step": that r, of one pair a seed, is in
this table beside that of all evaluations.
"""

import pandas as pd

from analysis.claims.arms import BASELINE, Arm, Runs, require
from analysis.claims.estimators.curves import pearson
from analysis.output.formats import estimated, number
from analysis.stats import means
from grokpipe.curves.events import ENTROPY

TEST = "spectral/entropy_test"


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """The two probes at all evaluations and at T_grok: r, and the mean difference, a mean of each
    run's. Raises NotRun."""
    arm = runs.arm(BASELINE)
    require(TEST, arm.tables.curves, BASELINE)
    rows = []
    for label, both in (
        ("all evaluations", arm.tables.curves[["key", ENTROPY, TEST]].dropna()),
        ("T_grok", at_grok(arm)),
    ):
        if both.empty:
            continue
        of_runs = (both[ENTROPY] - both[TEST]).groupby(both["key"]).mean().to_numpy()
        rows.append(
            {
                "at": label,
                "pairs": number(len(both)),
                "r [95 %]": estimated(pearson(both, ENTROPY, TEST, runs.generator()), 4),
                "training − test [95 %]": estimated(means.mean(of_runs, runs.generator()), 4, "+"),
            }
        )
    return {"The two probes": pd.DataFrame(rows)}


def at_grok(arm: Arm) -> pd.DataFrame:
    """A row per run that grokked: key, ENTROPY, TEST."""
    both = {column: arm.at(column, "t_grok") for column in (ENTROPY, TEST)}
    return pd.DataFrame(both).dropna().rename_axis("key").reset_index()
