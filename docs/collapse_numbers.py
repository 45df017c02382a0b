"""The numbers of docs/collapse.md."""

from analysis.claims import reading
from analysis.output.tables import table_text
from analysis.papers.collapse.tables import times
from docs import paper_numbers
from docs.reference import COLLAPSE_PAPER


def medians() -> str:
    """Table 1 of the paper's network: median times by decay, in every reading of τ2."""
    runs = reading.read(COLLAPSE_PAPER.name).runs(COLLAPSE_PAPER)
    return table_text(times.tables(runs)["Table 1: times, MLP"], "github")


BLOCKS = {"medians": medians, "verdicts": paper_numbers.verdicts(COLLAPSE_PAPER)}
