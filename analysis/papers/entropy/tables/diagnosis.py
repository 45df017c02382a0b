"""D2: predictions by the entropy and outcomes, by kind of run (Truong et al. 2026, section 10)."""

import pandas as pd

from analysis.claims.arms import Runs
from analysis.output.formats import interval, number
from analysis.papers.entropy.estimates.diagnosis import diagnoses
from analysis.papers.entropy.estimates.networks import GENERALISED
from analysis.stats import effects


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """A row per kind of run. Raises NotRun."""
    found = diagnoses(runs)
    rows = []
    for kind, of_kind in found.runs[found.runs["known"]].groupby("kind", sort=False):
        right, n = int((of_kind["called"] == of_kind["grokked"]).sum()), len(of_kind)
        share = effects.proportion(right, n)
        rows.append(
            {
                "runs": kind,
                "grokked": f"{of_kind['grokked'].sum()}/{n}",
                "called: will grok": f"{of_kind['called'].sum()}/{n}",
                "of these before T_grok": str(of_kind["early"].sum()),
                "called rightly [95 %]": f"{right}/{n} {interval(share.lower, share.upper, 2)}",
                f"below H̃*, test accuracy < {GENERALISED:g} throughout": str(of_kind["low"].sum()),
            }
        )
    return {f"Diagnosis at {number(found.horizon)} steps": pd.DataFrame(rows)}
