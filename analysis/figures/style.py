"""Style of all figures, and saving them with their lineage."""

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.output import lineage
from analysis.runs.tables import Tables

STYLE = {
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "pdf.fonttype": 42,  # text stays text
}


def prepare() -> None:
    """Set the style of all figures, and draw without a display."""
    matplotlib.use("Agg")
    sns.set_theme(context="paper", style="ticks", rc=STYLE)


def save(shown: Tables, folder: Path, name: str, figure: Figure, dpi: int = 200) -> list[Path]:
    """Save `<folder>/<name>.pdf` and `.png`, and close the figure; return the two paths.

    Equal data give equal bytes. A lineage file beside them records which runs they show.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.pdf", folder / f"{name}.png"]
    figure.savefig(paths[0], metadata={"CreationDate": None})
    figure.savefig(paths[1], dpi=dpi)
    plt.close(figure)
    lineage.write(shown, folder, name)
    return paths
