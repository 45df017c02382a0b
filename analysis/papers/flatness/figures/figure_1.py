"""Figure 1: the released network, its collapse and three curvatures."""

from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.papers.flatness.figures import _lines

TITLE = (
    "The released network over training, a line a run: accuracies (dotted: training), CDNV, and"
    " what goes by the name of relative flatness: κ itself, its surrogate, and the formula that the"
    " released code plots. Diamonds: the paper's figure, by its pixels."
)
OURS = False
PUBLISHED: dict[str, dict[float, float]] = {
    "test_accuracy": {4_000: 0.12, 6_000: 0.27, 10_000: 0.40, 15_000: 0.71, 20_000: 0.93,
                      25_000: 0.986},
    "collapse/cdnv": {0: 46, 2_000: 5.3, 10_000: 1.2, 30_000: 0.16},
    "flatness/kappa_released": {1_000: 31_600, 8_000: 326_000, 9_900: 335_000, 15_000: 184_000,
                                25_000: 67_000},
}  # fmt: skip


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    columns = {**_lines.ACCURACY, **_lines.CDNV, **_lines.CURVATURES}
    figure, axes = _lines.draw({"": [runs.arm("released")]}, columns)
    for column, points in PUBLISHED.items():
        if column in axes:
            _lines.published(axes[column], points)
    return figure
