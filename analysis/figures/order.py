"""Figure of which event comes first: a row for each run, with the interval of each event."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator
from matplotlib.transforms import offset_copy

from analysis.figures.arm_styles import legend, wider
from analysis.times.labels import labelled

WIDTH = 5.4  # inches
HEIGHT = 9.0  # of all rows, in inches, unless each is at its least or greatest height
ROWS = (0.07, 0.16)  # least and greatest height of a row
LEAST = 0.9  # height of all rows, however few
GAP = 1.0  # rows between two arms
SPREAD = 0.6  # of a row over which the marks of its events lie, so that none hides another
MARKERS = "osD^vP*hpX"


def draw(events: pd.DataFrame, by: Sequence[str], names: Mapping[str, str]) -> Figure:
    """Draw the times of several events of each run over steps, arm by arm, sorted by seed.

    A bar spans the evaluations between which an event lies, and its mark is at the one that showed
    it. A hollow arrow to the right is at the step up to which it was not seen, one to the left at
    the first evaluation, if that showed it; × is where a run diverged.

    Args:
        events: rows of `timescales.events` of these events.
        by: configuration columns that define the arms.
        names: the events in the order of the legend, and their labels.

    Raises:
        ValueError: there is no run.
    """
    if not len(events):
        raise ValueError("a figure of the order of events of no run")
    arms = labelled(events.drop_duplicates("key"), by)
    places: dict[str, float] = {}
    centres, at = [], 0.0
    for runs in arms.values():
        places |= {key: at + row for row, key in enumerate(runs["key"])}
        centres.append(at + (len(runs) - 1) / 2)
        at += len(runs) + GAP
    rows = at - GAP
    height = float(np.clip(HEIGHT / rows, *ROWS))
    figure, axis = plt.subplots(
        figsize=(WIDTH + wider(arms), max(height * rows, LEAST) + 0.9), layout="constrained"
    )
    left = _scale(axis, events)
    events = events.assign(row=events["key"].map(places))
    _links(axis, events, left)
    size = min(4.5, 72 * height * SPREAD / math.sqrt(len(names)))
    colours = sns.color_palette("colorblind", len(names))
    handles = []
    for place, (name, label) in enumerate(names.items()):
        marker = MARKERS[place % len(MARKERS)]
        handles.append(Line2D([], [], color=colours[place], marker=marker, ms=4.5, label=label))
        of_event = events[events["event"] == name]
        offset = SPREAD * ((place + 0.5) / len(names) - 0.5)
        of_event = of_event.assign(row=of_event["row"] + offset)
        style = {"color": colours[place], "ms": size}
        _marks(axis, of_event, left, marker, style, shift=1.1 * size * place)
    handles += _diverged(axis, events, size)
    if not events["observed"].all():
        handles.append(Line2D([], [], color="0.4", marker=">", ms=4.5, markerfacecolor="none",
                              linestyle="none", label="not by then"))  # fmt: skip
    axis.set_yticks(centres, list(arms), fontsize=7 if height * rows / len(arms) > 0.14 else 5)
    for above, below in zip(list(arms.values())[:-1], list(arms.values())[1:], strict=True):
        edge = (places[above["key"].iloc[-1]] + places[below["key"].iloc[0]]) / 2
        axis.axhline(edge, color="0.85", linewidth=0.6)
    axis.set_ylim(rows - 0.2, -0.8)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel("optimiser steps")
    axis.set_ylabel(", ".join(by))
    sns.despine(figure, left=True)
    legend(figure, handles)
    return figure


def _scale(axis: Axes, events: pd.DataFrame) -> float:
    """Give the axis a logarithmic scale; return its left end, where the step 0 is drawn."""
    steps = events[["lower", "step"]].to_numpy(float)
    known = steps[np.isfinite(steps) & (steps > 0)]
    start, end = (float(known.min()) / 1.5, float(known.max()) * 1.3) if len(known) else (1.0, 10.0)
    axis.set_xscale("log")
    axis.set_xlim(start, end)
    subs = (1, 1.5, 2, 3, 5, 7) if end < 10 * start else (1, 2, 5) if end < 1000 * start else (1,)
    ticks = [tick for tick in LogLocator(subs=subs).tick_values(start, end) if start <= tick <= end]
    axis.set_xticks(ticks, [f"{tick:,.10g}" for tick in ticks])
    axis.set_xticks([], minor=True)
    axis.grid(axis="x", alpha=0.3, linewidth=0.5)
    return start


def _links(axis: Axes, events: pd.DataFrame, left: float) -> None:
    """Draw a thin line from the first event of each run to its last."""
    ends = events.groupby("row")["step"].agg(["min", "max"]).clip(lower=left)
    axis.hlines(ends.index, ends["min"], ends["max"], color="0.8", linewidth=0.6, zorder=1)


def _marks(
    axis: Axes, rows: pd.DataFrame, left: float, marker: str, style: dict[str, Any], shift: float
) -> None:
    """Draw one event; what was not seen is `shift` points to the right of its bound, so that the
    arrows of several events at the end of a budget stand side by side."""
    y, seen = rows["row"], rows["observed"].astype(bool)
    at_first = seen & ((rows["lower"] == rows["upper"]) | (rows["step"] <= left))
    lower, step = rows["lower"].clip(lower=left), rows["step"].clip(lower=left)
    axis.hlines(y[seen], lower[seen], step[seen], color=style["color"], linewidth=1.2, zorder=2)
    style = style | {"linestyle": "none", "zorder": 3}
    hollow = style | {"markerfacecolor": "none", "clip_on": False}
    aside = offset_copy(axis.transData, axis.get_figure(root=True), x=shift, units="points")
    for which, sign, how in (
        (seen & ~at_first, marker, style),
        (at_first, "<", hollow),
        (~seen, ">", hollow | {"transform": aside}),
    ):
        if which.any():  # no mark without a place would widen the layout
            axis.plot(step[which], y[which], sign, **how)


def _diverged(axis: Axes, events: pd.DataFrame, size: float) -> list[Line2D]:
    """Draw a cross where a run diverged; return its handle, if any did."""
    runs = events.dropna(subset=["diverged"]).drop_duplicates("key")
    if runs.empty:
        return []
    style: dict[str, Any] = {"color": "black", "marker": "x", "linestyle": "none"}
    axis.plot(runs["diverged"].clip(lower=axis.get_xlim()[0]), runs["row"], ms=size + 1, **style)
    return [Line2D([], [], label="diverged", ms=4.5, **style)]
