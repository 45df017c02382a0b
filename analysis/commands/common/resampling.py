"""The generator of resampling."""

import numpy as np

SEED = 0
"""the same runs give the same numbers"""


def generator() -> np.random.Generator:
    return np.random.default_rng(SEED)
