"""Figure 2, of runs that may be missing."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from analysis.runs.experiments import Experiments

TITLE = "Delays."
OURS = True


def draw(experiments: Experiments) -> Figure:
    for name in ("e2_mixing", "e1_baseline"):
        experiments.tables(name)
    return plt.figure(figsize=(2, 2))
