"""Buffers, here the statistics of batch norm: trained, stored and brought back as parameters are."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from rich.console import Console
from torch import Tensor
from torch.nn import functional

import grokpipe
from grokpipe import testing
from grokpipe.cell import Cell
from grokpipe.provenance import golden
from grokpipe.remeasure import remeasure
from grokpipe.store import snapshots
from grokpipe.training import choosing, memory
from grokpipe.training.batches import stream
from grokpipe.training.execution import Execution
from grokpipe.training.pack import Pack, initial_network
from tests.helpers.cells import SMALL_RESNET, network
from tests.helpers.longer import assert_equal_to_the_bit, log_of, provenance, sweep

RESNET = ["task=cifar10", *SMALL_RESNET, "dtype=float64", "lr=0.01"]


@pytest.fixture
def resnet(compose, cifar10: Path):
    """resnet("seed=3", …) → a cell with a tiny ResNet on made images, in float64."""
    return lambda *overrides: Cell.of(compose(*RESNET, *overrides))


def plain(one: Cell, steps: int, freeze: int | None = None) -> torch.nn.Module:
    """One network by PyTorch's own loop; from step `freeze` on with the norm of its weights then."""
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


@pytest.mark.parametrize(
    ("order", "overrides"),
    [
        ("lockstep", FROZEN),
        ("turns", ()),
        ("lockstep", ("optimizer=sgd", "lr=1e-3", "optimizer.momentum=0.9", "weight_decay=0")),
    ],
    ids=["lockstep, frozen norm", "turns", "lockstep, SGD"],
)
def test_each_cell_follows_the_plain_loop(resnet, order, overrides) -> None:
    cells = [resnet(f"seed={seed}", *overrides) for seed in (0, 3)]
    pack = Pack(cells, execution=Execution(order))
    pack.advance(2)
    pack.outputs(0)  # an evaluation changes no statistics
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


def test_a_pack_resumes_narrows_and_steps_as_a_whole(cifar10: Path) -> None:
    """Killed in the middle, to the bit; as others leave; in the program that is compiled."""
    overrides = [o for o in SMALL_RESNET if o.partition("=")[0] not in ("arch", "steps", "eval")]
    testing.check_arch("resnet18", "task=cifar10", *overrides)


def test_a_longer_budget_goes_on_and_what_is_stored_comes_back(resnet, tmp_path: Path) -> None:
    """Of two cells: rows, final state and snapshots to the bit, from the shorter run's end on."""

    def arm(name: str, *overrides: str) -> list[Cell]:
        own = (f"outputs={tmp_path}", f"name={name}", "progress=false", "snapshots=log:3")
        return [resnet(*own, *overrides, f"seed={seed}", "threads=1") for seed in (1, 2)]

    sweep(arm("parts", "steps=4"))
    longer, whole = arm("parts"), arm("whole", "measures.names=[weights,collapse]")
    sweep(longer)
    sweep(whole)
    assert "parent" in str(provenance(longer[0])) and "parent" not in str(provenance(whole[0]))
    for ours, theirs in zip(longer, whole, strict=True):
        finals = [torch.load(log_of(c) / "final.pt", weights_only=True) for c in (ours, theirs)]
        torch.testing.assert_close(*finals, rtol=0, atol=0)
    kept = snapshots.load(log_of(whole[0]), 8)
    run = grokpipe.load(log_of(longer[0]))
    for module in (run.model, run.snapshots[8]):
        assert not module.training
        torch.testing.assert_close(dict(module.state_dict()), kept, rtol=0, atol=0)
        with torch.no_grad():
            logits, _ = module(run.task.inputs[run.split.test])
        found = (logits.argmax(1) == run.task.labels[run.split.test]).double().mean().item()
        assert found == run.curves["test_accuracy"].iloc[-1]
    remeasure(tmp_path / "parts", ["collapse"], Console(quiet=True))
    again = grokpipe.load(run.folder).curves.set_index("step")
    logged = grokpipe.load(log_of(whole[0])).curves.set_index("step")
    columns = [name for name in logged if name.startswith("collapse/")]
    pd.testing.assert_frame_equal(again.loc[[0, 8], columns], logged.loc[[0, 8], columns])


def test_the_fingerprint_is_of_the_first_steps_in_float64(compose, cifar10: Path) -> None:
    config = compose(*RESNET, "dtype=float32", "lr=1e-3")
    first, last = golden.evaluations(config)
    pack = Pack([Cell.of(compose(*RESNET, "lr=1e-3"))])
    for found in (first, last):
        row = golden.Evaluator.of(config, pack.tasks[0]).row(pack.outputs(0))
        assert found == pytest.approx(row, rel=1e-6)
        pack.advance(golden.STEPS)


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
