"""A finished run log, read back as objects."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from omegaconf import OmegaConf
from torch import nn

from grokpipe import runlog
from grokpipe.cell import Cell
from grokpipe.config import Config, resolve
from grokpipe.errors import InputError
from grokpipe.pack import initial_network


@dataclass(frozen=True)
class SavedRun:
    """One cell's run, as `grokpipe.load(folder)` gives it."""

    config: Config
    curves: pd.DataFrame
    """one row per evaluation, `step` first"""
    model: nn.Module | None
    """the plain module after the last step; None if final.pt was not kept or the run goes on"""
    cell: Cell
    """configuration and data: `cell.task.inputs`, `.labels`, `.train`, `.test`"""


def load_run(folder: Path) -> SavedRun:
    if not runlog.is_run_log(folder):
        raise InputError(f"{folder}: not a run log; it has no {runlog.CONFIG}")
    config = resolve(OmegaConf.create(runlog.read_config(folder)))
    cell = Cell.of(config)
    model = None
    if (folder / runlog.FINAL).exists():
        final = torch.load(folder / runlog.FINAL, weights_only=True)
        model = initial_network(cell)
        model.load_state_dict(final["parameters"])
    return SavedRun(config, runlog.read_curves(folder), model, cell)
