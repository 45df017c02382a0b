"""Figure 2, of runs that may be missing."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from analysis.entropy.experiments import Experiments

TITLE = "Delays."
OURS = True


def draw(experiments: Experiments) -> Figure:
    experiments.tables("e2_mixing")
    return plt.figure(figsize=(2, 2))
