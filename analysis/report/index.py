"""A page about all papers: what each says, how its claims came out, and where to read on."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.claims.judge import (
    INCONCLUSIVE,
    NOT_REPRODUCED,
    NOT_RUN,
    PREMISE,
    REPRODUCED,
    USED,
    VERDICTS,
    Judged,
)
from analysis.claims.schema import Paper
from analysis.report import pages
from analysis.report.contents import Report

HTML, MARKDOWN = "index.html", "index.md"
MEANINGS = {
    REPRODUCED: "our runs show what the claim says, by its rule",
    NOT_REPRODUCED: "our runs show otherwise",
    INCONCLUSIVE: "our runs are too few, or scatter too much, to tell",
    PREMISE: "what the claim takes for granted does not hold in our runs",
    USED: "our setting was chosen by this very number, so that agreement shows nothing",
    NOT_RUN: "its runs have not been made",
}


@dataclass(frozen=True)
class Entry:
    """A paper, and what became of its claims."""

    paper: Paper
    report: Report | None
    to: Path
    """the folder of its report"""
    why: str = ""
    """why it is not judged"""

    def counts(self) -> list[int]:
        """How many claims came out as each of VERDICTS."""
        assert self.report is not None
        return [len(judged) for judged in self.report.by_verdict().values()]

    def of(self, verdict: str) -> list[Judged]:
        """The claims with a verdict."""
        return [] if self.report is None else self.report.by_verdict()[verdict]

    def made_of(self) -> str:
        """How many runs and figures stand behind the verdicts, in words."""
        assert self.report is not None
        runs = sum(self.report.experiments.values())
        drawn = sum(figure.path is not None for figure in self.report.figures)
        experiments = len(self.report.experiments)
        return (
            f"{runs:,} runs of {experiments} experiment{'s' * (experiments != 1)}; "
            f"{drawn} of {len(self.report.figures)} figures drawn"
        )


def write(entries: Sequence[Entry], to: Path) -> list[Path]:
    """The page and the same as Markdown, with links to the reports, into `to`; their paths."""
    links = {
        entry.paper.name: os.path.relpath(entry.to.resolve(), to.resolve()) for entry in entries
    }
    return pages.written(to, {HTML: html(entries, links), MARKDOWN: markdown(entries, links)})


def html(entries: Sequence[Entry], links: Mapping[str, str]) -> str:
    """`links`: by the name of the paper, the folder of its report."""
    template = pages.environment(autoescape=True).get_template("index.html.jinja")
    return template.render(entries=entries, links=links, verdicts=VERDICTS, meanings=MEANINGS)


def markdown(entries: Sequence[Entry], links: Mapping[str, str]) -> str:
    """The same, as Markdown."""
    template = pages.environment(autoescape=False).get_template("index.md.jinja")
    return template.render(entries=entries, links=links, verdicts=VERDICTS, meanings=MEANINGS)
