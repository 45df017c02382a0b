"""Figures: one module per paper, each with `draw(…) -> matplotlib Figure`."""

from pathlib import Path

import matplotlib
import seaborn as sns
from matplotlib.figure import Figure

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


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """`<folder>/<name>.pdf` and `.png`, the same bytes for the same data; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.pdf", folder / f"{name}.png"]
    figure.savefig(paths[0], metadata={"CreationDate": None})
    figure.savefig(paths[1], dpi=200)
    return paths
