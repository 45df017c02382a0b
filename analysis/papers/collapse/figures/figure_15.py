"""Figure 15 (ours): the times of fitting, generalisation and collapse against the decay."""

import textwrap

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.figures import power_law as drawing
from analysis.figures import strengths
from analysis.output.formats import interval, number
from analysis.papers.collapse.figures import decays, figure_3
from analysis.runs.experiments import NotRun
from analysis.times import power_law
from grokpipe.errors import InputError

TITLE = (
    "Steps until the training set is fitted (τ1), test accuracy rises (τ2) and RNC1 is at most 0.1,"
    " against the decay, a mark a run, with a power law τ ∝ λ^(−k) each, k with its 95 % interval."
    " Theorem 4.3, as it is read, has slope 0 for the first, −1 for the others (grey). Hollow"
    " diamonds: Table 1; triangle: later than this."
)
OURS = True
EVENTS = {"tau1": "fitting", "tau2_rise": "generalisation", "tau_rnc1@0.1": "collapse"}
LETTERS = 28  # of a line in a panel without a fit
AROUND = 1.9  # factor by which the axis goes beyond the decays: runs are drawn side by side
TABLE_1 = {"tau1": {0.3: 5_000, 0.1: 5_000, 0.01: 5_000, 0.003: 5_000}, "tau2_rise": figure_3.RISE}


def draw(runs: Runs) -> Figure:
    """Raises NotRun, also where no time allows a fit yet."""
    arm = runs.arm("decays")
    figure, axes = plt.subplots(1, len(EVENTS), figsize=(7.6, 3.0), layout="constrained")
    colours, reasons = decays.colours(arm.tables), []
    for axis, (event, name) in zip(axes, EVENTS.items(), strict=True):
        events = arm.events(event)
        try:
            fitted = power_law.fit(events, [decays.BY], runs.generator())
        except InputError as error:
            axis.set_title(f"{name}: no fit", loc="left")
            reasons.append(str(error))
            why = textwrap.fill(reasons[-1], LETTERS)
            axis.text(0.05, 0.5, why, va="center", transform=axis.transAxes)
            axis.set_axis_off()
            continue
        drawing.panel(axis, events, fitted)
        low, high = fitted.ranges[decays.BY]
        axis.set_xlim(low / AROUND, high * AROUND)
        axis.tick_params(axis="x", rotation=45)
        k = fitted.exponents[decays.BY]
        said = f"k = {number(k.estimate, 2)} {interval(k.lower, k.upper, 2)}"
        axis.set_title(f"{name}, {fitted.observed} of {fitted.n} runs\n{said}", loc="left")
        marks = [(decay, step, "D") for decay, step in TABLE_1.get(event, {}).items()]
        if event == "tau2_rise":
            marks += [(decay, step, "^") for decay, step in figure_3.LATER.items()]
        for decay, step, marker in marks:
            strengths.published(axis, decay, step, colours.get(decay, "0.5"), marker)
        low, high = axis.get_ylim()
        steps = [step for _, step, _ in marks]
        axis.set_ylim(min([low, *(step / 1.3 for step in steps)]),
                      max([high, *(step * 1.3 for step in steps)]))  # fmt: skip
    if len(reasons) == len(EVENTS):
        plt.close(figure)
        raise NotRun("; ".join(dict.fromkeys(reasons)))
    drawing.key(figure, list(axes))
    sns.despine(figure)
    return figure
