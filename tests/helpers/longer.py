"""Sweeps in this process, and their run logs compared to the bit."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from grokpipe.cell import Cell
from grokpipe.executors.serial import Serial
from grokpipe.launch import launcher


def sweep(cells: Sequence[Cell], **settings: bool) -> None:
    """Train these cells as `python -m grokpipe -m hydra/launcher=serial` does."""
    configs = [asdict(cell.config) for cell in cells]
    labels = [f"{cell.config.seed}" for cell in cells]
    launcher.run(configs, labels, None, Serial(**settings))


def log_of(cell: Cell) -> Path:
    return cell.folder / "cells" / cell.key


def provenance(cell: Cell) -> dict:
    return json.loads((log_of(cell) / "provenance.json").read_text())


def result(cell: Cell) -> dict:
    return json.loads((log_of(cell) / "result.json").read_text())


def assert_equal_to_the_bit(cells: Sequence[Cell], others: Sequence[Cell]) -> None:
    for ours, theirs in zip(map(log_of, cells), map(log_of, others), strict=True):
        for name in ("curves.parquet", "result.json"):
            assert (ours / name).read_bytes() == (theirs / name).read_bytes()
        finals = [torch.load(log / "final.pt", weights_only=True) for log in (ours, theirs)]
        torch.testing.assert_close(*finals, rtol=0, atol=0, equal_nan=True)
