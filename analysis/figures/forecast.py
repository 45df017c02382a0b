"""Figure after Truong et al. (2026), section 8: errors of forecasts of an event, and their laws."""

import textwrap
from collections.abc import Mapping
from math import isnan

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from analysis.figures.arm_styles import LETTERS
from analysis.forecasting.forecasts import FORECASTS
from grokpipe.curves.gap import fit, pool

BINS = 40  # of the time to the event, so that runs evaluated at different shares share a median
DASHES = ("-", "--", ":", "-.")


def draw(long: pd.DataFrame, arm: Mapping[str, object]) -> Figure:
    """Draw two panels for one arm of `forecasts.leave_one_out`, given by its columns' values.

    Left: relative error of the forecasts over the elapsed share of the time to the event, median
    and range of runs. Right: remaining time against the gap, one colour per run, with the power and
    the logarithmic law fitted to all runs.

    Raises ValueError for an arm that is not in `long`.
    """
    for column, value in arm.items():
        long = long[long[column].isna() if pd.isna(value) else long[column] == value]
    if long.empty:
        raise ValueError(f"arm={dict(arm)}: must be an arm with forecasts")
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.6, 2.9), layout="constrained")
    errors(left, long)
    laws(right, long)
    named = ", ".join(f"{name} = {value}" for name, value in arm.items())
    runs = long["key"].nunique()
    title = f"{named or 'all runs'}   ({runs} run{'s' if runs > 1 else ''})"
    title = textwrap.fill(title, int(LETTERS * figure.get_figwidth()))
    figure.suptitle(title, fontsize=8, x=0.01, ha="left")
    sns.despine(figure)
    return figure


def errors(axis: Axes, long: pd.DataFrame) -> None:
    """Draw the left panel."""
    passed = long["step"] / long["truth"]
    middle = (np.minimum((passed * BINS).astype(int), BINS - 1) + 0.5) / BINS
    colours = sns.color_palette("viridis", len(FORECASTS) + 1)
    for forecast, colour, dash in zip(FORECASTS, colours[:-1], DASHES, strict=True):
        error = (long[forecast] - long["truth"]).abs() / long["truth"]
        of_runs = error.groupby([middle, long["key"]]).mean()
        band = of_runs.groupby(level=0).agg(["median", "min", "max"])
        label = f"“{forecast}”" if forecast == "now" else forecast
        axis.plot(
            band.index, band["median"], dash, color=colour, label=label, linewidth=1.4,
            marker="o" if len(band) == 1 else "", markersize=4,
        )  # fmt: skip
        axis.fill_between(
            band.index, band["min"], band["max"], color=colour, alpha=0.15, linewidth=0
        )
    axis.set(xlabel="share of the time to the event, t / T", xlim=(0, 1), ylim=(0, None))
    axis.set_title(r"error of the forecast, $|\hat T - T|\,/\,T$", loc="left")
    axis.xaxis.set_major_formatter(PercentFormatter(1))
    axis.yaxis.set_major_formatter(PercentFormatter(1))
    axis.grid(alpha=0.3, linewidth=0.5)
    axis.legend(
        frameon=False, handlelength=3, loc="upper right", alignment="left",
        title="median and range of runs", title_fontsize=7,
    )  # fmt: skip


def laws(axis: Axes, long: pd.DataFrame) -> None:
    """Draw the right panel."""
    runs = [of_run for _, of_run in long.groupby(["seed", "key"])]
    pooled = pool(
        [np.append(run["x"], run["x_at_event"].iloc[0]) for run in runs],
        [np.append(run["truth"] - run["step"], 0) for run in runs],
    )
    power, logarithmic = fit(pooled, "power"), fit(pooled, "logarithmic")
    colours = np.array(sns.color_palette("viridis", len(runs) + 1)[: len(runs)])
    gap = power.gap(pooled.x)
    order = np.random.default_rng(0).permutation(len(gap))  # shuffled: no run hides the others
    axis.scatter(
        gap[order], pooled.remaining[order], s=5, c=colours[pooled.run[order]], alpha=0.5,
        linewidths=0, rasterized=True,
    )  # fmt: skip
    x = power.threshold + power.direction * np.linspace(0, gap.max(), 200)
    for law, dash in ((power, "-"), (logarithmic, "--")):
        label = "logarithmic law"
        if law is power:
            label = "power law, " + ("a constant" if isnan(law.shape) else f"γ = {law.shape:.2f}")
        axis.plot(law.gap(x), law.remaining(x), "white", linewidth=2.8)
        axis.plot(law.gap(x), law.remaining(x), dash, color="black", linewidth=1.4, label=label)
    axis.set(xlabel=f"gap |x − x*|, x = {long['predictor'].iloc[0]}", ylim=(0, None))
    axis.set_title("steps until the event, ΔT", loc="left")
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axis.grid(alpha=0.3, linewidth=0.5)
    axis.legend(frameon=False, handlelength=3, loc="upper left")
