"""Which shorter run a cell continues, why it begins anew, and what a user reads of it."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from grokpipe.cell import Cell
from grokpipe.launch import parents, planning
from grokpipe.store import files, manifest
from grokpipe.training.continuation import Continuation
from tests.helpers.longer import assert_equal_to_the_bit, log_of, provenance, result, sweep

Make = Callable[..., Cell]


@pytest.fixture
def small(token_cell, tmp_path: Path) -> Make:
    return lambda *overrides: token_cell(
        f"outputs={tmp_path}", "measures.names=[weights]", "threads=1", "eval.every=10", *overrides
    )


def why(cell: Cell) -> str:
    """Why the cell begins anew; the folder is read as at its submission."""
    found = parents.find(cell.folder, {cell.key: cell})
    assert not found.of
    return found.anew[cell.key]


def test_a_dry_run_says_what_is_saved_and_submits_nothing(small: Make, capsys) -> None:
    sweep([small("steps=20", f"seed={seed}") for seed in range(2)])
    long = [small("steps=50", f"seed={seed}") for seed in range(3)]
    capsys.readouterr()
    sweep(long, dry_run=True)
    lines = capsys.readouterr().out.splitlines()
    assert "2 cells go on from shorter runs: 40 of 150 seed-steps saved" in lines
    assert (
        "would train 3 cells, at most 110 seed-steps, in packs: 1 of 2 cells, 1 of 1 cell" in lines
    )
    assert not log_of(long[0]).exists()
    sweep(long)
    assert "2 cells go on from shorter runs: 40 of 150 seed-steps saved" in capsys.readouterr().out
    assert provenance(long[0])["parent"]["step"] == 20
    assert "parent" not in provenance(long[2])


def test_the_longest_finished_run_is_continued(small: Make) -> None:
    for steps in (10, 20):
        sweep([small(f"steps={steps}")])
    manifest.record_asked(small().folder, [{"key": "x", "steps": 30}])  # asked for, never trained
    other = small("steps=40", "lr=0.1")  # differs by more than its steps
    found = parents.find(other.folder, {c.key: c for c in (small("steps=40"), other)})
    assert {key: source.step for key, source in found.of.items()} == {small("steps=40").key: 20}
    assert found.anew == {}
    shorter = small("steps=5")
    assert parents.find(shorter.folder, {shorter.key: shorter}).of == {}


def test_what_was_not_kept_or_is_damaged_begins_anew(small: Make, capsys) -> None:
    sweep([parent := small("steps=20")])
    final = log_of(parent) / "final.pt"
    os.truncate(final, final.stat().st_size // 2)
    assert why(small("steps=40")) == "the final state was not kept"
    final.unlink()
    capsys.readouterr()
    sweep([long := small("steps=40")])
    out = capsys.readouterr().out
    assert "1 cell begins anew, though there is a shorter run: the final state was not kept" in out
    assert result(long)["state"] == "done" and "parent" not in provenance(long)


def test_a_state_that_goes_after_the_submission_begins_anew(small: Make) -> None:
    """The pack is fixed: the worker finds out, says so, and trains it from the start."""
    sweep([parent := small("steps=20")])
    long = small("steps=40")
    plan = planning.plan_packs(long.folder, {long.key: long}, planning.Place("cpu", 1, 1, None))
    assert plan[0][0].parents == [parent.key]
    (log_of(parent) / "final.pt").unlink()
    sweep([long])
    sweep([whole := small("steps=40", "name=whole")])
    assert_equal_to_the_bit([long], [whole])
    assert "parent" not in provenance(long)


def test_other_code_is_not_continued(small: Make) -> None:
    sweep([parent := small("steps=20")])
    path = log_of(parent) / "result.json"
    code = result(parent)["code"].partition(":")[0] + ":0123456789abcdef"
    files.write_json(path, {**result(parent), "code": code})
    assert why(small("steps=40")) == "it was trained by other code"


def test_force_trains_everything_again(small: Make) -> None:
    sweep([small("steps=20")])
    long = small("steps=40", "force=true")
    assert parents.find(long.folder, {long.key: long}) == parents.Parents()


def test_a_grid_that_the_shorter_run_lacks_begins_anew(small: Make) -> None:
    published = ("eval.schedule=published", "eval.every=null")
    sweep([small("steps=300", *published)])  # every 2 steps
    assert why(small("steps=450", *published)) == "the shorter run was not evaluated at step 153"
    kept = small("steps=450", "eval.budget=300", *published)
    assert kept.key in parents.find(kept.folder, {kept.key: kept}).of


def test_a_stop_rule_that_would_have_ended_it_earlier_begins_anew(small: Make) -> None:
    """A curve that is made up, whose blips only the finer grid shows."""
    published = ("eval.schedule=published", "eval.every=null")
    stop = ("stop.event='train_accuracy>=0.9'", "stop.sustained=3")
    sweep([parent := small("steps=300", *published, *stop)])
    path = log_of(parent) / "curves.parquet"
    rows = pd.read_parquet(path)
    assert result(parent)["steps"] == 300
    high = (rows["step"] >= 200) & (rows["step"] % 4 == 0)
    rows.assign(train_accuracy=high.astype(float)).to_parquet(path, index=False)
    expected = "at its own evaluations the stop rule ends it at step 212"  # read at the next one
    assert why(small("steps=600", *published, *stop)) == expected


def test_an_intervention_that_watches_evaluations_needs_the_same_ones(small: Make) -> None:
    held = ("intervention=norm_freeze", "intervention.from_step=null",
            "intervention.from_event='train_accuracy>=0.5'")  # fmt: skip
    sweep([small("steps=25", *held)])
    expected = "intervention=norm_freeze acts on evaluations, which differ"
    assert why(small("steps=50", *held)) == expected
    sweep([small("steps=30", *held)])
    long = small("steps=50", *held)
    assert parents.find(long.folder, {long.key: long}).of[long.key].step == 30


FOLLOWS = ("intervention=norm_match", "intervention.baseline_seeds=[0,1]",
           "measures.names=[weights,logits]")  # fmt: skip
FREE = ("intervention=none", "measures.names=[weights,logits]")


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "goes_on"), [(30, True), (25, False)])
def test_an_arm_goes_on_where_its_baseline_was_the_same_so_far(
    small: Make, steps: int, goes_on: bool
) -> None:
    """Off the grid, the baseline's last evaluation is dropped: its mean between evaluations is
    another."""
    for length in (steps, 60):
        cells = [small(*a, f"seed={s}", f"steps={length}") for a in (FREE, FOLLOWS) for s in (0, 1)]
        sweep(cells)
    longest = [
        files.read_json(path)
        for path in cells[0].folder.glob("cells/*/provenance.json")
        if files.read_json(path.with_name("result.json"))["steps"] == 60
    ]
    assert len(longest) == 4
    assert sum("parent" in found for found in longest) == (4 if goes_on else 2)


def source(step: int, rows: int, ended: str | None = None) -> Continuation:
    return Continuation(Path("x"), step, tuple(range(rows)), ended)


def test_cells_of_one_pack_begin_at_one_step(small: Make) -> None:
    cells = [small(f"seed={seed}") for seed in range(7)]
    own = [source(50, 5), None, source(20, 3, "ended"), source(50, 5), source(30, 3),
           source(50, 4), None]  # fmt: skip
    sources = {cell.key: s for cell, s in zip(cells, own, strict=True) if s}
    divided = [[cell.config.seed for cell in part] for part in planning.by_start(cells, sources)]
    assert divided == [[0, 2, 3], [1, 6], [4], [5]]
    ended = {cell.key: replace(source(20, 3), ended="so") for cell in cells[:2]}
    divided = [[cell.config.seed for cell in part] for part in planning.by_start(cells[:3], ended)]
    assert divided == [[0, 1], [2]]
