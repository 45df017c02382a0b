"""A table that needs no runs."""

import pandas as pd

from analysis.claims.arms import Runs


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    return {"Settings": pd.DataFrame({"setting": ["chosen among four"]})}
