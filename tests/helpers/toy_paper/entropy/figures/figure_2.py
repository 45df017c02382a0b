"""Figure 2, of runs that may be missing."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from analysis.claims.arms import Runs

TITLE = "Delays."
OURS = True


def draw(runs: Runs) -> Figure:
    for name in ("mixing", "baseline"):
        runs.arm(name)
    return plt.figure(figsize=(2, 2))
