"""Figures: one module per paper, each with `draw(…) -> matplotlib Figure`."""

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
    """One look for all figures; draws without a display."""
    matplotlib.use("Agg")
    sns.set_theme(context="paper", style="ticks", rc=STYLE)


def save(shown: Tables, folder: Path, name: str, figure: Figure, dpi: int = 200) -> list[Path]:
    """`<folder>/<name>.pdf` and `.png`, the same bytes for the same data, with a side file that
    says which runs they show; returns the paths of the pictures. The figure is closed."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.pdf", folder / f"{name}.png"]
    figure.savefig(paths[0], metadata={"CreationDate": None})
    figure.savefig(paths[1], dpi=dpi)
    plt.close(figure)
    lineage.write(shown, folder, name)
    return paths
