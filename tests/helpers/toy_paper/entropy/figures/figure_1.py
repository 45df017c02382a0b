"""Figure 1."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from analysis.claims.arms import Runs

TITLE = "Accuracy of each run, <u>wide</u> & low."
OURS = False


def draw(runs: Runs) -> Figure:
    curves = runs.arm("baseline").tables.curves
    figure, axis = plt.subplots(figsize=(8, 2))
    for _, run in curves.groupby("key"):
        axis.plot(run["step"], run["test_accuracy"])
    return figure
