"""Figure of times to an event against weight decay or rate, with the law and slopes of 0 and −1."""

import math
import textwrap
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from analysis.figures import labels
from analysis.figures.arm_styles import MANY, beside, colour_bar, legend, moved, styles
from analysis.figures.run_lines import Colour
from analysis.output import symbols
from analysis.output.formats import interval, number, p_value
from analysis.times.laws import POWER
from analysis.times.power_law import Fit
from grokpipe.curves.definitions import is_ratio

GUIDES = {0: ":", -1: "-."}  # slope → dashes
TITLE = 58  # letters per line of the title
FEW = 8  # largest number of grid points that are all labelled on the axis


def draw(events: pd.DataFrame, fitted: Fit) -> Figure:
    """Draw the runs behind a power law on logarithmic axes over its first column.

    Dot with bar: the time lies between two evaluations; arrow up: after the last one; arrow down:
    before the first. Runs with equal times are drawn side by side. Line: the median under the law,
    thin beyond the grid points with dots; band: its 95 % interval (delta method, `Fit.median`).
    Runs of `not_drawn` have no mark. Grey lines have slopes 0 and −1 through the middle of the
    dots' range. In a joint fit each combination of values of the further columns has its own colour
    and dashes.

    Raises ValueError for another law.
    """
    figure, axis = plt.subplots(figsize=(4.2, 3.6), layout="constrained")
    groups = panel(axis, events, fitted)
    axis.set_title(_title(fitted), loc="left")
    sns.despine(figure)
    key(figure, [axis], fitted.against[1] if groups > MANY else None)
    return figure


def key(figure: Figure, axes: Sequence[Axes], bar: str | None = None) -> None:
    """Name what the panels show, each once, below them; the medians at each value of the column
    `bar` by a colour bar beside them."""
    by_label: dict[str, Artist] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            by_label.setdefault(label, handle)
    if bar is not None:
        medians = [name for name in by_label if name.startswith(f"{bar} = ")]
        colour_bar(figure, axes, medians, "median of")
        by_label = {name: handle for name, handle in by_label.items() if name not in medians}
    legend(figure, list(by_label.values()), loc="outside lower center")


def panel(axis: Axes, events: pd.DataFrame, fitted: Fit) -> int:
    """Draw the same as one of several panels, without title and legend; return how many
    combinations of values of the further columns there are. Raises ValueError for another law."""
    if fitted.law != POWER:
        raise ValueError(f"law={fitted.law}: draws power laws")
    events = events[~not_drawn(events, fitted.against)]
    column, *others = fitted.against
    groups = list(events.groupby(others)) if others else [((), events)]
    of_groups = styles(len(groups), numeric=True)
    axis.set(xscale="log", yscale="log", xlabel=labels.setting(column))
    axis.margins(x=0.1)  # of which runs side by side need some
    event = symbols.event(fitted.event)
    axis.set_ylabel(event if is_ratio(fitted.event) else f"{event} (steps)")
    aside = _aside(events, column)
    for (_, runs), (colour, _) in zip(groups, of_groups, strict=True):
        for points, at_once in runs.groupby(aside.loc[runs.index]):
            _points(axis, column, at_once, colour, float(points))
    low, high = axis.get_ylim()
    axis.set_ylim(low / 1.3, high * 1.3)  # the range of the runs; lines may leave the picture
    for (values, runs), (colour, dash) in zip(groups, of_groups, strict=True):
        label = ", ".join(f"{c} = {v:g}" for c, v in zip(others, values, strict=True)) or "median"
        _median(axis, fitted, runs, values, colour if others else "black", dash, label)
    _guides(axis, fitted, events.loc[_between(events), column])
    points = sorted(events[column].unique())
    if len(points) <= FEW:
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_xticks(points, [f"{point:g}" for point in points])
    _label_within_decades(axis.yaxis)
    axis.grid(alpha=0.3, linewidth=0.5)
    return len(groups)


def not_drawn(events: pd.DataFrame, against: Sequence[str]) -> pd.Series:
    """Return which runs logarithmic axes cannot show: those without a positive value of the first
    column `against`, without a value of another, and those whose event was at step 0."""
    first = events[against[0]]
    shown = (first > 0) & np.isfinite(first) & (events["upper"] > 0)
    return ~(shown & events[list(against)].notna().all(axis=1))


def _between(runs: pd.DataFrame) -> pd.Series:
    """Return whether a time is bounded on both sides; one seen at the first evaluation is not."""
    return np.isfinite(runs["upper"]) & (runs["lower"] > 0) & (runs["lower"] < runs["upper"])


def _aside(events: pd.DataFrame, column: str) -> pd.Series:
    """Return the points by which each run is moved sideways, so that equal ones do not hide one
    another."""
    alike = events.groupby([column, "lower", "upper"])["step"]
    places = zip(alike.cumcount(), alike.transform("size"), strict=True)
    return pd.Series([beside(place, count) for place, count in places], index=events.index)


def _points(axis: Axes, column: str, runs: pd.DataFrame, colour: Colour, aside: float) -> None:
    x, lower, upper = runs[column], runs["lower"], runs["upper"]
    between, beyond = _between(runs), np.isinf(upper)
    drawn: list[Artist] = [
        axis.vlines(x[between], lower[between], upper[between], color=colour, alpha=0.6)
    ]
    for which, y, mark, size, label in (
        (between, np.sqrt(lower * upper.mask(beyond)), "o", 3.5, "a run, between evaluations"),
        (beyond, lower, "^", 6, "a run, later than this"),
        (~between & ~beyond, upper, "v", 6, "a run, earlier than this"),
    ):
        if which.any():
            drawn += axis.plot(
                x[which], y[which], mark, color=colour, markersize=size, alpha=0.6,
                markeredgewidth=0, label=label,
            )  # fmt: skip
    for artist in drawn:  # once the axes know the values
        artist.set_transform(moved(axis, aside))


def _median(
    axis: Axes,
    fitted: Fit,
    runs: pd.DataFrame,
    others: Sequence[float],
    colour: Colour,
    dash: str,
    label: str,
) -> None:
    at = runs[fitted.against[0]]
    dots = at[_between(runs)]
    x = np.geomspace(at.min(), at.max(), 200)
    middle, low, high = fitted.median(x, *(np.full_like(x, value) for value in others))
    inside = (x >= dots.min()) & (x <= dots.max())
    axis.plot(x, middle, color=colour, linewidth=0.6)
    axis.plot(x[inside], middle[inside], dash, color=colour, linewidth=1.6, label=label)
    axis.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)


def _guides(axis: Axes, fitted: Fit, dots: pd.Series) -> None:
    middles = [math.sqrt(low * high) for low, high in fitted.ranges.values()]
    middles[0] = math.sqrt(dots.min() * dots.max())
    height = fitted.median(*([middle] for middle in middles))[0]
    x = np.array(fitted.ranges[fitted.against[0]])
    for slope, dash in GUIDES.items():
        axis.plot(
            x, height * (x / middles[0]) ** slope, dash, color="0.6", linewidth=0.9, zorder=1,
            label=f"slope {number(slope)}",
        )  # fmt: skip


def _title(fitted: Fit) -> str:
    """Exponents with intervals, then the quality of the fit, wrapped to the figure's width."""
    lines = [
        f"{labels.setting(name)}: k = {number(k.estimate, 2)} "
        f"{interval(k.lower, k.upper, 2)} ({k.method})"
        for name, k in fitted.exponents.items()
    ]
    lines.append(f"observed in {fitted.observed} of {fitted.n} runs, R² {number(fitted.r2, 2)}")
    if not math.isnan(fitted.lack_of_fit):
        lines[-1] += f", lack of fit: p {p_value(fitted.lack_of_fit)}"
    return "\n".join(textwrap.fill(line, TITLE, subsequent_indent="    ") for line in lines)


def _label_within_decades(axis: Axis) -> None:
    """Label decades by plain numbers; also 2 and 5 where the axis spans less than two decades."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 100 else (1,)))
    axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axis.set_minor_locator(NullLocator())
