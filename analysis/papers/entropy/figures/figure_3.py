"""Figure 3: when the runs of each arm grok, and how much later than the baseline of their seeds."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.claims.arm_tables import Strength, delay
from analysis.claims.arms import BASELINE, Runs
from analysis.figures import run_lines
from analysis.papers.entropy.tables.arms import OTHERS, found
from analysis.stats import means
from grokpipe.curves.events import ENTROPY

TITLE = (
    "Time of grokking by arm. Left: every run (triangle: not by its last step) and the median of"
    " all (Kaplan–Meier), where it is reached. Middle: delay against the baseline's runs of the"
    " same seeds, mean with 95 % interval; grey: the published delay, whose strength α the paper"
    " does not tell. Right: H̃ of unmixed probes, less the baseline's of the same seed, where that"
    " groks."
)
OURS = False
PUBLISHED = {"mixing": 5_020, "matched": 8_304}
ROW = 0.2  # inches of an arm


def draw(runs: Runs) -> Figure:
    """Raises NotRun without a baseline or without any arm."""
    arm, every = runs.arm(BASELINE), found(runs)
    base = arm.whole("t_grok")
    colours = dict(zip(OTHERS, run_lines.palette(len(OTHERS)), strict=True))
    figure, axes = plt.subplots(
        1, 3, figsize=(7.6, 0.8 + ROW * (len(every) + 1)), sharey=True, layout="constrained"
    )
    times, delays, entropies = axes
    run_lines.times(times, 0, base.times, "0.35")
    for row, one in enumerate(every, start=1):
        colour = colours[one.arm.name]
        run_lines.times(times, row, one.times.times, colour)
        run_lines.interval(delays, row, delay(one.times, base, runs.generator()), colour)
        raised = one.differences(arm, ENTROPY, "t_grok")["difference"].to_numpy(float)
        if len(raised):
            run_lines.interval(entropies, row, means.mean(raised, runs.generator()), colour)
    _published(delays, every)
    for axis in (delays, entropies):
        axis.axvline(0, color="0.35", linewidth=0.8, linestyle="--")
    run_lines.named_rows(times, [base.label, *(one.label for one in every)])
    times.set_xlim(left=0)
    labels = ("step of grokking", "delay (steps)", "H̃, arm less baseline")
    names = [BASELINE, *(one.arm.name for one in every)]
    edges = [row - 0.5 for row in range(2, len(names)) if names[row - 1] != names[row]]
    for axis, label in zip(axes, labels, strict=True):
        axis.set_xlabel(label)
        run_lines.grid(axis) if axis is entropies else run_lines.steps(axis)
        axis.locator_params(axis="x", nbins=5)
        for edge in [0.5, *edges]:
            axis.axhline(edge, color="0.85", linewidth=0.6, zorder=0)
    sns.despine(figure)
    return figure


def _published(axis: Axes, every: Sequence[Strength]) -> None:
    for name, published in PUBLISHED.items():
        rows = [row for row, one in enumerate(every, start=1) if one.arm.name == name]
        if rows:
            ends = [rows[0] - 0.4, rows[-1] + 0.4]
            axis.plot([published, published], ends, color="0.6", linewidth=2.5)
