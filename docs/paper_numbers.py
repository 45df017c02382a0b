"""What the documents say of a paper's verdicts, whichever paper it is."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from analysis.output.tables import table_text


def verdicts(paper: Path) -> Callable[[], str]:
    """A table of every claim with its published number, ours, the verdict, the first rule's verdict
    and what the rule in force can decide, from the stored report in the paper's folder."""

    def table() -> str:
        found = _stored(paper)
        shown = found[["id", "statement", "published", "ours", "verdict", "earlier_verdict"]].copy()
        shown = shown.rename(columns={"earlier_verdict": "before"})
        if not shown["before"].any():  # no rule was amended
            shown = shown.drop(columns="before")
        shown["if published"] = found["reproduced_if_published"].replace("", "–")
        shown["if no effect"] = found["reproduced_if_no_effect"].replace("", "–")
        return table_text(shown, "github")

    return table


def counts(papers: dict[str, Path]) -> Callable[[], str]:
    """How many claims came out how, in a sentence for each paper, named by what it explains."""

    def sentences() -> str:
        return "\n\n".join(_counted(name, paper) for name, paper in papers.items())

    return sentences


def _counted(name: str, paper: Path) -> str:
    numbers = _stored(paper)["verdict"].value_counts()
    said = ", ".join(f"{number} {verdict}" for verdict, number in numbers.items())
    return textwrap.fill(
        f"Of {numbers.sum()} claims of the {name} paper: {said} "
        f"([docs/{paper.name}.md](docs/{paper.name}.md)).",
        width=100,
        break_on_hyphens=False,
    )


def _stored(paper: Path) -> pd.DataFrame:
    return pd.read_csv(paper / "report" / "verdicts.csv", dtype=str, keep_default_na=False)
