"""The same code on a GPU; skipped where there is none."""

from threading import Event

import pandas as pd
import pytest
import torch

from grokpipe.training.execution import Execution
from grokpipe.training.pack import Pack
from tests.helpers.training import curves, quiet, run_logs

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def test_draws_are_those_of_the_cpu(token_cell) -> None:
    cells = [token_cell(f"seed={seed}") for seed in range(3)]
    host, device = Pack(cells), Pack(cells, "cuda")
    for name, parameter in host.parameters.items():
        assert torch.equal(device.parameters[name].cpu(), parameter)
    assert torch.equal(host.streams[1].take(5), device.streams[1].take(5))


@pytest.mark.parametrize("compiled", [False, True])
def test_trajectories_agree_with_the_cpu(token_cell, tmp_path, compiled) -> None:
    from grokpipe.training.loop import train

    cells = [token_cell(f"seed={seed}", f"weight_decay={seed}") for seed in range(3)]
    found = []
    for device in ("cpu", "cuda"):
        logs = run_logs(cells, tmp_path / device)
        pack = Pack(cells, device, Execution(compiled=compiled and device == "cuda"))
        train(pack, logs, tmp_path / f"{device}.pt", quiet(), Event(), Event())
        found.append(logs)
    for a, b in zip(*found):
        columns = ["step", "train_loss", "weight_norm"]
        pd.testing.assert_frame_equal(curves(a)[columns], curves(b)[columns], rtol=1e-3)
    logs = [log.folder / "final.pt" for log in found[1]]
    assert torch.load(logs[0], weights_only=True, map_location="cpu")["step"] == 20


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
