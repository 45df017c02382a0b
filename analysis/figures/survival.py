"""Kaplan–Meier figure: the share of runs of each arm that have had an event by each step."""

import warnings
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator
from pandas.api.types import is_numeric_dtype
from scipy import stats

from analysis.figures import labels
from analysis.figures.arm_styles import beside, moved, name_arms, styles, wider
from analysis.figures.run_lines import Colour
from analysis.output import symbols
from analysis.stats import survival
from analysis.stats.intervals import CONFIDENCE
from analysis.times.compare import Arm, arms
from analysis.times.timescales import lasting
from grokpipe.curves.definitions import is_ratio

APART = 5  # ratio of the arms' typical steps above which the axis is logarithmic
WIDTH = 4.8  # inches
ROW = 0.17  # height of a line of text in inches


def draw(events: pd.DataFrame, by: Sequence[str]) -> Figure:
    """Draw 1 − S of one event for each arm (`compare.arms`), with numbers at risk below.

    The curve rises, as accuracies do, to the share of runs that had the event, and ends at the last
    step to which a run of the arm was followed. Band: 95 % log-log confidence band where defined;
    ticks: runs censored at a step. Circle: the median; arrow: the step that it is later than, as
    half of the runs or more were not seen to have the event. The axis is logarithmic if the arms'
    median steps, of events and censorings alike, differ by more than a factor of APART.

    Args:
        events: rows of the events table of one event.
        by: configuration columns that define the arms.

    Raises:
        ValueError: there is no run, or more than one event.
    """
    shown_arms = arms(events, by)
    names = events["event"].unique()
    if not shown_arms or len(names) != 1:
        raise ValueError(
            f"{len(names)} events, {len(shown_arms)} arms: must be one event of some arms"
        )
    ratio = is_ratio(names[0])
    numeric = len(by) == 1 and is_numeric_dtype(events[by[0]])
    width = WIDTH + wider(arm.label for arm in shown_arms)
    below = ROW * len(shown_arms)  # height of the table
    figure, (axis, table) = plt.subplots(
        2, 1, figsize=(width, 2.8 + ROW + below), height_ratios=[2.4, below], layout="constrained"
    )
    start = _scale([axis, table], shown_arms)
    of_arms = styles(len(shown_arms), numeric)
    for arm, (colour, dash) in zip(shown_arms, of_arms, strict=True):
        _curve(axis, arm, start, colour, dash)
    censored = _medians(axis, shown_arms, [colour for colour, _ in of_arms])
    axis.set_ylim(-0.02, 1.02)
    event = symbols.event(names[0])
    axis.set_ylabel(f"share of runs\nthat had {event}")
    axis.set_xlabel(event if ratio else "optimiser steps")
    axis.grid(alpha=0.3, linewidth=0.5)
    sns.despine(figure)
    _at_risk(table, shown_arms, [colour for colour, _ in of_arms])
    handles = axis.get_legend_handles_labels()[0]
    title = f"{labels.settings(by)}   (○ median{', ▷ later than this' * censored})"
    name_arms(figure, [axis, table], handles, title, numeric)
    return figure


def _scale(axes: Sequence[Axes], shown_arms: Sequence[Arm]) -> float:
    """Give the axes one scale with the same ticks; return its start."""
    steps = np.concatenate([arm.runs["step"] for arm in shown_arms])
    typical = [arm.runs["step"].median() for arm in shown_arms]
    if steps.min() > 0 and max(typical) > APART * min(typical):
        scale, start, end = "log", 0.8 * float(steps.min()), 1.1 * float(steps.max())
        ticks = LogLocator(subs=(1, 2, 5) if end < 100 * start else (1,)).tick_values(start, end)
    else:
        scale, start, end = "linear", 0.0, 1.03 * (float(steps.max()) or 1)  # 1: all at step 0
        ticks = MaxNLocator(6).tick_values(start, end)
    shown = [tick for tick in ticks if start <= tick <= end]
    for axis in axes:
        axis.set_xscale(scale)
        axis.set_xlim(start, end)
        axis.set_xticks(shown, [f"{tick:,.10g}" for tick in shown])
        axis.set_xticks([], minor=True)
    return start


def _curve(axis: Axes, arm: Arm, start: float, colour: Colour, dash: str) -> None:
    observed, steps = arm.runs["observed"].to_numpy(bool), arm.runs["step"].to_numpy(float)
    data = stats.CensoredData(uncensored=steps[observed], right=steps[~observed])
    share = stats.ecdf(data).sf
    at, had = share.quantiles, 1 - share.probabilities
    axis.step(
        [start, *at], [0, *had], where="post", linestyle=dash, color=colour, label=arm.label,
        linewidth=1.3,
    )  # fmt: skip
    with warnings.catch_warnings():  # undefined where all or none have had the event: not drawn
        warnings.filterwarnings("ignore", "The confidence interval is undefined", RuntimeWarning)
        band = share.confidence_interval(CONFIDENCE, method="log-log")
    low, high = 1 - band.high.probabilities[:-1], 1 - band.low.probabilities[:-1]
    if np.isfinite(low).any():
        axis.stairs(high, at, baseline=low, fill=True, color=colour, alpha=0.12, linewidth=0)
    censored = np.unique(steps[~observed])
    axis.plot(censored, 1 - share.evaluate(censored), "|", color=colour, markersize=6)


def _medians(axis: Axes, shown_arms: Sequence[Arm], colours: Sequence[Colour]) -> bool:
    """Mark the medians, those at one step above one another; return whether one is censored."""
    marks: dict[tuple[float, str], list[Colour]] = {}
    for arm, colour in zip(shown_arms, colours, strict=True):
        times = lasting(arm.runs)
        median = survival.median(times.times, times.observed)
        seen = np.isfinite(median.median)
        place = (median.median, "o") if seen else (median.followed, ">")
        marks.setdefault(place, []).append(colour)
    for (at, shape), sharing in marks.items():
        for index, colour in enumerate(sharing):
            (mark,) = axis.plot(
                [at], [0.5], shape, color=colour, markersize=5, markeredgewidth=1.2, zorder=3,
                markerfacecolor="white", clip_on=False,
            )  # fmt: skip
            mark.set_transform(moved(axis, 0, beside(index, len(sharing))))
    return any(shape == ">" for _, shape in marks)


def _at_risk(table: Axes, shown_arms: Sequence[Arm], colours: Sequence[Colour]) -> None:
    """Draw a line of numbers at risk for each arm, under their steps."""
    for row, (arm, colour) in enumerate(zip(shown_arms, colours, strict=False)):
        for tick in table.get_xticks():
            table.text(
                tick, row, str((arm.runs["step"] >= tick).sum()), color=colour, fontsize=6,
                ha="center", va="center_baseline",
            )  # fmt: skip
    table.set_yticks(range(len(shown_arms)), [arm.label for arm in shown_arms], fontsize=6)
    for label, colour in zip(table.get_yticklabels(), colours, strict=False):
        label.set_color(colour)
    table.set_ylim(len(shown_arms) - 0.5, -0.5)
    table.set_title("runs at risk", loc="left", fontsize=6, pad=2)
    table.tick_params(length=0, labelbottom=False, pad=10)  # beside the first numbers
    sns.despine(ax=table, left=True, bottom=True)
