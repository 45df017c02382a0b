"""Figure 3: accuracy, RNC1 and NC2 by decay."""

from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.figures import strengths
from analysis.papers.collapse.figures import decays

TITLE = (
    "Test accuracy (dashed: training), RNC1 and NC2 of the MLP over training, by decay. Hollow"
    " diamonds: where Table 1 has test accuracy begin to rise, placed at 20 % (a triangle: later"
    " than this); hollow squares: the 15 % and 88 % of Figure 2 at λ = 0.01."
)
OURS = False
RISE = {0.3: 10_000, 0.1: 20_000, 0.01: 60_000}
"""Table 1: decay → step"""
LATER = {0.003: 100_000}
LEVEL = 0.2  # of our tau2_rise: a tenth above chance
ANCHORS = {16_000: 0.15, 100_000: 0.88}
"""step → test accuracy at λ = 0.01"""


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    tables = runs.arm("decays").tables
    figure, axes = decays.draw({"": tables}, {**decays.ACCURACY, **decays.RNC1, **decays.NC2})
    colours = decays.colours(tables)
    for marker, times in (("D", RISE), (">", LATER)):
        for decay, step in times.items():
            if decay in colours:
                strengths.published(axes[0, 0], step, LEVEL, colours[decay], marker)
    for step, accuracy in ANCHORS.items():
        if 0.01 in colours:
            strengths.published(axes[0, 0], step, accuracy, colours[0.01], "s")
    return figure
