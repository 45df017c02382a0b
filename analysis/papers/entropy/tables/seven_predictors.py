"""E4 in version 2 of the paper: the seven predictors (Truong et al. 2026)."""

import pandas as pd

from analysis.claims.arms import Runs
from analysis.output.formats import estimated
from analysis.papers.entropy.estimates.predictors import SEVEN, r_squared_out_of_sample


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """R² out of sample of each one's law of the steps until grokking. Raises NotRun."""
    found = {one.name: r_squared_out_of_sample(runs, one.name) for one in SEVEN}
    rows = [
        {"predictor": name, "R² out of sample [95 %]": estimated(one.interval, 2), "of": one.note}
        for name, one in found.items()
    ]
    return {"Table 2: the seven predictors of version 2": pd.DataFrame(rows)}
