"""Tables fit for print: LaTeX with booktabs and threeparttable, and Markdown with a caption."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import pandas as pd

from analysis.output.tables import TEX

WIDTH = 76  # characters of a table that fits the text of an article, set small
PACKAGES = ("booktabs", "threeparttable")
NEEDED = " ".join(rf"\usepackage{{{package}}}" for package in PACKAGES)
_SPECIAL = {sign: f"\\{sign}" for sign in "&%#_{}"} | {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "$": r"\$", ">": "$>$", "<": "$<$", "|": r"\textbar{}",
}  # fmt: skip
_MATHEMATICS = re.compile(r"(\$[^$]+\$)")


@dataclass(frozen=True)
class PaperTable:
    """A table with what stands above and below it. Headings, cells, caption and note are text with
    mathematics between dollar signs; a cell may have several lines."""

    cells: pd.DataFrame
    caption: str
    note: str


def stacked(cell: str) -> str:
    """A number with its interval on a line of its own, below the number and a count beside it."""
    return re.sub(r"^(\S.*?) (\[[^]]*\])( .*)?$", r"\1\3\n\2", cell)


def texts(tables: Sequence[PaperTable], name: str) -> dict[str, str]:
    """The contents of the files <name>.md and <name>.tex by their ending; the labels in LaTeX are
    tab:<name>, or tab:<name>-1 and on."""
    label = name.replace("_", "-").removesuffix("-paper")
    labels = [f"{label}-{n}" for n in range(1, len(tables) + 1)] if len(tables) > 1 else [label]
    floats = [_float(table, label) for table, label in zip(tables, labels, strict=True)]
    return {
        "md": "\n".join(map(_markdown, tables)),
        "tex": "\n".join([f"% needs {NEEDED}", *floats]),
    }


def latex(text: str) -> str:
    """Text as LaTeX: signs as commands, thousands separated in a way that is safe in mathematics
    too, powers of ten; what is between dollar signs stays."""
    parts = _MATHEMATICS.split(text)
    return "".join(part if n % 2 else _escaped(part) for n, part in enumerate(parts))


def _escaped(text: str) -> str:
    text = "".join(_SPECIAL.get(sign, TEX.get(sign, sign)) for sign in text)
    text = re.sub(r"(?<=\d),(?=\d{3})", "{,}", text)
    text = re.sub(r"(?<![\w.$-])-(?=[\d.])", "$-$", text)
    return re.sub(r"\b(\d(?:\.\d+)?)e([+-])0?(\d+)\b", _power, text)


def _power(found: re.Match[str]) -> str:
    sign = "-" * (found[2] == "-")
    return rf"${found[1]} \times 10^{{{sign}{found[3]}}}$"


def _float(table: PaperTable, label: str) -> str:
    heads = [latex(str(name)) for name in table.cells]
    rows = [_rows([str(value) for value in row]) for row in table.cells.to_numpy()]
    between = [r"\addlinespace"] * any(len(row) > 1 for row in rows)
    lines = [line for row in rows for line in [*between, *row]][len(between) :]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering\small\setlength{\tabcolsep}{3pt}",
            r"\begin{threeparttable}",
            rf"\caption{{{latex(table.caption)}}}",
            rf"\label{{tab:{label}}}",
            rf"\begin{{tabular}}{{{'l' * len(heads)}}}",
            r"\toprule",
            _row(heads),
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\begin{tablenotes}[flushleft]",
            rf"\footnotesize\item {latex(table.note)}",
            r"\end{tablenotes}",
            r"\end{threeparttable}",
            r"\end{table}",
            "",
        ]
    )


def _rows(cells: Sequence[str]) -> list[str]:
    """The lines of the cells, one row of LaTeX for each."""
    lines = zip_longest(*(cell.split("\n") for cell in cells), fillvalue="")
    return [_row([latex(cell) for cell in line]) for line in lines]


def _row(cells: Sequence[str]) -> str:
    """A row of LaTeX; its first cell does not begin with a bracket, which the line break before it
    would take for its own."""
    first, *others = cells
    if first.startswith("["):
        first = "{[}" + first[1:]
    return " & ".join([first, *others]) + r" \\"


def _markdown(table: PaperTable) -> str:
    heads = [str(name) for name in table.cells]
    rows = [heads, ["---"] * len(heads), *table.cells.astype(str).to_numpy()]
    lines = [
        "| " + " | ".join(cell.replace("|", r"\|").replace("\n", "<br>") for cell in row) + " |"
        for row in rows
    ]
    return "\n".join([table.caption, "", *lines, "", table.note, ""])
