"""Figure 6: Fashion-MNIST, with 1,000 images and with 3,000."""

from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.papers.collapse.figures import decays

TITLE = (
    "Fashion-MNIST: test accuracy (dashed: training), RNC1 and NC2 of the MLP, by decay, with 1,000"
    " and with 3,000 training images, as far as they were run."
)
OURS = False
ARMS = {"fashion": "1,000 images", "fashion_3000": "3,000 images"}


def draw(runs: Runs) -> Figure:
    """Raises NotRun without any of the two."""
    rows = {ARMS[name]: arm.tables for name, arm in runs.there(ARMS).items()}
    return decays.draw(rows, {**decays.ACCURACY, **decays.RNC1, **decays.NC2})[0]
