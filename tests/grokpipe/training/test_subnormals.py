"""Subnormal numbers count as 0 where packs train, which is faster and moves no weight by more than
rounding."""

import json
import threading
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
