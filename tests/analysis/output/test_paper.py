"""Tables fit for print."""

import re

import pandas as pd
import pytest

from analysis.output.paper import PACKAGES, PaperTable, latex, stacked, texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("> 100,000 (1/5)", r"$>$ 100{,}000 (1/5)"),
        ("[0.9, 0.98]", "[0.9, 0.98]"),  # no thousands
        ("−940 [−4,641, +2,761]", r"$-$940 [$-$4{,}641, +2{,}761]"),
        ("-0.1", "$-$0.1"),
        ("log-rank, 5–∞", r"log-rank, 5--$\infty$"),
        ("4e-07", r"$4 \times 10^{-7}$"),
        ("1.5e+06", r"$1.5 \times 10^{6}$"),
        ("a_b & 5 % of #1 {x} \\ ~^$", r"a\_b \& 5 \% of \#1 \{x\} \textbackslash{} "
         r"\textasciitilde{}\textasciicircum{}\$"),
        (r"$\tau_1$ of a_1, $k_{2,000}$", r"$\tau_1$ of a\_1, $k_{2,000}$"),
    ],
)  # fmt: skip
def test_text_as_latex(text: str, expected: str) -> None:
    assert latex(text) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("9,324 [5,994–∞]", "9,324\n[5,994–∞]"),
        ("> 9 [5–∞] (1/5)", "> 9 (1/5)\n[5–∞]"),
        ("+5 [+1, +9] to 100", "+5 to 100\n[+1, +9]"),
        ("> 9 (0/5)", "> 9 (0/5)"), ("–", "–"), ("", ""), ("[0.9, 0.98]", "[0.9, 0.98]"),
    ],
)  # fmt: skip
def test_an_interval_stands_below_its_number(cell: str, expected: str) -> None:
    assert stacked(cell) == expected


TABLE = PaperTable(
    pd.DataFrame({r"$(\beta_1, \beta_2)$": ["[0.9, 0.98]", "a|b"], "$n$": ["5", "3\n[1, 2]"]}),
    "Steps to $T$.",
    "95 % intervals.",
)


def test_the_latex_is_whole() -> None:
    text = texts([TABLE], "timescales_by_lr_paper")["tex"]
    first, rest = text.split("\n", 1)
    assert first.startswith("%") and all(rf"\usepackage{{{name}}}" in first for name in PACKAGES)
    depth: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", rest):
        if kind == "begin":
            depth.append(name)
        else:
            assert depth.pop() == name
    assert depth == []
    assert r"\caption{Steps to $T$.}" in rest and r"\label{tab:timescales-by-lr}" in rest
    assert r"\item 95 \% intervals." in rest
    body = rest[rest.index(r"\midrule") : rest.index(r"\bottomrule")].splitlines()[1:]
    assert body == [
        r"{[}0.9, 0.98] & 5 \\", r"\addlinespace", r"a\textbar{}b & 3 \\", r" & [1, 2] \\",
    ]  # fmt: skip
    # no bracket after a line break, which would be taken for the break's own
    assert not re.search(r"\\\\\s*\[", text)


def test_the_markdown_has_caption_and_note() -> None:
    assert texts([TABLE], "x")["md"].splitlines() == [
        "Steps to $T$.", "",
        r"| $(\beta_1, \beta_2)$ | $n$ |", "| --- | --- |",
        "| [0.9, 0.98] | 5 |", r"| a\|b | 3<br>[1, 2] |", "",
        "95 % intervals.",
    ]  # fmt: skip


def test_several_tables_have_labels_of_their_own() -> None:
    text = texts([TABLE, TABLE], "x_paper")["tex"]
    assert re.findall(r"\\label\{(.*)\}", text) == ["tab:x-1", "tab:x-2"]
    assert text.count("usepackage{booktabs}") == 1
