"""The numbers of docs/flatness.md."""

from pathlib import Path

from analysis.claims.arms import Runs
from analysis.output.tables import table_text
from analysis.papers.flatness.tables import constant
from analysis.runs.experiments import Experiments
from docs import paper_numbers
from docs.reference import FLATNESS_PAPER


def of_constants() -> str:
    """The reported κ beside what the regulariser alone gives; computed, from no runs."""
    (table,) = constant.tables(Runs(Experiments(Path(), "flatness"), {})).values()
    return table_text(table, "github")


BLOCKS = {"constant": of_constants, "verdicts": paper_numbers.verdicts(FLATNESS_PAPER)}
