"""The table of medians with a row for each arm: what cells say, and that it fits the screen."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest

from analysis.times.median_table import FORMS, WIDTH, Form, frames, legend, screen, stacked, wide
from analysis.times.timescales import timescales

HEADLINE = ["t_mem", "t_grok", "t_grok_sustained", "t_collapse", "t_cross"]


def runs(times: dict[str, list[float]], budget: float = 50_000, **columns: object) -> pd.DataFrame:
    """Rows of an events table for the runs of one arm: by event, the step of each run, ∞ for one
    that did not reach the event within its budget, NaN for one that has no such event."""
    rows = [
        {
            "key": f"{columns}{seed}", "event": event, "step": min(step, budget),
            "observed": step <= budget, "lower": min(step, budget), "upper": step,
            "budget": budget, "seed": seed, "state": "done", **columns,
        }
        for event, steps in times.items() for seed, step in enumerate(steps)
    ]  # fmt: skip
    return pd.DataFrame(rows).dropna(subset="step")


def table(*arms: pd.DataFrame, by: list[str] | None = None) -> pd.DataFrame:
    every = pd.concat(arms, ignore_index=True)
    return timescales(every, by or ["weight_decay"], runs=every.drop_duplicates("key"))


ALL = [9_000.0, 9_100, 9_200, 9_300, 9_400]
FEW = [9_000.0, 30_000, math.inf, math.inf, math.inf]
NEVER = [math.inf] * 5


def test_a_cell_has_median_interval_and_how_many_had_the_event() -> None:
    some = [math.nan, math.nan, 300, 400, 500]
    found = table(
        runs({"a": ALL, "b": FEW, "c": NEVER, "d": some}, weight_decay=0.3),
        runs({"a": [7_000, 8_000], "b": [7_000, math.inf], "c": NEVER[:2]}, weight_decay=0.1),
    )
    shown = wide(found, ["weight_decay"])
    assert list(shown) == ["weight_decay", "runs", "a", "b", "c", "d"]
    assert shown.to_numpy().tolist() == [
        # the interval of the runs is that of the long table: three of five never had b
        ["0.3", "5", "9,200 [9,000 – ∞]", "> 50,000 [9,000 – ∞] (2/5)", "> 50,000 (0/5)",
         "400 (3/3 of 5)"],
        ["0.1", "2", "7,500", "> 28,500 (1/2)", "> 50,000 (0/2)", "–"],
    ]  # fmt: skip
    assert found.loc[0, ["lower", "upper"]].tolist() == [9_000, math.inf]


@pytest.mark.parametrize(
    ("form", "cells"),
    [
        (Form(dash="–"), ["9,200 [9,000–∞]", "> 50,000 [9,000–∞] (2/5)"]),
        (Form(digits=3), ["9.2 [9 – ∞]", "> 50 [9 – ∞] (2/5)"]),
        (Form(digits=3, tight=True), ["9.2 [9 – ∞]", "> 50 2/5"]),
    ],
)
def test_briefer_forms(form: Form, cells: list[str]) -> None:
    found = table(runs({"a": ALL, "b": FEW}, weight_decay=0.3))
    shown = wide(found, ["weight_decay"], form)
    assert shown[["a", "b"]].iloc[0].tolist() == cells
    assert ("runs" in shown) != form.tight
    assert ("thousands of steps" in legend(found, form)) == bool(form.digits)
    assert ("5 runs an arm" in legend(found, form)) == form.tight


@pytest.mark.parametrize(
    ("digits", "cells"),
    [
        (3, ["1,235", "123", "100", "14.7", "9.32", "0.77", "0.1"]),
        (2, ["1,235", "123", "100", "15", "9.3", "0.77", "0.1"]),
    ],
)
def test_thousands_of_steps(digits: int, cells: list[str]) -> None:
    steps = [100.0, 768, 9_324, 14_652, 99_960, 123_456, 1_234_567]
    arms = [runs({"a": [step]}, 1e7, weight_decay=n) for n, step in enumerate(steps)]
    shown = wide(table(*arms), ["weight_decay"], Form(digits=digits))
    assert shown["a"].tolist() == cells


def test_ratios_keep_their_decimals() -> None:
    found = table(runs({"tau2_half/tau1": [1.5, 1.5]}, weight_decay=0.1))
    for form in FORMS:
        assert wide(found, ["weight_decay"], form)["tau2_half/tau1"].tolist() == ["1.50"]


def test_diverged_runs_have_a_column_where_there_are_any() -> None:
    found = table(runs({"a": ALL}, weight_decay=0.3), runs({"a": ALL}, weight_decay=0.1))
    assert "diverged" not in wide(found, ["weight_decay"])
    found["diverged"] = [2, 0]
    for form in FORMS:
        assert wide(found, ["weight_decay"], form)["diverged"].tolist() == ["2", "0"]


def lines_of_tables(text: str) -> list[str]:
    """The lines of the tables, without the legend below them."""
    return text.rpartition("\n\n")[0].splitlines()


def widest(text: str) -> int:
    return max(map(len, text.splitlines()))


@pytest.mark.parametrize(("runs_an_arm", "budget"), [(5, 8_000.0), (5, 1e5), (10, 1e5)])
def test_six_arms_of_the_headline_events_are_eight_rows(runs_an_arm: int, budget: float) -> None:
    """Three decays × two rates, a part of the runs censored: six rows, a heading and a rule."""
    draws = np.random.default_rng(0)
    arms = []
    for decay, rate in product((1.0, 0.1, 0.01), (0.003, 0.001)):
        steps = {event: draws.integers(100, 1.2 * budget, runs_an_arm) for event in HEADLINE[1:3]}
        early = {event: draws.integers(100, 0.2 * budget, runs_an_arm) for event in HEADLINE}
        steps = {k: [v if v <= budget else math.inf for v in vs] for k, vs in steps.items()}
        arms.append(runs({**early, **steps}, budget, weight_decay=decay, lr=rate))
    text = screen(table(*arms, by=["weight_decay", "lr"]), ["weight_decay", "lr"])
    assert widest(text) <= WIDTH
    rule = [set(line) <= {"-", " "} for line in lines_of_tables(text)].index(True)
    assert len(lines_of_tables(text)) - rule - 1 == 6


@pytest.mark.parametrize(
    ("columns", "events"),
    [
        ({"weight_decay": 0.1}, [f"an_event_with_a_long_name_{n}" for n in range(20)]),
        ({"weight_decay": 0.1}, ["sustained(spectral/entropy_train>=0.123456789, 50)"]),
        ({"task.name": "x" * 150, "weight_decay": 0.1}, HEADLINE),
        ({f"group.column_{n}": f"value {n}" for n in range(12)}, HEADLINE),
        ({"a" * 120: 1.0}, ["b" * 130, "c" * 99]),
        ({"weight_decay": 0.1}, ["b" * 130]),
    ],
)
def test_never_wider_than_the_screen(columns: dict[str, float | str], events: list[str]) -> None:
    steps = [123_456_000.0, 234_567_000, math.inf, math.inf, 987_654_000]
    found = table(runs(dict.fromkeys(events, steps), 1e9, **columns), by=[*columns])
    text = screen(found, [*columns])
    assert widest(text) <= WIDTH
    for value in columns.values():  # nothing of an arm's name is lost, which may stand in lines
        written = f"{value:g}" if isinstance(value, float) else value
        assert written in text or text.count(written[0]) >= len(written)


def test_events_that_do_not_fit_stand_below_with_all_arms() -> None:
    events = [f"event_{n}" for n in range(12)]
    arms = [runs(dict.fromkeys(events, ALL), weight_decay=decay) for decay in (0.3, 0.1)]
    blocks = screen(table(*arms), ["weight_decay"]).split("\n\n")[:-1]
    assert len(blocks) > 1
    for block in blocks:
        assert [line.split()[0] for line in block.splitlines()[-2:]] == ["0.3", "0.1"]
    assert "".join(blocks).count("9.2 [9–∞]") == 24


def test_files_have_exact_steps_of_all_events() -> None:
    events = [f"event_{n}" for n in range(8)]
    found = table(runs(dict.fromkeys(events, ALL), weight_decay=0.3))
    parts = frames(found, ["weight_decay"])
    assert [list(part)[2:] for part in parts] == [events[:6], events[6:]]
    assert all((part.iloc[:, 2:] == "9,200 [9,000 – ∞]").all(axis=None) for part in parts)
    (narrow, *others) = stacked(found, ["weight_decay"], 40)
    assert set(narrow.iloc[0, 2:]) == {"9,200\n[9,000–∞]"} and len(others) == 2


def test_the_legend_says_the_level_of_order_statistics() -> None:
    arm = runs({"a": ALL}, weight_decay=0.3)
    found = timescales(arm, ["weight_decay"], "order statistics", runs=arm)
    assert legend(found) == "medians in steps [93.8 % interval]"


def test_the_legend_names_no_interval_where_none_is_shown() -> None:
    arm = runs({"a": ALL[:2]}, weight_decay=0.3)
    found = timescales(arm, ["weight_decay"], runs=arm)
    assert legend(found) == "medians in steps"
