"""A module of tables without a quantity."""

import pandas as pd

from analysis.runs.experiments import Experiments


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    return {"Settings": pd.DataFrame({"setting": ["chosen among four"]})}
