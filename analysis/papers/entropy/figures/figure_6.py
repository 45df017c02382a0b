"""Figure 6 (ours): how wrong forecasts are as grokking draws near."""

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.claims.arms import BASELINE, Runs
from analysis.claims.estimators.laws import forecasts
from analysis.figures import forecast, run_lines

TITLE = (
    "Error of forecasts of T_grok that leave one seed out, over the share of the time that has"
    " passed: the law in the entropy gap, “now”, and the mean of the other seeds. Dotted grey: the"
    " published 4.1 % at the last evaluation, where “now” is right by itself."
)
OURS = True
PUBLISHED = 0.041


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    long = forecasts(runs, BASELINE)
    figure, axis = plt.subplots(figsize=(4.6, 2.9), layout="constrained")
    forecast.errors(axis, long)
    run_lines.level(axis, PUBLISHED, published=True)
    axis.set_xlabel("share of the time to grokking, t / T_grok")
    sns.despine(figure)
    return figure
