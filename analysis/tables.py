"""Tables as files: csv with plain numbers, md and tex with the numbers as people read them."""

from pathlib import Path

import pandas as pd
from tabulate import tabulate

from analysis import why
from analysis.gather import Tables

FORMATS = {"md": "github", "tex": "latex_booktabs"}
TEX = {"∞": r"$\infty$", "–": "--", ">": "$>$", "λ": r"$\lambda$"}


def text(table: pd.DataFrame, tablefmt: str = "simple") -> str:
    """A table of strings and numbers as text, numbers to six significant digits."""
    return tabulate(
        table.to_dict("list"), headers="keys", tablefmt=tablefmt, disable_numparse=True,
        colalign=["left" if table[c].dtype == object else "right" for c in table],
    )  # fmt: skip


def write(
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
        content = text(readable, tablefmt)
        if ending == "tex":
            for sign, command in TEX.items():
                content = content.replace(sign, command)
        paths[-1].write_text(content + "\n")
    why.write(shown, folder, name)
    return paths
