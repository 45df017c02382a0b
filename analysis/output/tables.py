"""Tables as files: csv with plain numbers, md and tex with the numbers as people read them."""

from pathlib import Path

import pandas as pd
import tabulate

from analysis.output import lineage
from analysis.runs.tables import Tables

FORMATS = {"md": "github", "tex": "latex_booktabs"}


TEX = {
    "∞": r"$\infty$", "–": "--", "−": "$-$", "±": r"$\pm$", "≤": r"$\leq$", "≥": r"$\geq$",
    "→": r"$\to$", "τ": r"$\tau$", "λ": r"$\lambda$", "δ": r"$\delta$", "Δ": r"$\Delta$",
    "γ": r"$\gamma$", "κ": r"$\kappa$", "²": "$^2$",
}  # fmt: skip
"""what LaTeX needs in other words; tabulate has escaped the ASCII ones, > and < among them"""


def table_text(table: pd.DataFrame, tablefmt: str = "simple") -> str:
    """A table of strings and numbers as text, numbers to six significant digits, – for none; for
    the screen ("simple") as narrow as its texts allow."""
    shown = {
        name: [
            "–" if missing else f"{value:g}" if isinstance(value, float) else value
            for value, missing in zip(column, column.isna(), strict=True)
        ]
        if column.isna().any()
        else column.to_list()
        for name, column in table.items()
    }
    padding = tabulate.MIN_PADDING
    try:
        tabulate.MIN_PADDING = 0 if tablefmt == "simple" else padding  # of the headers
        return str(tabulate.tabulate(
            shown, headers="keys", tablefmt=tablefmt, disable_numparse=True,
            colalign=["left" if table[c].dtype == object else "right" for c in table],
        ))  # fmt: skip
    finally:
        tabulate.MIN_PADDING = padding


def formatted(table: pd.DataFrame, tablefmt: str) -> str:
    """The text of a file: in LaTeX with the signs as it writes them."""
    content = table_text(table, tablefmt)
    for sign, command in TEX.items() if "latex" in tablefmt else ():
        content = content.replace(sign, command)
    return content


def write_table(
    shown: Tables,
    folder: Path,
    name: str,
    exact: pd.DataFrame,
    readable: pd.DataFrame | None = None,
) -> list[Path]:
    """`<folder>/<name>.csv` and, of what is readable, `.md` and `.tex`, with a side file that says
    which runs they show; returns the paths of the tables."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.csv"]
    exact.to_csv(paths[0], index=False)
    for ending, tablefmt in FORMATS.items() if readable is not None else ():
        paths.append(folder / f"{name}.{ending}")
        paths[-1].write_text(formatted(readable, tablefmt) + "\n")
    lineage.write(shown, folder, name)
    return paths
