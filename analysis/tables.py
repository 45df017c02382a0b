"""Tables as files: csv with plain numbers, md and tex with the numbers as people read them."""

import math
from pathlib import Path

import pandas as pd
from tabulate import tabulate

from analysis import why
from analysis.gather import Tables
from analysis.intervals import Interval
from analysis.survival import ENOUGH

FORMATS = {"md": "github", "tex": "latex_booktabs"}
TEX = {
    "∞": r"$\infty$", "–": "--", "−": "$-$", "±": r"$\pm$", "≤": r"$\leq$", "≥": r"$\geq$",
    "→": r"$\to$", "τ": r"$\tau$", "λ": r"$\lambda$", "δ": r"$\delta$", "Δ": r"$\Delta$",
    "γ": r"$\gamma$", "κ": r"$\kappa$", "²": "$^2$",
}  # fmt: skip
"""what LaTeX needs in other words; tabulate has escaped the ASCII ones, > and < among them"""


def text(table: pd.DataFrame, tablefmt: str = "simple") -> str:
    """A table of strings and numbers as text, numbers to six significant digits, – for none."""
    shown = {
        name: [
            "–" if missing else f"{value:g}" if isinstance(value, float) else value
            for value, missing in zip(column, column.isna(), strict=True)
        ]
        if column.isna().any()
        else column.to_list()
        for name, column in table.items()
    }
    return tabulate(
        shown, headers="keys", tablefmt=tablefmt, disable_numparse=True,
        colalign=["left" if table[c].dtype == object else "right" for c in table],
    )  # fmt: skip


def of_format(table: pd.DataFrame, tablefmt: str) -> str:
    """The text of a file: in LaTeX with the signs as it writes them."""
    content = text(table, tablefmt)
    for sign, command in TEX.items() if "latex" in tablefmt else ():
        content = content.replace(sign, command)
    return content


def number(value: float, decimals: int = 0, sign: str = "") -> str:
    """A number as people read it: thousands separated, – where there is none."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return ("−" if value < 0 else sign) + "∞"
    return f"{value:{sign},.{decimals}f}".replace("-", "−")


def bounded(value: float, followed: float, n: int, decimals: int = 0) -> str:
    """A median of n runs, or that it lies beyond what five of them were followed to: all of fewer,
    which it then says."""
    if value == math.inf:
        runs = f" ({n} run{'s' if n > 1 else ''})" if n < ENOUGH else ""
        return f"> {number(followed, decimals)}{runs}"
    return number(value, decimals)


def counted(reached: int, n: int, runs: int) -> str:
    """How many of n runs had an event, and of how many runs these n are: `3/3 of 6`."""
    return f"{reached}/{n}" + (f" of {runs}" if runs > n else "")


def interval(lower: float, upper: float, decimals: int = 0, sign: str = "") -> str:
    """`[lower, upper]`; nothing where there is no interval."""
    if math.isnan(lower):
        return ""
    return f"[{number(lower, decimals, sign)}, {number(upper, decimals, sign)}]"


def estimated(found: Interval, decimals: int = 0, sign: str = "") -> str:
    """An estimate with its interval, if it has one: `5,020 [1,200, 8,840]`."""
    ends = interval(found.lower, found.upper, decimals, sign)
    return f"{number(found.estimate, decimals, sign)} {ends}".rstrip()


def p_value(value: float) -> str:
    """Two digits; – for a test that was refused."""
    if math.isnan(value):
        return "–"
    return f"{value:.2g}" if value >= 1e-4 else f"{value:.0e}"


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
        paths[-1].write_text(of_format(readable, tablefmt) + "\n")
    why.write(shown, folder, name)
    return paths
