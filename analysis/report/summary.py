"""The first page of a report: what held up, what did not, and what is open, in plain words."""

from collections import Counter

from analysis.claims.judge import (
    INCONCLUSIVE,
    NOT_REPRODUCED,
    NOT_RUN,
    PREMISE,
    REPRODUCED,
    USED,
    Judged,
)
from analysis.claims.schema import Paper
from analysis.report import words
from analysis.report.contents import Report

SECTIONS = {
    REPRODUCED: "What held up",
    NOT_REPRODUCED: "What did not",
    PREMISE: "What could not be asked",
    INCONCLUSIVE: "What is still open",
    USED: "What the setting was chosen by, so that it shows nothing",
    NOT_RUN: "What was not run",
}


def summary(report: Report) -> list[tuple[str, list[tuple[Judged, str]]]]:
    """The claims by verdict, under plain headings: each statement with our number; of those that
    are open, what would settle them."""
    every = report.by_verdict()
    return [
        (
            f"{title}: {len(every[verdict])}",
            [(one, _in_short(report, one)) for one in every[verdict]],
        )
        for verdict, title in SECTIONS.items()
        if every[verdict]
    ]


def _in_short(report: Report, judged: Judged) -> str:
    published = words.published(report.paper, judged.claim)
    parts = [f"{judged.claim.statement} Published: {published}. "]
    if judged.verdict != NOT_RUN:
        parts.append(f"Ours: {'; '.join(_estimates(judged))}. ")
    if more := words.more_seeds(judged, report.chances.get(judged.claim.id)):
        parts.append(f"{words.capital(more)}. ")
    found = report.orders.get(judged.claim.id)
    if found is not None and found.said.startswith("post hoc"):
        parts.append(f"({words.capital(found.said)}.)")
    return "".join(parts).strip()


def _estimates(judged: Judged) -> list[str]:
    """Our number, or several by their names."""
    every = [of_estimate[0] for of_estimate in judged.by_estimate()]
    if len(every) == 1:
        return [words.ours(every[0])]
    return [f"{words.called(judged, outcome)}: {words.ours(outcome)}" for outcome in every]


def order_of_all(report: Report) -> str:
    """How many rules are younger than the runs that they judge, as the repository tells."""
    if not report.orders:
        return "Whether rules are older than their runs is read from a clone with its history."
    said = Counter(
        found.said.partition(" for")[0] or "not known" for found in report.orders.values()
    )
    return "Rules beside their runs, from the history of the repository: " + (
        ", ".join(f"{n} {what}" for what, n in said.most_common()) + "."
    )


def versions(paper: Paper) -> str:
    """The titles of a paper that has several versions; empty for others."""
    if not paper.later:
        return ""
    titles = [paper.title, *(version.title for version in paper.later)]
    said = "; ".join(f"{number}, “{title}”" for number, title in enumerate(titles, 1))
    return f"Versions: {said}. Published tables and figures are those of version 1."


def known(paper: Paper) -> list[str]:
    """What was known when the rules were written, a sentence for each version that tells it."""
    first = [f"Known when the rules were written: {paper.known}"] if paper.known else []
    return first + [
        f"Known when the rules of version {number} were written, {version.written}: {version.known}"
        for number, version in enumerate(paper.later, 2)
        if version.known
    ]
