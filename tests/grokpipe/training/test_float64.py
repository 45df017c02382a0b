"""Training in float64: against plain PyTorch to twelve digits, and nothing left in float32."""

import copy
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest
import torch
from omegaconf import OmegaConf
from rich.console import Console
from torch import Tensor
from torch.nn import functional

import grokpipe
from grokpipe import remeasure
from grokpipe.randomness import generator
from grokpipe.store import snapshots
from grokpipe.training import memory, numerics
from grokpipe.training.batches import stream
from grokpipe.training.execution import Execution
from grokpipe.training.pack import Pack, initial_network
from tests.helpers.snapshotted import KEPT, REGULAR, train
from tests.helpers.training import curves, same, trained

DOUBLE = "dtype=float64"
ADAMW = ("optimizer=adamw", "lr=0.003", "weight_decay=0.5", "optimizer.betas=[0.8,0.95]")
SGD = ("optimizer=sgd", "lr=1e-4", "weight_decay=0.1", "optimizer.momentum=0.9")


def losses(name: str, logits: Tensor, labels: Tensor) -> Tensor:
    """The scalar that training minimises, as a user would write it."""
    if name == "squared_error":
        return (logits - functional.one_hot(labels, logits.shape[1])).square().sum()
    if name == "cross_entropy":
        return functional.cross_entropy(logits, labels)
    s = torch.where(logits >= 0, logits + 1, 1 / (1 - logits))
    return functional.nll_loss((s / s.sum(1, keepdim=True)).log(), labels)


def plain(one, steps: int) -> dict[str, Tensor]:
    """Parameters after `steps` of one plain module, autograd and unfused torch.optim."""
    network, settings, task = initial_network(one), one.config.optimizer, one.task
    if settings.name == "adamw":
        optimizer: torch.optim.Optimizer = torch.optim.AdamW(
            network.parameters(), settings.lr, tuple(settings.betas), settings.eps,
            settings.weight_decay, foreach=False, fused=False,
        )  # fmt: skip
    else:
        optimizer = torch.optim.SGD(
            network.parameters(), settings.lr, settings.momentum,
            weight_decay=settings.weight_decay, foreach=False, fused=False,
        )  # fmt: skip
    for step, rows in enumerate(stream(one.config, task.train).take(steps)):
        if one.config.lr_warmup:
            risen = min(1, step / one.config.lr_warmup)
            optimizer.param_groups[0]["lr"] = settings.lr * risen
        loss = losses(one.config.loss, network(task.inputs[rows])[0], task.labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {name: p.detach() for name, p in network.named_parameters()}


def assert_twelve_digits(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    for name, parameter in expected.items():
        if not name.endswith("qkv.bias"):  # a key's bias has no gradient but rounding
            assert found[name].dtype == torch.float64
            torch.testing.assert_close(found[name], parameter, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("loss", ["squared_error", "cross_entropy", "stablemax"])
@pytest.mark.parametrize("overrides", [ADAMW, SGD], ids=["adamw", "sgd"])
@pytest.mark.parametrize("make", ["cell", "token_cell"])
def test_a_pack_follows_the_plain_loop(make, overrides, loss, request) -> None:
    cells = [
        request.getfixturevalue(make)(*overrides, f"loss={loss}", DOUBLE, f"seed={seed}")
        for seed in (1, 2)
    ]
    pack = Pack(cells)
    pack.advance(20)
    for i, one in enumerate(cells):
        assert_twelve_digits(pack.cell_parameters(i), plain(one, 20))


@pytest.mark.parametrize("overrides", [ADAMW, SGD], ids=["adamw", "sgd"])
def test_each_cell_has_its_own_warm_up(cell, overrides) -> None:
    """As one plain and one whole step, in parts, and from a state in the middle to the bit."""
    cells = [cell(*overrides, DOUBLE, f"lr_warmup={n}", "seed=1") for n in (0, 6, 15, 40)]
    assert len({one.shared for one in cells}) == 1 and len({one.key for one in cells}) == 4
    assert cells[0].key == cell(*overrides, DOUBLE, "seed=1").key
    pack, whole = Pack(cells), Pack(cells, execution=Execution(compiled=True))
    whole.programs.steps[4] = whole.stacks[0].step_function(0)
    for steps in (1, 8, 11):
        state = copy.deepcopy(pack.state_dict())
        for one in (pack, whole):
            one.advance(steps)
    for i, one in enumerate(cells):
        expected = plain(one, 20)
        assert_twelve_digits(pack.cell_parameters(i), expected)
        assert_twelve_digits(whole.cell_parameters(i), expected)
    resumed = Pack(cells)
    resumed.load_state_dict(state)
    resumed.advance(11)
    assert same(resumed.state_dict(), pack.state_dict())


def test_it_starts_from_the_numbers_of_float32(cell) -> None:
    single, double = cell(), cell(DOUBLE)
    assert torch.equal(single.task.inputs.double(), double.task.inputs)
    for a, b in zip(*(initial_network(one).parameters() for one in (single, double)), strict=True):
        assert (a.dtype, b.dtype) == (torch.float32, torch.float64)
        assert torch.equal(a.double(), b)


FOLLOWED = {
    "mixing": ("intervention.alpha=0.3",),
    "noise": ("intervention.alpha=0.3",),
    "regularise": ("intervention.beta=0.7",),
    "norm_freeze": ("intervention.from_step=5", "intervention.from_event=null"),
}


def intervened(one, steps: int) -> dict[str, Tensor]:
    """The plain loop with an intervention as docs/interventions.md describes it."""
    network, task, own = initial_network(one), one.task, one.config.intervention
    parameters = [*network.parameters()]
    optimizer = torch.optim.AdamW(parameters, one.config.lr, weight_decay=0, fused=False)
    draws, held = generator(one.config.seed, "intervention"), None
    for step, rows in enumerate(stream(one.config, task.train).take(steps), start=1):
        labels = task.labels[rows]
        logits, z = network(task.inputs[rows])
        loss = losses("cross_entropy", logits, labels)
        if own.name in ("mixing", "noise"):
            other = (1 - own.alpha) * z + own.alpha * z.roll(1, 0)
            if own.name == "noise":
                size = (z.roll(1, 0) - z).square().mean().sqrt().detach()
                other = z + own.alpha * size * torch.randn(z.shape, generator=draws)
            loss = (loss + losses("cross_entropy", network.head(other), labels)) / 2
        if own.name == "regularise":
            covariance = torch.cov(z.T)
            ratio = covariance.trace() ** 2 / covariance.square().sum()
            dimension = torch.tensor(z.shape[1], dtype=torch.float64)
            loss = loss + own.beta * ratio.log() / dimension.log()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            norm = torch.cat([p.flatten() for p in parameters]).norm()
            if own.name == "norm_freeze" and held is not None:
                for p in parameters:
                    p.mul_(held / norm)
            if own.name == "norm_freeze" and step == 5:
                held = norm
    return {name: p.detach() for name, p in network.named_parameters()}


@pytest.mark.parametrize("name", FOLLOWED)
def test_interventions_act_in_float64(token_cell, name) -> None:
    one = token_cell("weight_decay=0", f"intervention={name}", *FOLLOWED[name], DOUBLE)
    pack = Pack([one])
    pack.advance(12)
    assert_twelve_digits(pack.cell_parameters(0), intervened(one, 12))


def test_what_is_stored_is_float64_and_goes_on_from_there(token_cell, tmp_path: Path) -> None:
    """Run log, final state, loading and a resumed checkpoint: the bits of the run as a whole."""
    cells = [token_cell(DOUBLE, "snapshots=log:4", f"seed={seed}") for seed in (1, 2)]
    pack, logs = trained(cells, tmp_path / "whole")
    for i, (one, log) in enumerate(zip(cells, logs)):
        final = torch.load(log.folder / "final.pt", weights_only=True)
        assert {p.dtype for p in final["parameters"].values()} == {torch.float64}
        assert {p.dtype for p in final["optimizer"]["first"]} == {torch.float64}
        kept = snapshots.load(log.folder, one.config.steps)
        assert same(kept, pack.cell_parameters(i))  # to the last bit, which float32 would cut
    half = Pack(cells)
    half.advance(7)
    torch.save(half.state_dict(), tmp_path / "state.pt")
    again = Pack(cells)
    again.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    again.advance(13)
    assert same(again.state_dict(), pack.state_dict())


@pytest.mark.parametrize("make", ["cell", "token_cell"])
@pytest.mark.parametrize("loss", ["cross_entropy", "stablemax"])
def test_a_run_is_measured_and_loaded_as_it_was_trained(
    make, loss, request, tmp_path: Path
) -> None:
    logged = ["weights", "logits", "collapse", "spectral", "flatness"]
    make_cell = request.getfixturevalue(make)
    common = (REGULAR, DOUBLE, f"loss={loss}")
    (full,) = train([make_cell(*common, f"measures.names=[{','.join(logged)}]")], tmp_path / "all")
    (few,) = train([make_cell(*common, "measures.names=[weights]")], tmp_path / "few")
    remeasure.remeasure(tmp_path / "few", logged[1:], Console(quiet=True))
    expected = pd.read_parquet(full / "curves.parquet").set_index("step").loc[KEPT]
    found = pd.read_parquet(few / "remeasured.parquet").set_index("step")
    pd.testing.assert_frame_equal(found, expected[list(found)], check_exact=True)
    assert found.notna().any().all()
    assert {"logits/zero_loss", "flatness/kappa"} <= set(found)

    (log,) = trained([make_cell(*common)], tmp_path / "run")[1]
    OmegaConf.save(
        OmegaConf.structured(asdict(make_cell(*common).config)), log.folder / "config.yaml"
    )
    run = grokpipe.load(log.folder)
    task = run.cell.task
    logits, _ = run.model(task.inputs[task.test])
    assert logits.dtype == torch.float64
    accuracy = (logits.argmax(1) == task.labels[task.test]).double().mean().item()
    assert accuracy == pytest.approx(curves(log)["test_accuracy"].iloc[-1], abs=1e-12)


def test_memory_counts_eight_bytes_a_number(token_cell) -> None:
    single, double = (memory.terms(token_cell(*more)) for more in ((), (DOUBLE,)))
    assert 1.7 < double[1] / single[1] <= 2  # rows and labels are int64 in both


def test_subnormals_of_float64_are_flushed_too() -> None:
    tiny = torch.finfo(torch.float64).tiny
    half = torch.tensor([tiny / 2], dtype=torch.float64)
    with numerics.flushed():
        bits = (half * torch.ones(1, dtype=torch.float64)).view(torch.int64).item()
    assert bits == 0
    assert (half * torch.ones(1, dtype=torch.float64)).item() == tiny / 2
