"""Subnormal numbers count as 0 where packs train, which is faster and moves no weight by more than
rounding."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from rich.console import Console

from grokpipe import remeasure
from grokpipe.launch import worker
from grokpipe.launch.pack_plan import new_plan
from grokpipe.store.files import write_json
from grokpipe.training import numerics
from grokpipe.training.pack import Pack
from tests.helpers.cells import network
from tests.helpers.snapshotted import REGULAR, train

CELL = ("arch=transformer", "arch.width=48", "weight_decay=0", "lr=0.003")
LARGE = "init_scale=8"
"""logits so far apart that many a probability is subnormal"""


def product(number: float) -> float:
    return (torch.tensor([number]) * torch.ones(1)).double().item()


def test_they_are_0_within_and_what_they_were_outside() -> None:
    tiny = torch.finfo(torch.float32).tiny
    assert (product(tiny / 2), numerics.are_flushed()) == (tiny / 2, False)
    with numerics.flushed():
        assert (product(tiny / 2), product(tiny), numerics.are_flushed()) == (0, tiny, True)
        with numerics.flushed():
            pass
        assert numerics.are_flushed()
    assert product(tiny / 2) == tiny / 2


@pytest.fixture
def two_threads() -> Iterator[None]:
    """A thread and its helper, which has been at work before the test begins."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    assert zeros().tolist() == [0, 0]
    yield
    torch.set_num_threads(before)


def zeros() -> torch.Tensor:
    """Number of 0 among the subnormal products of each half of a vector, one half a thread."""
    tiny = torch.full((2, 2**20), 12_345, dtype=torch.int32).view(torch.float32).flatten()
    return (tiny * torch.ones(2**21)).view(2, 2**20).view(torch.int32).eq(0).sum(1)


def test_helper_threads_do_the_same(two_threads) -> None:
    """Those that exist on entry, those that come within, and those that exist on leaving."""
    with numerics.flushed():
        assert zeros().tolist() == [2**20, 2**20]
        assert numerics.subnormals() == numerics.FLUSHED
        with numerics.flushed(False):
            assert zeros().tolist() == [0, 0]
            assert numerics.subnormals() == numerics.KEPT
        torch.set_num_threads(3)
        assert numerics.subnormals() == numerics.FLUSHED
    assert numerics.subnormals() == numerics.KEPT
    torch.set_num_threads(2)
    assert zeros().tolist() == [0, 0]


def test_what_is_recorded_holds_for_every_thread(two_threads) -> None:
    """PyTorch's own switch leaves the helper as it was."""
    torch.set_flush_denormal(True)
    assert (zeros().tolist(), numerics.are_flushed()) == ([2**20, 0], True)
    assert numerics.subnormals() == numerics.MIXED
    torch.set_flush_denormal(False)
    assert numerics.subnormals() == numerics.KEPT


@pytest.mark.parametrize("state", ["initial", "memorised"])
def test_weights_are_the_same_to_rounding(token_cell, state) -> None:
    """From large weights on, gradients are normal; once the training set is known by a wide margin
    they are subnormal themselves."""
    scale = [LARGE] * (state == "initial")
    kept, flushed = (Pack([token_cell(*CELL, *scale)]) for _ in range(2))
    if state == "memorised":
        for pack in (kept, flushed):
            pack.advance(300)
            pack.parameters["head.weight"].mul_(92 / margin(pack))
    assert share(pack_logits(kept)) > 0.05  # or the comparison would show nothing

    kept.advance(50)
    with numerics.flushed():
        flushed.advance(50)
    found = flushed.cell_parameters(0)
    for name, expected in kept.cell_parameters(0).items():
        torch.testing.assert_close(found[name], expected, rtol=1e-5, atol=1e-6)


def pack_logits(pack: Pack) -> torch.Tensor:
    """Of its one cell, for the training set."""
    task = pack.cells[0].task
    return network(pack, 0)(task.inputs[task.train])[0]


def margin(pack: Pack) -> float:
    first, second = pack_logits(pack).topk(2).values.T
    return (first - second).median().item()


def share(logits: torch.Tensor) -> float:
    """Of the probabilities that are subnormal."""
    probabilities = logits.softmax(1)
    below = (probabilities > 0) & (probabilities < torch.finfo(torch.float32).tiny)
    return below.float().mean().item()


def test_a_worker_flushes_them_and_says_so(token_cell, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    one = token_cell("steps=5")
    seen = []
    advance = Pack.advance
    monkeypatch.setattr(
        Pack, "advance", lambda *a: (seen.append(numerics.are_flushed()), advance(*a))[1]
    )
    plan = new_plan(tmp_path / "outputs/default", [one], 1)
    worker.work([plan.file], threading.Event(), Console(quiet=True))
    (path,) = tmp_path.glob("outputs/default/cells/*/provenance.json")
    assert json.loads(path.read_text())["subnormals"] == "flushed"
    assert seen and all(seen)
    assert not numerics.are_flushed()


@pytest.mark.parametrize("trained_with", [numerics.FLUSHED, numerics.KEPT, None])
def test_what_is_measured_later_is_computed_as_in_training(
    token_cell, tmp_path: Path, monkeypatch, trained_with
) -> None:
    (log,) = train([token_cell(REGULAR, "measures.names=[logits]")], tmp_path)
    if trained_with:
        write_json(log / "provenance.json", {"threads": 1, "subnormals": trained_with})
    seen, measured = [], remeasure.measured
    monkeypatch.setattr(
        remeasure, "measured", lambda *job: (seen.append(numerics.subnormals()), measured(*job))[1]
    )
    remeasure.remeasure(tmp_path, ["weights"], Console(quiet=True))
    assert seen == [trained_with or numerics.KEPT]
    assert numerics.subnormals() == numerics.KEPT
