"""D1: where each rule of early stopping stops, its cost and savings (Truong et al. 2026, section
10)."""

import pandas as pd

from analysis.claims.arms import Runs
from analysis.output.formats import number
from analysis.papers.entropy.estimates.stopping import stops


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """A row per rule. Raises NotRun."""
    rows = []
    for rule, of_rule in stops(runs).groupby("rule", sort=False):
        rows.append(
            {
                "stop": rule,
                "known at step, mean": number(float(of_rule["decided"].mean())),
                "step, mean": number(float(of_rule["stop"].mean())),
                "budget saved": f"{of_rule['saved'].mean():.1%}",
                "accuracy lost, mean": number(float(of_rule["lost"].mean()), 3),
                "largest": number(float(of_rule["lost"].max()), 3),
                "runs": str(len(of_rule)),
                "followed until then": str(int(of_rule["followed"].sum())),
            }
        )
    return {"Early stopping": pd.DataFrame(rows)}
