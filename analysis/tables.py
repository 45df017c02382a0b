"""Tables as files: csv with plain numbers, md and tex with the numbers as people read them."""

from pathlib import Path

import pandas as pd
from tabulate import tabulate

FORMATS = {"md": "github", "tex": "latex_booktabs"}
TEX = {"∞": r"$\infty$", "–": "--", ">": "$>$", "λ": r"$\lambda$"}


def text(table: pd.DataFrame, tablefmt: str = "simple") -> str:
    """A table of strings and numbers as text, numbers to six significant digits."""
    return tabulate(
        table.to_dict("list"), headers="keys", tablefmt=tablefmt, disable_numparse=True,
        colalign=["left" if table[c].dtype == object else "right" for c in table],
    )  # fmt: skip


def write(exact: pd.DataFrame, readable: pd.DataFrame, folder: Path, name: str) -> list[Path]:
    """`<folder>/<name>.csv`, `.md` and `.tex`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.csv"]
    exact.to_csv(paths[0], index=False)
    for ending, tablefmt in FORMATS.items():
        paths.append(folder / f"{name}.{ending}")
        content = text(readable, tablefmt)
        if ending == "tex":
            for sign, command in TEX.items():
                content = content.replace(sign, command)
        paths[-1].write_text(content + "\n")
    return paths
