"""Figure 3: when the runs of each arm grok, and how much later than the baseline of their seeds."""

import math
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.entropy.estimates import manipulation
from analysis.papers.entropy.estimates.arm_tables import Found, found
from analysis.papers.entropy.estimates.conditions import (
    CONDITIONS,
    MATCHED,
    MIXING,
    Condition,
    baseline,
)
from analysis.papers.entropy.figures.lines import Colour, thousands
from analysis.runs.experiments import Experiments
from analysis.stats import means
from analysis.stats.intervals import Interval
from analysis.stats.survival import medians
from analysis.times import contrasts
from analysis.times.compare import Arm

TITLE = (
    "Time of grokking by arm. Left: every run (triangle: not by its last step) and the median of"
    " all (Kaplan–Meier), where it is reached. Middle: delay against the baseline's runs of the"
    " same seeds, mean with 95 % interval; grey: the published delay, whose strength α the paper"
    " does not tell. Right: H̃ of unmixed probes, less the baseline's of the same seed, where that"
    " groks."
)
OURS = False
PUBLISHED = {MIXING: 5_020, MATCHED: 8_304}
ROW = 0.2  # inches of an arm


def draw(experiments: Experiments) -> Figure:
    """Raises NotRun without a baseline or without any arm."""
    base, every = baseline(experiments), found(experiments)
    colours = dict(zip(CONDITIONS, sns.color_palette("viridis", len(CONDITIONS) + 1), strict=False))
    figure, (times, delays, entropies) = plt.subplots(
        1, 3, figsize=(7.6, 0.8 + ROW * (len(every) + 1)), sharey=True, layout="constrained"
    )
    _times(times, 0, base, "0.35")
    for row, (condition, strength, arm) in enumerate(every, start=1):
        _times(times, row, arm, colours[condition])
        delay = contrasts.weighted([(1, arm), (-1, base)], experiments.generator()).interval
        _interval(delays, row, delay, colours[condition])
        raised = manipulation.raised(experiments, condition)
        if strength is not None:
            raised = raised[raised["strength"] == strength]
        if len(raised):
            entropy = means.mean(raised["raised"].to_numpy(float), experiments.generator())
            _interval(entropies, row, entropy, colours[condition])
    _published(delays, every)
    for axis in (delays, entropies):
        axis.axvline(0, color="0.35", linewidth=0.8, linestyle="--")
    labels = [base.label, *(arm.label for _, _, arm in every)]
    times.set_yticks(range(len(labels)), labels)
    times.set_ylim(len(labels) - 0.5, -0.5)
    times.set_xlim(left=0)
    times.set_xlabel("step of grokking")
    delays.set_xlabel("delay (steps)")
    entropies.set_xlabel("H̃, arm less baseline")
    thousands(times)
    thousands(delays)
    entropies.grid(alpha=0.3, linewidth=0.5)
    for axis in (times, delays, entropies):
        axis.locator_params(axis="x", nbins=5)
        for edge in _edges(every):
            axis.axhline(edge, color="0.85", linewidth=0.6, zorder=0)
    sns.despine(figure)
    return figure


def _times(axis: Axes, row: int, arm: Arm, colour: Colour) -> None:
    steps, observed = arm.times.times, arm.times.observed
    for times, marker in ((steps[observed], "o"), (steps[~observed], ">")):
        axis.plot(
            times, np.full(len(times), row), marker, color=colour, markersize=4, alpha=0.7,
            markerfacecolor=colour if marker == "o" else "none", linestyle="none",
        )  # fmt: skip
    for step, n in zip(*np.unique(steps[~observed], return_counts=True), strict=True):
        if n > 1:  # triangles that hide one another
            axis.annotate(
                f"{n} ×", (step, row), (-5, 0), textcoords="offset points", ha="right",
                va="center", color=colour, fontsize="x-small",
            )  # fmt: skip
    if math.isfinite(median := float(medians(steps, observed))):
        axis.plot([median], [row], "|", color="black", markersize=9)


def _interval(axis: Axes, row: int, found: Interval, colour: Colour) -> None:
    ends = np.array([found.lower, found.upper])
    if np.isfinite(ends).all():
        axis.plot(ends, [row, row], color=colour, linewidth=1.3)
    if math.isfinite(found.estimate):
        axis.plot([found.estimate], [row], "s", color=colour, markersize=4)


def _published(axis: Axes, every: Sequence[Found]) -> None:
    for condition, delay in PUBLISHED.items():
        rows = _rows(every, condition)
        if rows:
            axis.plot([delay, delay], [rows[0] - 0.4, rows[-1] + 0.4], color="0.6", linewidth=2.5)


def _rows(every: Sequence[Found], condition: Condition) -> list[int]:
    return [row for row, (one, _, _) in enumerate(every, start=1) if one is condition]


def _edges(every: Sequence[Found]) -> list[float]:
    """Between the conditions."""
    conditions = [None, *(condition for condition, _, _ in every)]
    return [
        row - 0.5 for row in range(1, len(conditions)) if conditions[row - 1] != conditions[row]
    ]
