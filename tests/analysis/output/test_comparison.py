"""Comparisons for the screen and for print."""

import re

import pandas as pd

from analysis.output.comparison import printed, screen

SHOWN = pd.DataFrame(
    {
        "event": ["t_grok", "t_grok", "t_mem"],
        "arm": ["[0.9, 0.98]", "[0.9, 0.99]", "[0.9, 0.98]"],
        "reached": ["5/5", "4/5", "5/5"],
        "share [95 %]": ["1", "1", "1"],
        "median [95 %]": ["9 [8, ∞]", "> 7 [6, ∞]", "3"],
        "mean ≤ 50,000 [95 %]": ["9", "8", "3"],
        "difference of means [95 %]": ["baseline", "+9 [+1, +2]", "baseline"],
        "p (log-rank)": ["", "0.008", ""],
        "p, Holm": ["", "0.016", ""],
        "Cliff's δ [95 %]": ["", "+1.00 [+0.13, +1.00]", ""],
        "known to within": ["1", "1", "1"],
    }
)


def test_the_screen_has_a_narrow_table_for_each_event() -> None:
    lines = screen(SHOWN).split("\n")
    assert [line for line in lines if line.startswith("t_")] == ["t_grok", "t_mem"]
    (heads, _) = (line for line in lines if line.startswith("arm"))
    assert re.split(r"  +", heads) == [
        "arm", "reached", "median [95 %]", "difference of means ≤ 50,000 [95 %]", "p (log-rank)",
        "p, Holm",
    ]  # fmt: skip
    assert max(map(len, lines)) <= 100


def test_a_table_for_each_event_without_what_print_has_no_place_for() -> None:
    grok, mem = printed(SHOWN, ["optimizer.betas"], "[0.9, 0.98]")
    assert list(grok.cells) == [
        r"$(\beta_1, \beta_2)$", "$k/n$", "median", r"$\Delta$ mean", "$p$",
        r"$p_{\mathrm{Holm}}$", r"$\delta$",
    ]  # fmt: skip
    assert grok.cells.iloc[1].tolist() == [
        "[0.9, 0.99]", "4/5", "> 7\n[6, ∞]", "+9\n[+1, +2]", "0.008", "0.016",
        "+1.00\n[+0.13, +1.00]",
    ]  # fmt: skip
    assert len(mem.cells) == 1 and r"T_{\mathrm{mem}}" in mem.caption
    assert "restricted to 50,000 steps" in grok.note and "$p$: log-rank test" in grok.note


def test_within_strata_has_no_medians() -> None:
    within = SHOWN.drop(columns=["median [95 %]", "Cliff's δ [95 %]", "mean ≤ 50,000 [95 %]"])
    (table, _) = printed(within.assign(strata="2/2"), ["weight_decay"], "1", ["lr"])
    assert list(table.cells)[:3] == [r"$\lambda$", "strata", "$k/n$"]
    assert table.caption.endswith(r"compared with $\lambda$ = 1, within equal $\eta$.")
    assert "Medians" not in table.note and r"\delta$: Cliff" not in table.note
