"""Comparisons of arms for the screen and for print."""

import re
from collections.abc import Sequence

import pandas as pd

from analysis.output import symbols
from analysis.output.paper import PaperTable, stacked
from analysis.output.tables import table_text

HEADS = {
    "strata": "strata",
    "reached": "$k/n$",
    "median [95 %]": "median",
    "difference of means [95 %]": r"$\Delta$ mean",
    "p": "$p$",
    "p, Holm": r"$p_{\mathrm{Holm}}$",
    "Cliff's δ [95 %]": r"$\delta$",
}


WIDE = ("share", "range", "mean", "Cliff's", "known to within")
"""how the columns begin that the screen leaves to the files"""


def screen(shown: pd.DataFrame) -> str:
    """The table that `compare` writes, for a screen: one for each event, without shares, ranges,
    means and Cliff's δ. The horizon of means that one heading names goes to that of differences."""
    kept = shown.drop(columns=[name for name in shown if name.startswith(WIDE)])
    horizon = _horizon(shown)
    until = f" ≤ {horizon} [" if horizon else " ["
    kept.columns = [re.sub(r"(^difference of means) \[", rf"\1{until}", name) for name in kept]
    return "\n\n".join(
        f"{event}\n\n{table_text(of_event.drop(columns='event'))}"
        for event, of_event in kept.groupby("event", sort=False)
    )


def _horizon(shown: pd.DataFrame) -> str:
    return "".join(re.findall(r"mean ≤ ([\d,]+)", " ".join(shown)))


def printed(
    shown: pd.DataFrame, by: Sequence[str], baseline: str, within: Sequence[str] = ()
) -> list[PaperTable]:
    """The table that `compare` prints, for each event, without its shares, ranges and means; of a
    comparison within strata of some columns, the one over all strata."""
    arm = ", ".join(map(symbols.column, by))
    (test,) = (name for name in shown if name.startswith("p ("))
    horizon = _horizon(shown)
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
