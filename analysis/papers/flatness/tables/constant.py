"""The reported κ beside what λ, B, C and the temperature alone give."""

import pandas as pd

from analysis.claims.arms import Runs
from analysis.output.formats import number
from analysis.papers.flatness.estimates.constant import SETTINGS, best_margin, surrogate


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """A row for each network of the paper that is regularised away from flatness."""
    rows = [
        {"network": one.network, "λ": f"{one.weight:g}", "B": f"{one.cap:g}",
         "classes": str(one.classes), "λB²": f"{one.weight * one.cap**2:g}",
         "margin t*": number(best_margin(one.weight * one.cap**2, one.classes), 2),
         "B² U(t*/2)": number(surrogate(one.weight, one.cap, one.classes), 2),
         "κ as published": one.published}
        for one in SETTINGS
    ]  # fmt: skip
    return {"κ under the regulariser, from its constants alone": pd.DataFrame(rows)}
