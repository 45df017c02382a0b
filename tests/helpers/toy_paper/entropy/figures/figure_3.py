"""Figure 3, which needs no runs."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from analysis.claims.arms import Runs

TITLE = "Computed, without a run."
OURS = True


def draw(runs: Runs) -> Figure:
    """Needs no runs."""
    return plt.figure(figsize=(2, 2))
