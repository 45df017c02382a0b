"""Columns and colours that the figures share: a decay has the same colour in all of them."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.figures import run_lines, strengths
from analysis.figures.run_lines import Colour
from analysis.runs.tables import Tables

BY = "weight_decay"
DECAYS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
"""the paper's, dark to light"""
ACCURACY = {"test_accuracy": "test accuracy (dashed: training)"}
RNC1 = {"collapse/rnc1": "RNC1"}
NC1 = {"collapse/nc1": "NC1"}
NC2 = {"collapse/nc2_cond": "NC2"}


def colours(*several: Tables) -> dict[float, Colour]:
    """A colour for each decay that the runs have; that of the paper's figures where it has it."""
    found = {float(value) for one in several for value in one.cells[BY]}
    every = sorted(found | set(DECAYS)) if found & set(DECAYS) else sorted(found)
    return dict(zip(every, run_lines.palette(len(every)), strict=True))


def draw(
    rows: Mapping[str, Tables], columns: strengths.Columns, down: int = 1
) -> tuple[Figure, NDArray[Any]]:
    """`strengths.draw` by decay. Raises NotRun."""
    return strengths.draw(rows, columns, BY, colours(*rows.values()), down)


def by(tables: Tables, column: str, name: str) -> dict[str, Tables]:
    """The runs at each value of another column, ascending, under a title with its `name`."""
    groups = sorted(tables.cells.groupby(column), key=lambda one: one[0])
    return {f"{value:,g} {name}": tables.only(cells["key"]) for value, cells in groups}
