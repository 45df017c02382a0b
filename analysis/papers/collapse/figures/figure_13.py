"""Figure 13 (ours): the information plane of the MLP."""

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.figures import plane, strengths
from analysis.papers.collapse.figures import decays
from analysis.runs.experiments import NotRun
from analysis.runs.tables import Tables

TITLE = (
    "Information plane of the MLP on the test set, by decay: medians of the runs at each snapshot."
    " Hollow: start of training; cross: the training set is fitted; full: end. Compression as the"
    " paper estimates it, with five nearest neighbours (ours), and nHSIC."
)
OURS = True
COLUMNS = {
    "compression": "compression (nats)", "compression_5nn": "5 neighbours, ours (nats)",
    "nhsic": "nHSIC",
}  # fmt: skip


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    return of(runs.arm("decays").tables)


def of(tables: Tables) -> Figure:
    """The information plane of any runs, by decay. Raises NotRun where nothing was measured."""
    colours = decays.colours(tables)
    figure, axes = plt.subplots(1, len(COLUMNS), figsize=(7.0, 2.6), layout="constrained")
    drawn = False
    for axis, (name, title) in zip(axes, COLUMNS.items(), strict=True):
        for value, keys in strengths.keys(tables, decays.BY).items():
            curves = tables.only(keys).curves
            x, y = (f"information/{name}_{of_which}" for of_which in ("x", "y"))
            drawn |= plane.path(axis, curves, x, y, colours[float(value)])
        axis.set_title(title, loc="left")
        axis.set(xlabel="I(Z;X)", ylabel="I(Z;Y)")
    if not drawn:
        plt.close(figure)
        raise NotRun("information/…: not measured (python -m grokpipe.remeasure)")
    strengths.name_values(figure, [tables], decays.BY, colours, "median")
    sns.despine(figure)
    return figure
