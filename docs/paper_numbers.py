"""What the documents say of a paper's verdicts, whichever paper it is."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from analysis.output.tables import table_text


def verdicts(paper: Path, version: str = "") -> Callable[[], str]:
    """A table of every claim, or of those of one version of the paper, with its published number,
    ours, the verdict, the first rule's verdict and what the rule in force can decide, from the
    stored report in the paper's folder."""

    def table() -> str:
        found = _stored(paper)
        if version:
            found = found[found["version"] == version]
        shown = found[["id", "statement", "published", "ours", "verdict", "earlier_verdict"]].copy()
        shown = shown.rename(columns={"earlier_verdict": "before"})
        if not found["changed"].any():  # no rule was amended, and no seed added
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
    """Of a paper with several versions each by itself."""
    found = _stored(paper)
    by_version = found.groupby("version") if "version" in found else [("1", found)]
    counted = []
    for version, claims in by_version:
        numbers = claims["verdict"].value_counts()
        said = ", ".join(f"{number} {verdict}" for verdict, number in numbers.items())
        of = f"claims of the {name} paper" if version == "1" else f"of its version {version}"
        counted.append(f"Of {numbers.sum()} {of}: {said}")
    where = f"([docs/{paper.name}.md](docs/{paper.name}.md))"
    return textwrap.fill(f"{'. '.join(counted)} {where}.", width=100, break_on_hyphens=False)


def _stored(paper: Path) -> pd.DataFrame:
    return pd.read_csv(paper / "report" / "verdicts.csv", dtype=str, keep_default_na=False)
