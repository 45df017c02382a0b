"""Checkpoints: two generations, of which a damaged one is skipped, and no code is run."""

import os
from pathlib import Path

import pytest
import torch

from grokpipe.store import checkpoint


def test_checkpoints_keep_two_generations_and_skip_damaged_ones(tmp_path: Path) -> None:
    path = tmp_path / "pack.pt"
    assert list(checkpoint.generations(path)) == []
    for step in (1, 2, 3):
        checkpoint.save(path, {"step": step})
    assert [state["step"] for state in checkpoint.generations(path)] == [3, 2]
    path.write_bytes(b"")
    assert [state["step"] for state in checkpoint.generations(path)] == [2]
    checkpoint.delete(path)
    assert list(tmp_path.iterdir()) == []


def test_loading_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "owned"),))

    torch.save({"step": 1, "pack": Evil()}, tmp_path / "pack.pt")
    assert list(checkpoint.generations(tmp_path / "pack.pt")) == []
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("left", [0, 1, 100, -1])
def test_a_truncated_generation_gives_way_to_the_one_before(tmp_path: Path, left: int) -> None:
    path = tmp_path / "packs" / "x.pt"  # a folder that is not there yet
    for step in (1, 2):
        checkpoint.save(path, {"step": step, "weights": torch.arange(100.0)})
    path.write_bytes(path.read_bytes()[:left])
    (state,) = checkpoint.generations(path)
    assert state["step"] == 1
    assert torch.equal(state["weights"], torch.arange(100.0))
