"""The worker in this process: a pack that fails is halved until the faulty cell fails alone."""

from pathlib import Path
from threading import Event

import pytest
import torch
from rich.console import Console

from grokpipe.errors import InputError, Interrupted
from grokpipe.launch import pack_plan, worker
from grokpipe.store import lease
from grokpipe.training.pack import Pack
from grokpipe.training.stack import Stack
from tests.helpers.sweeps import results


def test_a_raising_cell_is_found_by_halving_and_fails_alone(
    token_cell, tmp_path: Path, monkeypatch
) -> None:
    """Real training, in this process; one seed's labels lie outside the classes."""
    cells = [token_cell(f"seed={seed}", f"outputs={tmp_path}") for seed in range(5)]
    healthy = Stack.step

    def ill(self, rows, step):
        if step >= 10 and any(cell.config.seed == 3 for cell in self.cells):
            raise RuntimeError("a fault of seed 3")
        healthy(self, rows, step)

    monkeypatch.setattr(Stack, "step", ill)
    monkeypatch.setattr("grokpipe.training.loop.CHUNK", 5)
    for cell in cells:
        object.__setattr__(cell.config.checkpoint, "every", 1e-9)
    folder = tmp_path / "default"
    (folder / "packs").mkdir(parents=True)
    plan = pack_plan.new_plan(folder, cells, threads=1)
    worker.work([plan.file], Event(), Console(quiet=True))
    found = {cell.config.seed: results(folder)[cell.key]["state"] for cell in cells}
    assert found == {0: "done", 1: "done", 2: "done", 3: "failed", 4: "done"}
    assert "a fault of seed 3" in (folder / "cells" / cells[3].key / "traceback.txt").read_text()
    # the healthy ones went on from the pack's checkpoint, and ended as if nothing had happened
    monkeypatch.setattr(Stack, "step", healthy)
    alone = Pack([cells[0]])
    alone.advance(20)
    final = torch.load(folder / "cells" / cells[0].key / "final.pt", weights_only=True)
    for name, parameter in alone.cell_parameters(0).items():
        if not name.endswith("qkv.bias"):  # a key's bias has no gradient but rounding
            torch.testing.assert_close(final["parameters"][name], parameter, rtol=1e-3, atol=1e-5)


def test_a_pack_that_another_process_trains_is_left_to_it(cell, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    one = cell(f"outputs={tmp_path}", "name=x")
    plan = pack_plan.new_plan(tmp_path / "x", [one], threads=1)
    with lease.held(plan.lease):
        worker.work([plan.file], Event(), Console(quiet=True))
    assert results(tmp_path / "x") == {}
    worker.work([plan.file], Event(), Console(quiet=True))
    assert results(tmp_path / "x")[one.key]["state"] == "done"
    stamp = (tmp_path / f"x/cells/{one.key}/result.json").stat().st_mtime_ns
    worker.work([plan.file], Event(), Console(quiet=True))  # nothing is left to do
    assert (tmp_path / f"x/cells/{one.key}/result.json").stat().st_mtime_ns == stamp


def test_a_stop_between_two_packs(cell, tmp_path: Path) -> None:
    plan = pack_plan.new_plan(tmp_path, [cell()], threads=1)
    stop = Event()
    stop.set()
    with pytest.raises(Interrupted, match="between two packs"):
        worker.work([plan.file], stop, Console(quiet=True))
    assert not (tmp_path / "cells").exists()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("first\nsecond"), "ValueError: first"),
        (InputError("measure x: a is a Tensor"), "measure x: a is a Tensor"),
        (MemoryError(), "does not fit memory"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: 8 bytes"),
            "does not fit memory",
        ),
        (torch.OutOfMemoryError("CUDA"), "does not fit memory"),
    ],
)
def test_the_reason_is_one_line(error: Exception, line: str) -> None:
    assert worker.reason(error) == line
