"""Figure 9: the Transformer on images, by decay and number of training images."""

from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.papers.collapse.figures import decays

TITLE = (
    "Transformer on images: test accuracy (dashed: training), RNC1 and NC1 over training, by decay,"
    " for each number of training images that was run."
)
OURS = False


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    tables = runs.tables(runs.arms["image_transformer"].experiment)
    rows = decays.by(tables, "train_size", "images")
    return decays.draw(rows, {**decays.ACCURACY, **decays.RNC1, **decays.NC1})[0]
