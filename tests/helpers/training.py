"""Trains packs in tests: run logs in a folder, no progress shown."""

from collections.abc import Sequence
from pathlib import Path
from threading import Event

import pandas as pd
import torch
from rich.console import Console

from grokpipe.cell import Cell
from grokpipe.launch.signals import stop_requests
from grokpipe.store import run_log
from grokpipe.store.run_log import RunLog
from grokpipe.training.loop import train
from grokpipe.training.pack import Pack
from grokpipe.training.progress import RunProgress


def run_logs(cells: Sequence[Cell], folder: Path) -> list[RunLog]:
    """A run log for each cell, begun unless it is there already."""
    logs = [RunLog(folder / cell.key) for cell in cells]
    for cell, log in zip(cells, logs):
        if not run_log.is_run_log(log.folder):
            log.start({"seed": cell.config.seed}, {})
    return logs


def next_batch(pack: Pack) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs (cell, batch, …) and labels (cell, batch) of the next step of a pack in lockstep."""
    (stack,) = pack.stacks
    return stack.batch(torch.cat([stream.take(1) for stream in pack.streams]))


def quiet() -> RunProgress:
    return RunProgress("", 1, Console(quiet=True), enabled=False)


def trained(
    cells: Sequence[Cell], folder: Path, progress: RunProgress | None = None
) -> tuple[Pack, list[RunLog]]:
    """Trains one pack of these cells, or goes on with it."""
    logs, pack = run_logs(cells, folder), Pack(cells)
    with stop_requests() as stop:
        train(pack, logs, folder / "pack.pt", progress or quiet(), stop, Event())
    return pack, logs


def curves(log: RunLog) -> pd.DataFrame:
    return run_log.read_curves(log.folder)


def same(a: object, b: object) -> bool:
    """Equal to the last bit, through dictionaries and lists."""
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and torch.equal(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    return a == b
