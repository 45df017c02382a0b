"""Figure 2: when the runs of each arm grok, how much later than the baseline's, and how flat."""

import math

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from analysis.claims.arguments import ArmName, Column
from analysis.claims.arms import BASELINE, Runs
from analysis.claims.estimators.ratios import slowdown
from analysis.figures import run_lines
from analysis.papers.flatness.estimates.curves import KAPPA
from analysis.papers.flatness.estimates.ends import ratio_at_end
from analysis.runs.experiments import NotRun
from analysis.stats.intervals import Interval

TITLE = (
    "Time of grokking by arm. Left: every run (triangle: not by its last step) and the median of"
    " all (Kaplan–Meier), where it is reached. Middle: the time over the baseline's, by the mixed"
    " model, with 95 % interval (arrow: a bound). Right: κ at the end over that of the baseline's"
    " run of the same seed, mean with interval."
)
OURS = True
ARMS = (
    "prevented", "encouraged", "away", "away_exact", "raw_features", "temperature_1", "towards",
    "penalty", "sphere", "cap", "sphere_penalty", "unplugged", "unplugged_rate",
    "unplugged_decay", "unplugged_cap",
)  # fmt: skip
ROW = 0.22  # inches of an arm


def draw(runs: Runs) -> Figure:
    """Raises NotRun without a baseline or without any arm."""
    base, arms = runs.arm(BASELINE), runs.there(ARMS)
    colours = run_lines.palette(len(arms))
    figure, axes = plt.subplots(
        1, 3, figsize=(7.6, 0.8 + ROW * (len(arms) + 1)), sharey=True, layout="constrained"
    )
    times, ratios, ends = axes
    run_lines.times(times, 0, base.whole("t_grok").times, "0.35")
    for row, ((name, arm), colour) in enumerate(zip(arms.items(), colours, strict=True), start=1):
        run_lines.times(times, row, arm.whole("t_grok").times, colour)
        for axis, found in ((ratios, _slower(runs, name)), (ends, _sharper(runs, name))):
            if found is not None:
                run_lines.interval(axis, row, found, colour)
    ratios.set_xscale("log", base=2)
    ratios.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ends.set_xscale("log")
    for axis in (ratios, ends):
        axis.axvline(1, color="0.35", linewidth=0.8, linestyle="--")
    run_lines.named_rows(times, [base.label, *(arm.label for arm in arms.values())])
    times.set_xlim(left=0)
    labels = ("step of grokking", "time over the baseline's", "κ at the end over the baseline's")
    for axis, label in zip(axes, labels, strict=True):
        axis.set_xlabel(label)
        run_lines.steps(axis, 4) if axis is times else run_lines.grid(axis)
        axis.axhline(0.5, color="0.85", linewidth=0.6, zorder=0)
    sns.despine(figure)
    return figure


def _slower(runs: Runs, name: str) -> Interval | None:
    try:
        return slowdown(runs, ArmName(name)).interval
    except NotRun:
        return None


def _sharper(runs: Runs, name: str) -> Interval | None:
    try:
        found = ratio_at_end(runs, ArmName(name), Column(KAPPA)).interval
    except NotRun:
        return None
    return found if math.isfinite(found.estimate) else None
