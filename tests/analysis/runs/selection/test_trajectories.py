"""Runs of one trajectory: which are, which one stands for them, and what is said."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from analysis.runs.selection import trajectories
from analysis.runs.selection.trajectories import longest, numbers
from analysis.runs.tables import Tables, varied_columns

LONG = {"steps": 8000}


def run(key: str, **changed: object) -> dict[str, object]:
    """A cell; keys with __ for dots."""
    named = {name.replace("__", "."): value for name, value in changed.items()}
    steps = named.get("steps", 3000)
    return {
        "key": key, "state": "done", "trained_steps": steps, "data": "d", "seed": 0, "lr": 0.1,
        "steps": steps, "eval.schedule": "regular", "eval.every": 100, "eval.budget": np.nan,
        "measures.names": "[weights]",
    } | named  # fmt: skip


def table(*runs: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(list(runs))


def curves(cells: pd.DataFrame, **missing: str) -> pd.DataFrame:
    """Two evaluations a run; `missing`: a column by the key of the run that lacks it."""
    rows = [
        {"key": row["key"], "step": step, "test_accuracy": 0.5, "weight_norm": 1.0}
        | dict.fromkeys([missing[row["key"]]] if row["key"] in missing else [], np.nan)
        for row in cells.to_dict("records")
        for step in (0, row["trained_steps"])
    ]
    return pd.DataFrame(rows)


def stands(cells: pd.DataFrame, of_curves: pd.DataFrame | None = None, asked=()) -> str:
    """The keys that are left, sorted; the same in whatever order the rows are."""
    found = set()
    for order in [*permutations(range(len(cells)))][:6]:
        mixed = cells.iloc[list(order)]
        others, _ = longest(mixed, curves(cells) if of_curves is None else of_curves, asked)
        found.add("".join(sorted(set(cells["key"]) - set(others["key"]))))
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize(
    "changed",
    [
        {"steps": 8000}, {"eval__every": 10}, {"eval__schedule": "published"},
        {"eval__budget": 3000, "steps": 6000}, {"measures__names": "[weights, spectral]"},
        {"stop__event": "t_grok"}, {"stop__margin": 100, "stop__event": "t_mem", "steps": 9000},
    ],
)  # fmt: skip
def test_budget_evaluation_and_measures_make_no_other_trajectory(changed) -> None:
    cells = table(run("a"), run("b", **changed))
    assert numbers(cells).nunique() == 1
    assert len(stands(cells)) == 1
    assert varied_columns(Tables(curves(cells), cells.iloc[:1], None)) == []


@pytest.mark.parametrize("changed", [{"seed": 1}, {"lr": 0.2}, {"data": "e"}, {"task__p": 97}])
def test_anything_else_does(changed) -> None:
    cells = table(run("a"), run("b", **LONG, **changed))
    assert numbers(cells).nunique() == 2 and stands(cells) == "ab"
    assert longest(cells, curves(cells))[1] == []


@pytest.mark.parametrize(
    "cells",
    [
        table(run("a", data="unknown"), run("b", data="unknown", **LONG)),
        table(run("a"), run("b", **LONG)).drop(columns="seed"),
        table(run("a"), run("b"), run("c", **LONG)),
    ],
    ids=["unknown data", "no seed", "two that their configuration does not tell apart"],
)
def test_where_tables_may_leave_out_what_tells_runs_apart_all_stay(cells) -> None:
    assert longest(cells, curves(cells))[1] == []
    assert numbers(cells).nunique() == len(cells)


@pytest.mark.parametrize(
    ("one", "other", "left"),
    [
        ({}, LONG, "b"),
        ({}, LONG | {"state": "interrupted", "trained_steps": 2000}, "a"),
        ({}, LONG | {"state": "interrupted", "trained_steps": 5000}, "b"),
        ({}, LONG | {"state": "diverged", "trained_steps": 4000}, "b"),
        ({}, LONG | {"state": "failed", "trained_steps": 3000}, "a"),  # a tie: the finished one
        (LONG | {"stop__event": "t_grok", "trained_steps": 2500}, {}, "b"),
        (LONG | {"stop__event": "t_grok", "trained_steps": 3500}, {}, "a"),
    ],
)  # fmt: skip
def test_the_one_that_was_followed_farthest_stands(one, other, left: str) -> None:
    assert stands(table(run("a", **one), run("b", **other))) == left


def test_of_equally_long_ones_the_one_with_more_columns_then_evaluations_then_the_first() -> None:
    cells = table(run("a", measures__names="[]"), run("b"))
    assert stands(cells, curves(cells, a="weight_norm")) == "b"
    denser = pd.concat([curves(cells), pd.DataFrame({"key": ["b"], "step": [50]})])
    assert stands(cells, denser) == "b"
    assert stands(cells) == "a"


def test_one_that_has_what_is_asked_for_is_preferred_and_what_is_lost_is_said() -> None:
    cells = table(run("a"), run("b", **LONG))
    lacking = curves(cells, b="weight_norm")
    assert stands(cells, lacking, ["test_accuracy"]) == "b"
    assert stands(cells, lacking, ["weight_norm"]) == "a"
    others, (note, lost) = longest(cells, lacking)
    assert others["key"].tolist() == ["a"]
    assert note == (
        "note: 2 runs are 1 trajectory, as some differ only in steps: the longest of each stands "
        "for all (steps=8000)"
    )
    assert lost.startswith("note: weight_norm: measured in runs for which longer ones stand")


def test_the_note_counts_all_runs() -> None:
    cells = table(*(run(f"{s}{n}", seed=s, steps=n) for s in range(3) for n in (10, 20)), run("x"))
    _, (note,) = longest(cells.iloc[:-1], curves(cells))
    assert note.startswith("note: 6 runs are 3 trajectories, as some differ only in steps")
    mixed = table(run("a"), run("b", eval__every=10, **LONG), run("c", seed=5))
    _, (note,) = longest(mixed, curves(mixed))
    assert "3 runs are 2 trajectories, as some differ only in steps, eval.every" in note


def test_where_an_intervention_acts_on_evaluations_they_belong_to_the_trajectory() -> None:
    acting = {"intervention__from_event": "t_grok"}
    assert stands(table(run("a", **acting), run("b", **acting, **LONG))) == "b"  # the same steps
    assert stands(table(run("a", **acting), run("b", **acting, eval__every=10))) == "ab"
    spaced = acting | {"eval__schedule": "published", "eval__every": np.nan}
    assert stands(table(run("a", **spaced), run("b", **spaced, **LONG))) == "ab"
    kept = run("b", **spaced, **LONG) | {"eval.budget": 3000.0}
    assert stands(table(run("a", **spaced), kept)) == "b"
    foreign = {"intervention__name": "ours", "eval__every": 10}  # of a package that is installed
    assert stands(table(run("a", intervention__name="ours"), run("b", **foreign))) == "ab"
    named = {"intervention__name": "mixing", "eval__every": 10}
    assert stands(table(run("a", intervention__name="mixing"), run("b", **named))) == "a"
    held = table(run("a", intervention__from_event=None), run("b", eval__every=10))
    assert stands(held.assign(**{"intervention.from_event": [None, None]})) == "a"


def test_the_baseline_that_an_arm_follows_may_have_the_longer_budget_too() -> None:
    followed = [run("a", intervention__trajectory="x"),
                run("b", intervention__trajectory="y", **LONG)]  # fmt: skip
    assert stands(table(*followed)) == "b"
    again = run("c", intervention__trajectory="z")  # another baseline at the same budget
    assert stands(table(*followed, again)) == "abc"


def test_a_run_older_than_a_key_has_its_value_of_before() -> None:
    cells = table(run("a"), run("b", dtype="float32", batches="epochs", **LONG))
    assert stands(cells) == "b"
    assert varied_columns(Tables(curves(cells), cells, None)) == ["steps"]  # not yet one run
    assert stands(table(run("a"), run("b", dtype="float64", **LONG))) == "ab"


def test_columns_of_length_tell_only_where_nothing_else_does() -> None:
    unequal = table(run("a", lr=0.1), run("b", lr=0.2, **LONG))
    assert varied_columns(Tables(curves(unequal), unequal, None)) == ["lr"]
    assert trajectories.lengths_that_tell(table(run("a"), run("b", **LONG))) == {"steps"}
