"""How a pack's steps are computed is measured once on a machine, and kept with the pack."""

import json
from pathlib import Path

import pytest
import torch
from rich.console import Console

from grokpipe.launch import pack_plan, worker
from grokpipe.training import choosing
from grokpipe.training.choosing import chosen
from grokpipe.training.execution import Execution
from tests.helpers.training import Event

CPU = torch.device("cpu")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "grokpipe" / "choices"


def test_the_faster_order_is_taken_and_kept(cell, cache, monkeypatch) -> None:
    """With made times; a second choice measures nothing, whatever the machine does meanwhile."""
    times = {1: 1.0, 3: 2.5}

    def seconds(cells, device, execution) -> float:
        return times[len(cells)]

    monkeypatch.setattr(choosing, "step_seconds", seconds)
    three = [cell(f"seed={i}", "steps=600") for i in range(3)]
    assert chosen(three, CPU, "off")[0].order == "lockstep"
    times[3] = 3.5
    assert chosen(three, CPU, "off")[0].order == "lockstep"
    assert chosen([cell(f"seed={i}", "steps=700") for i in range(3)], CPU, "off")[0].order == (
        "lockstep"  # another budget does not change a step
    )
    other = [cell(f"seed={i}", "steps=600", "arch.width=9") for i in range(3)]
    assert chosen(other, CPU, "off")[0].order == "turns"
    assert len([*cache.iterdir()]) == 2
    for file in cache.iterdir():
        file.write_text("damaged")
    assert chosen(three, CPU, "off")[0].order == "turns"


@pytest.mark.parametrize("gain", [True, False])
def test_packs_are_compiled_where_that_is_faster(cell, cache, monkeypatch, gain: bool) -> None:
    """With made times of a step; told to compile, they are compiled anyway."""

    compiled = 0.5 if gain else 2.0

    def seconds(cells, device, execution) -> float:
        return len(cells) * (compiled if execution.compiled else 1.0)

    monkeypatch.setattr(choosing, "step_seconds", seconds)
    monkeypatch.setattr(choosing, "own_products", lambda *_: {})
    monkeypatch.setattr(choosing, "worth_compiling", lambda *_: (True, None))
    two = [cell(f"seed={i}", "steps=600") for i in range(2)]
    assert chosen(two, CPU, "auto")[0].compiled is gain
    assert chosen(two, CPU, "on")[0].compiled


def test_a_real_choice(cell, cache) -> None:
    execution, note = chosen([cell(f"seed={i}", "steps=600") for i in range(2)], CPU, "off")
    assert note is None and not execution.compiled
    assert execution.order in ("lockstep", "turns")
    (file,) = cache.iterdir()
    kept = json.loads(file.read_text())
    assert kept["order"] == execution.order and kept["products"] == execution.products
    assert 0 < kept["seconds"] < 10


def test_short_runs_are_not_measured(cell, cache) -> None:
    assert chosen([cell(), cell("seed=1")], CPU, "auto") == (Execution(), None)
    assert not cache.exists()


def test_the_choice_is_fixed_with_the_pack(cell, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "x").mkdir()
    cells = [cell(f"outputs={tmp_path}", "name=x", f"seed={i}") for i in range(2)]
    plan = pack_plan.new_plan(tmp_path / "x", cells, threads=1)
    library = {"mm 16x784x12 nt": "onednn"}
    wanted = Execution("turns", products=library)
    monkeypatch.setattr(worker, "chosen", lambda *_: (wanted, None))
    worker.work([plan.file], Event(), Console(quiet=True))
    again = pack_plan.read(plan.file)
    assert again is not None and again.execution == wanted
    for one in cells:
        provenance = json.loads((tmp_path / f"x/cells/{one.key}/provenance.json").read_text())
        assert provenance["order"] == "turns" and provenance["products"] == library
