"""Buffers, here the statistics of batch norm: trained, stored and brought back with parameters."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from rich.console import Console
from torch import Tensor
from torch.nn import functional

import grokpipe
from grokpipe.cell import Cell
from grokpipe.remeasure import remeasure
from grokpipe.store import checkpoint, snapshots
from grokpipe.testing.training import check_whole_step
from grokpipe.training import choosing, memory
from grokpipe.training.batches import stream
from grokpipe.training.execution import Execution
from grokpipe.training.pack import Pack, initial_network
from tests.helpers.cells import SMALL_RESNET, network
from tests.helpers.longer import log_of, provenance, sweep
from tests.helpers.training import curves, same, trained

RESNET = ["task=cifar10", *SMALL_RESNET, "dtype=float64", "lr=0.01"]


@pytest.fixture
def resnet(compose, cifar10: Path):
    """resnet("seed=3", …) → a cell with a tiny ResNet on made images, in float64."""
    return lambda *overrides: Cell.of(compose(*RESNET, *overrides))


def plain(one: Cell, steps: int, freeze: int | None = None) -> torch.nn.Module:
    """One network by PyTorch's own loop; the weights keep their norm of step `freeze`."""
    network, task, settings = initial_network(one), one.task, one.config.optimizer
    parameters, held = [*network.parameters()], None
    if settings.name == "adamw":
        optimizer: torch.optim.Optimizer = torch.optim.AdamW(
            parameters, settings.lr, tuple(settings.betas), settings.eps, settings.weight_decay
        )
    else:
        optimizer = torch.optim.SGD(parameters, settings.lr, settings.momentum)
    for step, rows in enumerate(stream(one.config, task.train).take(steps), start=1):
        logits, _ = network(task.inputs[rows])
        targets = functional.one_hot(task.labels[rows], task.classes)
        optimizer.zero_grad()
        (logits - targets).square().sum().backward()
        optimizer.step()
        with torch.no_grad():
            norm = torch.cat([p.flatten() for p in parameters]).norm()
            if held is not None:
                for p in parameters:
                    p.mul_(held / norm)
            held = norm if step == freeze else held
    return network


def assert_same_state(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        torch.testing.assert_close(found[name], tensor, rtol=1e-9, atol=1e-11)


FROZEN = (
    "intervention=norm_freeze", "intervention.from_step=3", "intervention.from_event=null",
)  # fmt: skip


SGD = ("optimizer=sgd", "lr=1e-3", "optimizer.momentum=0.9", "weight_decay=0")


@pytest.mark.parametrize(
    ("order", "overrides"),
    [
        ("lockstep", FROZEN),
        ("turns", ("arch.blocks=[1,1]", *SGD)),
    ],
    ids=["lockstep, frozen norm", "turns, SGD"],
)
def test_each_cell_follows_the_plain_loop(resnet, order, overrides, tmp_path: Path) -> None:
    """To rounding; and from a checkpoint in the middle once more, to the bit."""
    cells = [resnet(f"seed={seed}", *overrides) for seed in (0, 3)]
    pack = Pack(cells, execution=Execution(order))
    pack.advance(2)
    pack.outputs(0)  # an evaluation changes no statistics
    checkpoint.save(tmp_path / "pack.pt", pack.state_dict())
    pack.advance(4)
    for i, one in enumerate(cells):
        expected = plain(one, 6, freeze=3 if overrides == FROZEN else None)
        assert_same_state(network(pack, i).state_dict(), expected.state_dict())
        assert pack.cell_buffers(i)["norm.num_batches_tracked"] == 6
        outputs = pack.outputs(i)
        with torch.no_grad():
            logits, features = expected.eval()(one.task.inputs)
        torch.testing.assert_close(outputs.logits, logits, rtol=1e-9, atol=1e-11)
        torch.testing.assert_close(outputs.features, features, rtol=1e-9, atol=1e-11)
    ended = [pack.cell_state(i) for i in (0, 1)]
    (state,) = checkpoint.generations(tmp_path / "pack.pt")
    pack.load_state_dict(state)
    assert pack.cell_buffers(1)["norm.num_batches_tracked"] == 2
    pack.advance(4)
    assert same([pack.cell_state(i) for i in (0, 1)], ended)


def test_the_step_that_is_compiled_is_the_plain_one(resnet) -> None:
    """As a function, before it is compiled."""
    check_whole_step([resnet("seed=1"), resnet("seed=2")], "resnet18")


def test_a_longer_budget_goes_on_and_what_is_stored_comes_back(resnet, tmp_path: Path) -> None:
    """Rows, final state and snapshots to the bit, from the shorter run's end on."""
    own = (f"outputs={tmp_path}", "progress=false", "snapshots=log:3", "threads=1", "dtype=float32")
    sweep([resnet(*own, "steps=4")])
    longer = resnet(*own)
    sweep([longer])
    assert "parent" in str(provenance(longer))
    run = grokpipe.load(log_of(longer))
    whole = resnet(*own, "measures.names=[weights,collapse]")
    _, (log,) = trained([whole], tmp_path / "whole")
    ours, theirs = (torch.load(f / "final.pt", weights_only=True) for f in (run.folder, log.folder))
    assert same(ours, theirs) and "norm.running_mean" in ours["buffers"]
    logged = curves(log)
    pd.testing.assert_frame_equal(run.curves, logged[[*run.curves]])
    for module in (run.model, run.snapshots[8]):
        assert not module.training
        assert same(dict(module.state_dict()), snapshots.load(log.folder, 8))
        with torch.no_grad():
            logits, _ = module(run.task.inputs[run.split.test])
        found = (logits.argmax(1) == run.task.labels[run.split.test]).double().mean().item()
        assert found == run.curves["test_accuracy"].iloc[-1]
    remeasure(run.folder.parents[1], ["collapse"], Console(quiet=True))
    later = grokpipe.load(run.folder).curves
    assert {*logged} == {*later}
    kept = later["step"].isin([*run.snapshots])
    pd.testing.assert_frame_equal(later[kept], logged[[*later]][kept])


def test_estimates_know_of_buffers(resnet) -> None:
    """Libraries are chosen, and the memory of a cell holds its buffers and those that wait."""
    one = resnet("dtype=float32")
    choosing.own_products(one)
    module = initial_network(one)
    parameters, held = (
        sum(t.numel() * t.element_size() for t in tensors)
        for tensors in (module.parameters(), module.buffers())
    )
    outputs = 4 * 60 * (module.get_submodule("head").in_features + 10)
    step = memory.step_bytes(one)
    assert memory.terms(one)[1] == 3 * parameters + step + outputs + parameters + 2 * held
    assert step > 4 * 10 * 3 * 32 * 32 + parameters + held  # the batch, gradients, new statistics


def test_a_network_without_buffers_stores_what_it_did(cell) -> None:
    pack = Pack([cell()])
    assert [*pack.cell_state(0)] == ["step", "parameters", "optimizer", "intervention", "batches"]
    state = pack.state_dict()
    assert [*state] == ["step", "members", "parameters", "optimizer", "intervention", "streams"]
    assert pack.outputs(0).buffers == {}
