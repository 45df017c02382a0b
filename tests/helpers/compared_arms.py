"""Three arms of which one is late and one is not, compared."""

import numpy as np
import pandas as pd

from analysis.times.compare import compare
from tests.helpers.arm_events import events

RUNS = events(
    {
        "none": [100, 120, 130, 110, 140],
        "mixing": [150, 180, 390, 160, None],
        "noise": [130, 110, 120, 150, 100],
    }
)


def compared(runs=RUNS, baseline="none", **options) -> tuple[pd.DataFrame, pd.DataFrame]:
    return compare(runs, ["arm"], baseline, np.random.default_rng(0), **options)
