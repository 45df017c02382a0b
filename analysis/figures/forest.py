"""Forest plot of the differences between the arms of a comparison and their baseline."""

import math
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from analysis.figures.arm_styles import wider
from analysis.output.formats import counted, interval, number, p_value
from grokpipe.curves.definitions import is_ratio

SIGNS = {">": "≥ ", "<": "≤ "}
HEADINGS = ("arm", "reached", "difference [95 %]", "p, Holm")
NARROW = 0.01  # relative width of the axes that hold only text, which is drawn beside them
ROW = 0.19  # height of a line in inches
COLOUR = sns.color_palette("viridis", 5)[1]


def draw(comparisons: pd.DataFrame) -> Figure:
    """Draw a row per event and arm: the arm's difference from the baseline with its interval.

    Times and ratios of times ("tau2_half/tau1") have a panel each. An infinite end is an arrow at
    the edge; an infinite difference has no mark. A difference that is NaN reads "not estimable"
    beside an interval, – without one. A row without a test is that of the baseline, or of an arm in
    which no run has the event.

    Where no run of the arm was seen to have the event, or none of the baseline, the mark is an
    arrow that way: the difference of means goes on beyond the horizon. It is at least (≥), or at
    most (≤), that of the restricted means if all runs of the other had the event.

    Args:
        comparisons: table of `compare.compare`: event, arm, n, reached, runs, difference with lower
            and upper ends, test, p_holm.

    Raises:
        ValueError: the table is empty.
    """
    if not len(comparisons):
        raise ValueError("a forest plot of no comparison")
    ratios = comparisons["event"].str.contains("/")
    panels = [rows for _, rows in comparisons.groupby(ratios)]
    lines = [1 + rows["event"].nunique() + len(rows) for rows in panels]
    figure, axes = plt.subplots(
        len(panels), 5, squeeze=False,
        figsize=(6.6 + wider(comparisons["arm"]), ROW * sum(lines) + 0.55 * len(panels)),
        width_ratios=(NARROW, NARROW, 1, NARROW, NARROW), height_ratios=lines,
    )  # fmt: skip
    figure.set_layout_engine("constrained", w_pad=0.02, wspace=0)
    for rows, (arm, reached, plot, difference, p) in zip(panels, axes, strict=True):
        _panel(rows, plot, (arm, reached, difference, p))
    return figure


def _panel(rows: pd.DataFrame, plot: Axes, columns: Sequence[Axes]) -> None:
    lines: list[tuple[str, ...]] = [HEADINGS]
    bold, marks = [0], set[str]()
    _scale(plot, rows)
    for event, of_event in rows.groupby("event", sort=False):
        bold.append(len(lines))
        lines.append((str(event), "", "", ""))
        baseline = _baseline(of_event)
        for row in of_event.to_dict("records"):
            mark = _shape(row, baseline)
            whole = all(one["reached"] in (0, one["n"]) for one in (row, baseline))
            if math.isfinite(row["difference"]):
                marks.add(mark)
            _mark(plot, row, len(lines), mark)
            lines.append(_words(row, SIGNS.get(mark, "") if whole else ""))
    if marks & {"<", ">"}:
        plot.set_xlabel(f"{plot.get_xlabel()}\narrow: beside an arm without the event")
    for axis, texts in zip(columns, zip(*lines, strict=True), strict=True):
        axis.set_yticks(range(len(lines)), texts)
        axis.yaxis.tick_right()  # text to the right of its axis: aligned to the left
        for position in bold:
            axis.get_yticklabels()[position].set_fontweight("bold")
        axis.set_xticks([])
        axis.tick_params(length=0)
        sns.despine(ax=axis, left=True, bottom=True)
    plot.set_yticks([])
    sns.despine(ax=plot, left=True)
    for axis in (plot, *columns):
        axis.set_ylim(len(lines) - 0.5, -0.5)


def _scale(plot: Axes, rows: pd.DataFrame) -> None:
    values = rows[["difference", "difference_lower", "difference_upper"]].to_numpy(float)
    known = np.append(values[np.isfinite(values)], 0.0)
    beyond = 0.06 * float(np.ptp(known)) or 1.0
    plot.set_xlim(known.min() - beyond, known.max() + beyond)
    plot.axvline(0, color="0.4", linewidth=0.8, linestyle="--")
    plot.xaxis.set_major_locator(MaxNLocator(5))
    plot.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    ratio = is_ratio(rows["event"].iloc[0])
    plot.set_xlabel(f"difference of restricted means{'' if ratio else ' (steps)'}")


def _baseline(of_event: pd.DataFrame) -> dict[Any, Any]:
    """The baseline's row of an event, which has runs and no test; an empty one if it is not there,
    of which nothing is known."""
    rows = of_event[of_event["test"].isna() & (of_event["n"] > 0)].to_dict("records")
    return rows[0] if rows else {"reached": math.nan, "n": math.nan}


def _shape(row: dict[Any, Any], baseline: dict[Any, Any]) -> str:
    """The mark of a difference: ">" if only the arm is without the event, "<" if only the baseline
    is, else "s"."""
    without, against = row["reached"] == 0, baseline["reached"] == 0
    return "s" if without == against else ">" if without else "<"


def _mark(plot: Axes, row: dict[Any, Any], y: int, mark: str) -> None:
    least, most = plot.get_xlim()
    lower, upper = row["difference_lower"], row["difference_upper"]
    if not math.isnan(lower):
        plot.plot(np.clip([lower, upper], least, most), [y, y], color=COLOUR, linewidth=1.3)
    for end, edge, arrow in ((lower, least, "<"), (upper, most, ">")):
        if math.isinf(end):
            plot.plot([edge], [y], arrow, color=COLOUR, markersize=5, clip_on=False)
    if math.isfinite(row["difference"]):
        size = 4.5 if mark == "s" else 6.5
        plot.plot([row["difference"]], [y], mark, color=COLOUR, markersize=size)


def _words(row: dict[Any, Any], sign: str) -> tuple[str, ...]:
    reached = counted(row["reached"], row["n"], row["runs"])
    if pd.isna(row["test"]):
        return row["arm"], reached, "baseline" if row["n"] else "–", ""
    decimals = 2 if is_ratio(row["event"]) else 0
    estimate = row["difference"]
    ends = interval(row["difference_lower"], row["difference_upper"], decimals, "+")
    text = "not estimable" if math.isnan(estimate) and ends else number(estimate, decimals, "+")
    if math.isfinite(estimate):
        text = sign + text
    return row["arm"], reached, f"{text} {ends}".rstrip(), p_value(row["p_holm"])
