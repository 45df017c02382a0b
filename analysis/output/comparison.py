"""Comparisons of arms for print."""

import re
from collections.abc import Sequence

import pandas as pd

from analysis.output import symbols
from analysis.output.paper import PaperTable, stacked

HEADS = {
    "strata": "strata",
    "reached": "$k/n$",
    "median [95 %]": "median",
    "difference of means [95 %]": r"$\Delta$ mean",
    "p": "$p$",
    "p, Holm": r"$p_{\mathrm{Holm}}$",
    "Cliff's δ [95 %]": r"$\delta$",
}


def printed(
    shown: pd.DataFrame, by: Sequence[str], baseline: str, within: Sequence[str] = ()
) -> list[PaperTable]:
    """The table that `compare` prints, for each event, without its shares, ranges and means; of a
    comparison within strata of some columns, the one over all strata."""
    arm = ", ".join(map(symbols.column, by))
    (test,) = (name for name in shown if name.startswith("p ("))
    horizon = "".join(re.findall(r"mean ≤ ([\d,]+)", " ".join(shown)))
    restricted = f", restricted to {horizon} steps" if horizon else ""
    strata = f", within equal {', '.join(map(symbols.column, within))}" if within else ""
    heads = {"arm": arm} | {name: head for name, head in HEADS.items() if name in {*shown, "p"}}
    note = (
        "$k$ of $n$ runs had the event; the others are censored at the end of their training. "
        + ("Medians are Kaplan–Meier's. " if "median [95 %]" in shown else "")
        + rf"$\Delta$ mean: difference of means{restricted}; brackets: 95 % intervals. $p$: "
        + rf"{test[3:-1]} test against {arm} = {baseline}; $p_{{\mathrm{{Holm}}}}$: adjusted for "
        + "all comparisons."
        + (r" $\delta$: Cliff's, positive where the arm is later." * ("Cliff's δ [95 %]" in shown))
    )
    found = []
    for event, of_event in shown.rename(columns={test: "p"}).groupby("event", sort=False):
        cells = of_event[[*heads]].map(lambda cell: stacked(str(cell)))
        cells["arm"] = of_event["arm"].astype(str)
        steps = f"Steps to {symbols.event(str(event))} by {arm}"
        caption = f"{steps}, compared with {arm} = {baseline}{strata}."
        found.append(PaperTable(cells.rename(columns=heads), caption, note))
    return found
