"""Which packs hold the cells that are asked for: those on disk first, then new ones."""

from dataclasses import replace
from pathlib import Path

import pytest

from grokpipe.errors import InputError
from grokpipe.launch import pack_plan, planning
from grokpipe.launch.pack_plan import Place
from grokpipe.launch.parents import Parents
from grokpipe.store import manifest
from grokpipe.store.run_log import RunLog

PLACE = Place("cpu", 2, 1, None)


def by_key(cells) -> dict:
    return {one.key: one for one in cells}


def finish(folder: Path, key: str) -> None:
    log = RunLog(manifest.cells_folder(folder) / key)
    log.start({"seed": 1}, {})
    log.append({"step": 0})
    log.finish("done", 0, "reached its steps", 1.0)


def test_packs_are_fixed_once_and_found_again(cell, tmp_path: Path) -> None:
    """Six cells on two slots are two packs; asked for again with others, they stay those packs."""
    six = [cell(f"seed={seed}") for seed in range(6)]
    plans, told = planning.plan_packs(tmp_path, by_key(six), PLACE)
    assert [len(plan.keys) for plan in plans] == [3, 3] and told == []
    again, _ = planning.plan_packs(tmp_path, by_key([*six[2:4], cell("seed=9")]), PLACE)
    assert {plan.id for plan in again[:2]} == {plan.id for plan in plans}
    (new,) = again[2:]
    assert new.keys == [cell("seed=9").key]


def test_equal_cells_end_together_and_the_longest_pack_comes_first(cell, tmp_path: Path) -> None:
    """Thirty cells on two slots are four packs of the width of ten; of two shapes, the one that
    takes longer is trained first, whatever was asked for first."""
    thirty = by_key([cell(f"seed={seed}") for seed in range(30)])
    packs, _ = planning.new_packs(thirty, PLACE, Parents())
    assert sorted(map(len, packs)) == [7, 7, 8, 8]
    assert {one.key for pack in packs for one in pack} == {*thirty}
    short, long = cell("steps=10"), cell("steps=4000", "arch.width=13")
    packs, _ = planning.new_packs(by_key([short, long]), PLACE, Parents())
    assert packs == [[long], [short]]


def test_advice_is_for_threads_that_were_asked_for(cell, monkeypatch) -> None:
    """Idle cores are measured, which takes a moment, for them alone."""
    measured = []
    monkeypatch.setattr(planning, "idle_cores", lambda: measured.append(1) or 2.0)
    two, two_threads = (
        by_key([cell(f"seed={seed}", *threads) for seed in range(2)])
        for threads in ((), ("threads=2",))
    )
    here, elsewhere = replace(PLACE, slots=1, cores=2), replace(PLACE, slots=1)
    assert planning.new_packs(two, here, Parents())[1] == []
    assert planning.new_packs(two_threads, elsewhere, Parents())[1] == []
    assert measured == []
    _, (line,) = planning.new_packs(two_threads, here, Parents())
    assert line.startswith("threads=2: 2 cells train faster") and measured == [1]


def test_packs_know_what_tells_the_cells_of_their_sweep_apart(cell, tmp_path: Path) -> None:
    cells = [cell(f"weight_decay={w}", f"seed={s}") for w in (0.1, 0.3) for s in range(3)]
    plans, _ = planning.plan_packs(tmp_path, by_key(cells), PLACE)
    names = [plan.name for plan in plans]
    assert names == [f"mnist · weight_decay {w} · seeds 0–2" for w in (0.1, 0.3)]
    assert [pack_plan.read(plan.file).name for plan in plans] == names
    assert plans[0].label == f"{names[0]} (pack {plans[0].id[:8]})"
    assert pack_plan.split(plans[0])[1].name == "mnist · weight_decay 0.1 · seed 2"


def test_operational_values_of_a_later_command_are_taken(cell, tmp_path: Path) -> None:
    (plan,), _ = planning.plan_packs(tmp_path, by_key([cell("checkpoint.every=60")]), PLACE)
    (again,), _ = planning.plan_packs(tmp_path, by_key([cell("checkpoint.every=7")]), PLACE)
    assert again.keys == plan.keys
    assert pack_plan.read(plan.file).configs[0]["checkpoint"]["every"] == 7


def test_halves_take_the_place_of_the_whole_that_was_left_behind(cell, tmp_path: Path) -> None:
    cells = [cell(f"seed={seed}") for seed in range(4)]
    whole = pack_plan.new_plan(tmp_path, cells, threads=1)
    halves = [pack_plan.new_plan(tmp_path, part, threads=1) for part in (cells[:2], cells[2:])]
    found, left = planning.existing_plans(tmp_path, by_key(cells))
    assert {plan.id for plan in found} == {half.id for half in halves} and left == {}
    assert whole.file.exists()


def test_forced_cells_are_moved_aside_with_their_pack(cell, tmp_path: Path) -> None:
    cells = [cell(f"seed={seed}") for seed in range(2)]
    plan = pack_plan.new_plan(tmp_path, cells, threads=1)
    assert planning.move_aside(tmp_path, by_key(cells)) is None
    finish(tmp_path, cells[0].key)
    with pytest.raises(InputError, match=r"force=true: mnist · seeds 0, 1 \(pack \w{8}\) is not"):
        planning.move_aside(tmp_path, by_key(cells))
    finish(tmp_path, cells[1].key)
    told = planning.move_aside(tmp_path, by_key(cells[:1]))
    (aside,) = (tmp_path / "aside").iterdir()
    assert told == f"force=true: 1 run log moved to {aside}"
    assert [path.name for path in (aside / "cells").iterdir()] == [cells[0].key]
    assert [path.name for path in (aside / "packs").iterdir()] == [plan.file.name]
    assert manifest.states(tmp_path, by_key(cells)) == {
        cells[0].key: "missing", cells[1].key: "done",
    }  # fmt: skip
