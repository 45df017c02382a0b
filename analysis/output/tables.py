"""Write tables as files: csv with plain numbers, md and tex with numbers formatted for people."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
import tabulate

from analysis.output import lineage
from analysis.output.csv import csv_text
from analysis.output.folders import writing
from analysis.runs.tables import Tables
from grokpipe.store import files

FORMATS = {"md": "github", "tex": "latex_booktabs"}


TEX = {
    "∞": r"$\infty$", "–": "--", "−": "$-$", "±": r"$\pm$", "≤": r"$\leq$", "≥": r"$\geq$",
    "→": r"$\to$", "τ": r"$\tau$", "λ": r"$\lambda$", "δ": r"$\delta$", "Δ": r"$\Delta$",
    "γ": r"$\gamma$", "κ": r"$\kappa$", "²": "$^2$",
}  # fmt: skip
"""signs that LaTeX writes as commands; tabulate escapes the ASCII ones, such as > and <"""


def table_text(table: pd.DataFrame, tablefmt: str = "simple") -> str:
    """Format a table as text, numbers to six significant digits, – for missing values; for the
    screen ("simple") as narrow as its texts allow."""
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
    """Format a table for a file; in LaTeX, replace signs by their commands, and hide a bracket at
    the start of a row from the line break before it."""
    content = table_text(table, tablefmt)
    if "latex" not in tablefmt:
        return content
    for sign, command in TEX.items():
        content = content.replace(sign, command)
    return re.sub(r"^( *)\[", r"\1{[}", content, flags=re.M)


def texts(tables: Iterable[pd.DataFrame], note: str = "") -> dict[str, str]:
    """The content of files by their ending: the tables one under the other, then a note."""
    found = {}
    for ending, tablefmt in FORMATS.items():
        parts = [formatted(table, tablefmt) for table in tables]
        if note:
            parts.append(f"% {note}" if ending == "tex" else note)
        found[ending] = "\n\n".join(parts) + "\n"
    return found


def write_table(
    shown: Tables,
    folder: Path,
    name: str,
    exact: pd.DataFrame,
    readable: pd.DataFrame | Mapping[str, str] | None = None,
) -> list[Path]:
    """Write `<folder>/<name>.csv` and, from `readable`, `.md` and `.tex`; return their paths.

    `readable` is a table, or has the contents of the files by their ending, as from `texts`. A
    lineage file beside them records which runs they show. Each file appears whole or not at all.
    Raises InputError where the folder cannot be written to.
    """
    if isinstance(readable, pd.DataFrame):
        readable = texts([readable])
    contents = {"csv": csv_text(exact), **(readable or {})}
    paths = [folder / f"{name}.{ending}" for ending in contents]
    with writing(folder):
        for path, text in zip(paths, contents.values(), strict=True):
            files.write_text(path, text)
        lineage.write(shown, folder, name)
    return paths
