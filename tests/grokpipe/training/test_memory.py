"""The memory of a pack: its formula against what processes really take."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from grokpipe.interventions import none
from grokpipe.training import memory
from grokpipe.training.pack import Pack
from tests.helpers.cli import ENVIRONMENT, SERIAL

MEASURE = """
from grokpipe.__main__ import main
assert main() == 0
# not ru_maxrss, which a process inherits from the one that started it
print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""


def peak(cwd: Path, width: int, *arguments: str) -> int:
    """Bytes that a process takes at most to train a pack of so many cells."""
    ran = subprocess.run(
        [sys.executable, "-c", MEASURE, "-m", SERIAL, *arguments, f"seed=range({width})",
         f"pack.width={width}", f"name=w{width}", "threads=1", "compile=off"],
        cwd=cwd, env={**ENVIRONMENT, **NO_HEAP}, capture_output=True, text=True, timeout=300,
        check=True,
    )  # fmt: skip
    return 1024 * int(ran.stdout.splitlines()[-1])


# Each block a mapping of its own: glibc's heap, fragmented, holds up to 1.4 times as much.
NO_HEAP = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}

TRANSFORMER = ("task=mod_add", "task.p=53", "arch.feedforward=1024", "batch_size=1024")
MLP = ("arch.width=400", "batch_size=1000")


@pytest.mark.slow
@pytest.mark.parametrize("overrides", [TRANSFORMER, MLP], ids=["transformer", "mlp"])
def test_the_formula_against_the_memory_of_processes(overrides, compose, tmp_path: Path) -> None:
    from grokpipe.cell import Cell

    one = Cell.of(compose(*overrides))
    expected = memory.pack_bytes(one, 12) - memory.pack_bytes(one, 2)
    short = ("steps=3", "eval={schedule: regular, every: 1}", "save.final=false")
    measured = peak(tmp_path, 12, *overrides, *short) - peak(tmp_path, 2, *overrides, *short)
    assert measured == pytest.approx(expected, rel=0.2)


def test_views_take_nothing_and_the_dead_are_not_counted() -> None:
    """Two products of 100 × 100 are alive at once, never three: 80,000 bytes."""

    def chain(x: torch.Tensor) -> torch.Tensor:
        for _ in range(5):
            x = (x @ x).view(10000).view(100, 100)
        return x

    assert memory.peak_bytes(make_fx(chain)(torch.ones(100, 100)).graph) == 80_000


def test_bytes_grow_by_the_same_amount_with_each_cell(cell) -> None:
    one = cell()
    sizes = [memory.pack_bytes(one, width) for width in (1, 2, 10)]
    assert sizes[2] - sizes[0] == 9 * (sizes[1] - sizes[0])
    free = 10 * sizes[2]
    widest = memory.widest(one, free)
    assert memory.pack_bytes(one, widest) <= memory.SPARE * free
    assert memory.pack_bytes(one, widest + 1) > memory.SPARE * free


def test_free_memory_of_this_machine_is_plausible() -> None:
    assert 1e8 < memory.free_bytes(torch.device("cpu")) < 1e14


def test_arguments_of_any_type_are_counted(token_cell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels and a mask a step, as label noise has: the estimate's program is that of training."""

    def arguments(self, step: int) -> list[torch.Tensor]:
        size = len(self.configs), self.shape[0]
        return [torch.ones(size, dtype=torch.int64), torch.ones(size, dtype=torch.bool)]

    def objective(self, batch, labels, mask) -> torch.Tensor:
        return batch.loss(batch.logits, torch.where(mask, labels, batch.labels))

    monkeypatch.setattr(none.Stacked, "arguments", arguments)
    monkeypatch.setattr(none.Stacked, "objective", objective)
    one = token_cell()
    assert memory.pack_bytes(one, 2) > memory.pack_bytes(one, 1)
    pack = Pack([one])
    inputs, labels = pack.data.inputs[None, :24], pack.data.labels[None, :24]
    given = pack.gradients(inputs, labels)
    monkeypatch.undo()
    plain = Pack([one]).gradients(inputs, torch.ones_like(labels))
    for mine, expected in zip(given, plain):
        assert torch.equal(mine, expected)
