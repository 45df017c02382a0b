"""Style of all figures, and saving them with their lineage."""

from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from analysis.output import lineage
from analysis.output.folders import writing
from analysis.runs.tables import Tables
from grokpipe.store import files

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

    Equal data give equal bytes. A lineage file beside them records which runs they show. Each file
    appears whole or not at all. Raises InputError where the folder cannot be written to.
    """
    options: dict[str, dict[str, Any]] = {
        "pdf": {"metadata": {"CreationDate": None}},
        "png": {"dpi": dpi},
    }
    paths = [folder / f"{name}.{ending}" for ending in options]
    try:
        with writing(folder):
            for path, (ending, how) in zip(paths, options.items(), strict=True):
                with files.replacing(path) as temporary:
                    figure.savefig(temporary, format=ending, **how)
            lineage.write(shown, folder, name)
    finally:
        plt.close(figure)
    return paths
