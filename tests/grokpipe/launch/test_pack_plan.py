"""Which cells share a pack, how a group is cut, and what is on disk of a pack."""

import random
from pathlib import Path

import pytest
import torch

from grokpipe.errors import InputError
from grokpipe.interventions import mixing
from grokpipe.launch import pack_plan
from grokpipe.launch.pack_plan import Place
from grokpipe.store import checkpoint
from grokpipe.training import memory
from grokpipe.training.pack import Pack


def test_too_little_free_memory_makes_narrower_packs_and_is_told(cell) -> None:
    cells = [cell(f"seed={seed}", "pack.width=8") for seed in range(8)]
    shared, each = memory.terms(cells[0])
    free = int((shared + 4 * each) / memory.SPARE) + 1
    parts, told = pack_plan.parts(cells, 10, Place("cpu", 1, 1, free))
    assert [len(part) for part in parts] == [4, 4]
    assert told and told.startswith("a pack of 8 needs") and told.endswith("packs of 4")
    parts, told = pack_plan.parts(cells, 10, Place("cpu", 1, 1, None))  # memory not known
    assert ([len(part) for part in parts], told) == ([8], None)


def test_a_group_is_cut_into_packs_of_nearly_one_width(cell) -> None:
    cells = [cell(f"seed={seed}") for seed in range(11)]
    for width in (1, 2, 3, 4, 10, 11, 99):
        packs, told = pack_plan.parts(cells, width, Place("cpu", 1, 1, None))
        sizes = [len(pack) for pack in packs]
        assert [one for pack in packs for one in pack] == cells
        assert max(sizes) <= width and max(sizes) - min(sizes) <= 1 and told is None
        assert len(packs) == -(-11 // width)


def test_cells_of_one_shape_are_a_group(cell) -> None:
    """Seed and decay may differ in a pack; a width may not."""
    wanted = {12: [], 14: []}
    for width in wanted:
        for decay in (0.1, 0.3):
            wanted[width] += [
                cell(f"arch.width={width}", f"weight_decay={decay}", f"seed={seed}")
                for seed in range(2)
            ]
    mixed = wanted[12] + wanted[14]
    random.Random(0).shuffle(mixed)
    for group in pack_plan.groups(mixed):
        expected = wanted[group[0].config.arch.width]
        assert group == [one for one in mixed if one in expected]


def test_a_plan_comes_back_from_disk(cell, tmp_path: Path) -> None:
    cells = [cell(f"seed={seed}") for seed in range(3)]
    plan = pack_plan.new_plan(tmp_path, cells, threads=2)
    assert pack_plan.read(plan.file) == plan
    assert [*pack_plan.on_disk(tmp_path)] == [plan]
    assert plan.keys == [one.key for one in cells] and plan.folder == tmp_path
    assert plan.id == pack_plan.pack_id(plan.keys) != pack_plan.pack_id(plan.keys[::-1])
    assert plan.stamp == 0
    assert pack_plan.read(plan.file.with_stem("gone")) is None


def test_halves_have_their_share_of_the_checkpoint(cell, tmp_path: Path) -> None:
    cells = [cell(f"seed={seed}") for seed in range(3)]
    plan, pack = pack_plan.new_plan(tmp_path, cells, threads=1), Pack(cells)
    pack.advance(5)
    watches = [{"of": seed} for seed in range(3)]
    checkpoint.save(
        plan.checkpoint, {"pack": pack.state_dict(), "going": [0, 2], "watches": watches, "rows": 1}
    )
    halves = pack_plan.split(plan)
    assert [half.keys for half in halves] == [plan.keys[:2], plan.keys[2:]]
    assert {half.id for half in pack_plan.on_disk(tmp_path)} == {half.id for half in halves}
    states = [next(checkpoint.generations(half.checkpoint)) for half in halves]
    assert [state["going"] for state in states] == [[0], [0]]
    assert [state["watches"] for state in states] == [watches[:2], watches[2:]]
    last = Pack(cells[2:])
    last.load_state_dict(states[1]["pack"])
    for name, parameter in pack.cell_parameters(2).items():
        assert torch.equal(last.cell_parameters(0)[name], parameter)
    assert not plan.file.exists() and not plan.checkpoint.exists()


def test_what_the_estimate_raises_is_told_with_its_component(cell, monkeypatch) -> None:
    one = cell("intervention=mixing")
    monkeypatch.setattr(mixing, "mixed", lambda features, alpha: features.mix(alpha))
    with pytest.raises(InputError, match=r"^intervention=mixing: AttributeError: .*'mix' \(mixing"):
        pack_plan.parts([one], 10, Place("cpu", 1, 1, free=10**9))
    assert pack_plan.parts([one], 10, Place("cpu", 1, 1, free=None)) == ([[one]], None)
