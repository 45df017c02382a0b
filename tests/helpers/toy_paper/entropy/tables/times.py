"""Tables of the made-up paper."""

import pandas as pd

from analysis.claims.arms import Runs
from tests.helpers.toy_paper.entropy.estimates.times import times


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    mean = float(times(runs).mean())
    long = pd.DataFrame({"n": range(30), "x": [i / 7 for i in range(30)]})
    return {
        "Table 1: <times>": pd.DataFrame({"arm": ["a|b", "H̃*"], "T": [mean, None]}),
        "Long": long,
    }
