"""Figure after Sakamoto & Sato (2026): accuracies, within-class variance, class-mean geometry."""

from itertools import cycle

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

PANELS = {  # column → (title, logarithmic)
    "train_accuracy": ("training accuracy", False),
    "test_accuracy": ("test accuracy", False),
    "collapse/rnc1": (r"RNC1 = $\mathrm{Tr}\,\Sigma_W / B_g^2$", True),
    "collapse/nc2_cond": (r"NC2 = $\sqrt{\mathrm{cond}(M M^\top)}$", True),
}
DASHES = ("-", "--", "-.", ":")


def draw(curves: pd.DataFrame, by: str) -> Figure:
    """Draw four panels over steps (log): the mean over the runs of each value of `by`, with range.

    Colours run from dark to light with `by`, and dashes differ too, so that lines can be told apart
    in grey print and by the colour-blind.
    """
    values = sorted(curves[by].dropna().unique(), reverse=True)
    colours = sns.color_palette("viridis", len(values) + 1)[: len(values)]  # not the pale yellow
    figure, axes = plt.subplots(2, 2, figsize=(6.6, 4.4), sharex=True, layout="constrained")
    for axis, (column, (title, logarithmic)) in zip(axes.flat, PANELS.items(), strict=True):
        for value, colour, dash in zip(values, colours, cycle(DASHES), strict=False):
            _band(axis, curves[curves[by] == value], column, colour, dash, _shown(value))
        axis.set_title(title, loc="left")
        axis.set_xscale("log")
        _label_within_decades(axis.xaxis)
        if logarithmic:
            axis.set_yscale("log")
            _label_within_decades(axis.yaxis)
        else:
            axis.set_ylim(0, 1.02)
        axis.grid(alpha=0.3, linewidth=0.5)
    for axis in axes[1]:
        axis.set_xlabel("optimiser steps")
    runs = curves.groupby(by)["key"].nunique()
    count = f"{runs.min()}" if runs.min() == runs.max() else f"{runs.min()}–{runs.max()}"
    label = {"weight_decay": "weight decay λ"}.get(by, by)
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(values),
        frameon=False, handlelength=3, title_fontsize=8,
        title=f"{label}   (mean and range of {count} run{'s' if runs.max() > 1 else ''})",
    )  # fmt: skip
    sns.despine(figure)
    return figure


def _shown(value: object) -> str:
    return str(value) if isinstance(value, str) else f"{value:g}"


def _label_within_decades(axis: Axis) -> None:
    """Label 1, 2 and 5 by plain numbers where a logarithmic axis spans less than two decades."""
    low, high = axis.get_view_interval()
    if high / low < 100:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(ScalarFormatter())
        axis.set_minor_formatter(NullFormatter())


def _band(
    axis: Axes, runs: pd.DataFrame, column: str, colour: object, dash: str, label: str
) -> None:
    runs = runs[runs["step"] > 0]  # a logarithmic axis has no zero
    by_step = runs.groupby("step")[column].agg(["mean", "min", "max"])
    axis.plot(by_step.index, by_step["mean"], dash, color=colour, label=label, linewidth=1.3)
    axis.fill_between(
        by_step.index, by_step["min"], by_step["max"], color=colour, alpha=0.2, linewidth=0
    )
