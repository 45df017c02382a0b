"""The same code on a GPU; skipped where there is none."""

import os
from collections.abc import Callable
from threading import Event

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks.contenders.cuda_graph import RecordedPack
from grokpipe.cell import Cell
from grokpipe.errors import Interrupted
from grokpipe.training.execution import Execution
from grokpipe.training.loop import train
from grokpipe.training.pack import Pack
from grokpipe.training.programs.compiling import worth_compiling
from tests.helpers.training import curves, quiet, run_logs, same

# GROKPIPE_TEST_DEVICE=cpu tries these tests themselves where there is no GPU
DEVICE = os.environ.get("GROKPIPE_TEST_DEVICE", "cuda")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        DEVICE == "cuda" and not torch.cuda.is_available(), reason="needs a CUDA device"
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch"),  # of the compiler
]
NETWORKS = {
    "mlp": (),
    "transformer": (),
    "pre-norm": ("arch.norm=pre", "arch.tokens=3"),
    "two layers": ("arch.layers=2", "arch.tokens=3"),
}
Make = Callable[..., list[Cell]]


@pytest.fixture
def made(cell, token_cell) -> Make:
    """made("mlp", 3, "steps=5") → cells that differ in seed and decay."""

    def cells(network: str, count: int, *overrides: str) -> list[Cell]:
        of = cell if network == "mlp" else token_cell
        return [
            of(f"seed={seed}", f"weight_decay={0.1 * seed}", *NETWORKS[network], *overrides)
            for seed in range(count)
        ]

    return cells


def execution(compiled: bool) -> Execution:
    if compiled:
        possible, why = worth_compiling("on", 0, torch.device(DEVICE))
        if not possible:
            pytest.skip(str(why))
    return Execution(compiled=compiled)


def trained(cells, folder, device, how=None, stop=None):
    """Run logs of a pack that trains to its end, or until `stop` is set."""
    logs = run_logs(cells, folder)
    pack = Pack(cells, device, how or Execution())
    train(pack, logs, folder / "pack.pt", quiet(), stop or Event(), Event())
    return logs


def logits(pack: Pack, cell: int) -> torch.Tensor:
    """Parameters are not compared: AdamW scales the gradient of the keys' bias, which is 0 but for
    rounding, to a step as large as any."""
    outputs = pack.outputs(cell)
    if outputs.arrived is not None:
        outputs.arrived.synchronize()
    return outputs.logits


def test_draws_are_those_of_the_cpu(token_cell) -> None:
    cells = [token_cell(f"seed={seed}") for seed in range(3)]
    host, device = Pack(cells), Pack(cells, DEVICE)
    for name, parameter in host.parameters.items():
        assert torch.equal(device.parameters[name].cpu(), parameter)
    assert torch.equal(host.streams[1].take(5), device.streams[1].take(5))


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(("network", "width"), [(name, 3) for name in NETWORKS] + [("mlp", 1)])
def test_trajectories_agree_with_the_cpu(made, tmp_path, network, width, compiled) -> None:
    """And so do all measures, at the precision of fp32."""
    cells = made(network, width)
    ours = trained(cells, tmp_path / "gpu", DEVICE, execution(compiled))
    theirs = trained(cells, tmp_path / "cpu", "cpu")
    for a, b in zip(theirs, ours):
        columns = ["step", "train_loss", "test_loss", "weight_norm"]
        pd.testing.assert_frame_equal(curves(a)[columns], curves(b)[columns], rtol=1e-3)
        assert list(curves(a)) == list(curves(b))
        first = [curves(log).iloc[0].to_numpy(float) for log in (a, b)]  # before any step
        np.testing.assert_allclose(*first, rtol=1e-3, atol=1e-3)
    final = torch.load(ours[0].folder / "final.pt", weights_only=True, map_location="cpu")
    assert final["step"] == 20
    assert {p.device.type for p in final["parameters"].values()} == {"cpu"}


@pytest.mark.parametrize("width", [1, 4, 16])
def test_a_cell_does_not_depend_on_the_width(made, width) -> None:
    pack = Pack(made("transformer", width), DEVICE)
    alone = Pack(made("transformer", 1), DEVICE)
    for one in (pack, alone):
        one.advance(5)
    torch.testing.assert_close(logits(pack, 0), logits(alone, 0), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("network", ["mlp", "transformer"])
def test_resumes_to_the_bit(made, tmp_path, network, compiled) -> None:
    """A run that is stopped half-way, and goes on in a new pack."""
    how, cells = execution(compiled), made(network, 3)
    whole = trained(cells, tmp_path / "whole", DEVICE, how)

    class Stop(Event):
        """Set from the sixth look on."""

        looks = 0

        def is_set(self) -> bool:
            self.looks += 1
            return self.looks > 5

    with pytest.raises(Interrupted):
        trained(cells, tmp_path / "parts", DEVICE, how, Stop())
    assert (tmp_path / "parts" / "pack.pt").exists()
    parts = trained(cells, tmp_path / "parts", DEVICE, how)
    for a, b in zip(whole, parts):
        pd.testing.assert_frame_equal(curves(a), curves(b))
        assert same(*(torch.load(log.folder / "final.pt", weights_only=True) for log in (a, b)))


@pytest.mark.parametrize("network", ["mlp", "two layers"])
def test_an_evaluation_is_that_of_the_cpu(made, network) -> None:
    cells = made(network, 2)
    device, host = Pack(cells, DEVICE), Pack(cells)
    for cell in range(2):
        ours, theirs = device.outputs(cell), host.outputs(cell)
        torch.testing.assert_close(logits(device, cell), theirs.logits, rtol=1e-4, atol=1e-4)
        if ours.arrived is not None:
            ours.arrived.synchronize()
        assert ours.logits.device.type == ours.features.device.type == "cpu"
        torch.testing.assert_close(ours.features, theirs.features, rtol=1e-4, atol=1e-4)
        assert same(ours.parameters, theirs.parameters)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_recorded_step_trains_as_the_pack(made, compiled) -> None:
    """The step as a CUDA graph, as `python -m benchmarks.gpu` times it."""
    how, cells = execution(compiled), made("transformer", 3)
    pack, recorded = Pack(cells, DEVICE, how), RecordedPack(Pack(cells, DEVICE, how))
    pack.advance(4)
    recorded.advance(4)
    for cell in range(3):
        ours = logits(recorded.pack, cell)
        torch.testing.assert_close(ours, logits(pack, cell), rtol=1e-3, atol=1e-3)


@pytest.mark.skipif(DEVICE == "cpu", reason="a CPU is never waited for")
def test_steps_do_not_wait_for_the_device(token_cell) -> None:
    """PyTorch raises on any synchronisation while steps and an evaluation are queued."""
    pack = Pack([token_cell(), token_cell("seed=1")], "cuda")
    pack.advance(2)
    pack.outputs(0)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        pack.advance(3)
        pack.outputs(0)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert pack.step == 5
