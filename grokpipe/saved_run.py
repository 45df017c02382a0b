"""Load a run log: configuration, curves and the trained network."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import torch
from omegaconf import OmegaConf
from torch import nn

from grokpipe.cell import Cell
from grokpipe.config.resolving import resolve
from grokpipe.config.schema import Config
from grokpipe.errors import InputError
from grokpipe.store import run_log
from grokpipe.training.pack import initial_network


@dataclass(frozen=True)
class SavedRun:
    """One cell's run, as returned by `grokpipe.load(folder)`."""

    folder: Path
    config: Config
    curves: pd.DataFrame
    """one row per evaluation, `step` first"""

    @cached_property
    def cell(self) -> Cell:
        """The cell with its data: `cell.task.inputs`, `.labels`, `.train`, `.test`."""
        return Cell.of(self.config)

    @cached_property
    def model(self) -> nn.Module | None:
        """The trained module after the last step; None if it was not kept or the run is
        unfinished."""
        path = self.folder / run_log.FINAL
        if not path.exists():
            return None
        model = initial_network(self.cell)
        model.load_state_dict(torch.load(path, weights_only=True)["parameters"])
        return model


def load_run(folder: Path) -> SavedRun:
    """Load the run log `folder`; see `grokpipe.load`."""
    if not (folder / run_log.CONFIG).is_file():
        raise InputError(f"{folder}: not a run log; it has no {run_log.CONFIG}")
    config = resolve(OmegaConf.create(run_log.read_config(folder)))
    return SavedRun(folder, config, run_log.read_curves(folder))
