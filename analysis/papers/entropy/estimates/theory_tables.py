"""Table 6 of Truong et al. (2026) with what our numbers gave, and what stands beside it."""

from collections.abc import Callable, Mapping

import pandas as pd

from analysis.claims.findings import Finding
from analysis.output.formats import estimated
from analysis.papers.entropy.estimates.conditions import BASELINE
from analysis.papers.entropy.estimates.thresholds import at_grok
from analysis.papers.entropy.estimates.within_runs import BEGINNINGS, fits_of_the_collapse
from analysis.runs.experiments import Experiments, NotRun
from analysis.stats import means

Quantity = Callable[[Experiments], Finding]

ITEMS = (
    ("Lemma 1", "sensitivity", "full proof", "|ΔH̃| ≤ L ‖ΔΣ‖_F", 0),
    ("Lemma 2", "covariance update", "full proof", "order of the remainder in η", 3),
    ("Proposition 3", "entropy descent", "proof sketch", "nothing: its terms are open", 0),
    ("Lemma 4", "effective rank", "full proof, given Proposition 3",
     "R² of an exponential fall", 3),
    ("Heuristic 1", "curvature", "heuristic", "rank correlation of −dH̃/dt with κ", 2),
    ("Heuristic 2", "threshold", "empirical", "variance of H̃ at T_grok (< 0.001)", 0),
    ("Lemma 5", "mixing", "full proof", "order of the loss in α (2)", 2),
    ("Proposition 6", "scaling", "proof sketch",
     "R² out of sample, logarithmic law less power law", 3),
)  # fmt: skip
"""item, its subject, the paper's status (Table 6), what is tried, decimals"""


def tables(experiments: Experiments, quantities: Mapping[str, Quantity]) -> dict[str, pd.DataFrame]:
    """`quantities` by the name of the item."""
    shown = {
        "Table 6: mathematical items": _items(experiments, quantities),
    }
    try:
        return {**shown, "Lemma 4: exponential or linear": _phases(experiments)}
    except NotRun:
        return shown


def _items(experiments: Experiments, quantities: Mapping[str, Quantity]) -> pd.DataFrame:
    def said(item: str, decimals: int) -> str:
        if item == "Heuristic 2":
            return _variance(experiments)
        if item not in quantities:
            return "–"
        try:
            found = quantities[item](experiments)
        except NotRun:
            return "not run"
        if found.shown is not None:
            return f"{found.shown:,} of {found.runs:,}; {found.note}"
        return f"{estimated(found.interval, decimals)}; {found.note}"

    return pd.DataFrame(
        {"item": f"{item} ({subject})", "the paper's status": status, "tried": tried,
         "ours": said(item, decimals)}
        for item, subject, status, tried, decimals in ITEMS
    )  # fmt: skip


def _phases(experiments: Experiments) -> pd.DataFrame:
    tables = experiments.tables(BASELINE)
    rows = []
    for name, begins in BEGINNINGS.items():
        found = fits_of_the_collapse(tables, begins)
        of_log, of_rank = (
            means.mean(found[column].to_numpy(float), experiments.generator())
            if len(found)
            else None
            for column in ("log rank", "rank")
        )
        rows.append(
            {"collapse from": name, "runs": str(len(found)),
             "R², log rank over time [95 %]": estimated(of_log, 3) if of_log else "–",
             "R², rank over time [95 %]": estimated(of_rank, 3) if of_rank else "–"}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _variance(experiments: Experiments) -> str:
    try:
        values = at_grok(experiments.tables(BASELINE)).dropna()
    except NotRun:
        return "not run"
    return f"{values.var():.1e} over {len(values)} runs" if len(values) > 1 else "not run"
