"""Loaded run logs: configuration, curves, data and networks, each read when it is asked for.

Nothing here runs code from a file. PyTorch is imported where the data or a network are asked for.
"""

import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import pandas as pd

from grokpipe.config.fields import flatten
from grokpipe.config.schema import GROUPS, Config, operational_names
from grokpipe.errors import InputError
from grokpipe.store import manifest, remeasured, run_log, running, snapshots
from grokpipe.store.configuration import read_config
from grokpipe.store.selection import select

if TYPE_CHECKING:
    from torch import Tensor, nn

    from grokpipe.cell import Cell
    from grokpipe.tasks import Task


class Split(NamedTuple):
    """Rows of a task's table, each (n,) int64."""

    train: "Tensor"
    test: "Tensor"


@dataclass(frozen=True, repr=False)
class SavedRun:
    """One cell's run, as returned by `grokpipe.load(folder)`."""

    folder: Path

    @property
    def key(self) -> str:
        """The cell's key."""
        return self.folder.name

    @cached_property
    def values(self) -> dict[str, Any]:
        """The scientific configuration by dotted name, as tables have it; needs no PyTorch."""
        operational = operational_names()
        flat = flatten(read_config(self.folder))
        return {name: value for name, value in flat.items() if name not in operational}

    @cached_property
    def config(self) -> Config:
        """The configuration. Raises InputError if it is not valid."""
        from omegaconf import OmegaConf

        from grokpipe.config.resolving import resolve

        return resolve(OmegaConf.create(run_log.read_config(self.folder)))

    @property
    def state(self) -> str:
        """State of the cell now, one of `manifest.STATES`."""
        folder = self.folder.parent.parent
        return manifest.states(folder, [self.key], running.keys(folder))[self.key]

    @property
    def steps(self) -> int:
        """Steps trained, as far as they are logged."""
        if result := run_log.read_result(self.folder):
            return int(result["steps"])
        logged = self.curves["step"]
        return int(logged.iloc[-1]) if len(logged) else 0

    @cached_property
    def curves(self) -> pd.DataFrame:
        """One row per evaluation, `step` first; then the columns that training logged, and those
        measured later on snapshots, NaN at steps without one."""
        logged = run_log.read_curves(self.folder)
        later = remeasured.read(self.folder).table
        new = [name for name in later if name not in logged]
        return logged.join(later[new], on="step") if new else logged

    @cached_property
    def cell(self) -> "Cell":
        """The cell with its data. Raises InputError if the data are not available."""
        from grokpipe.cell import Cell

        return Cell.of(self.config)

    @cached_property
    def task(self) -> "Task":
        """The data: `inputs`, `labels`, and `train` and `test`, the rows of this seed's split."""
        return self.cell.task

    @property
    def split(self) -> Split:
        """Rows of the training and of the test set in the task's table."""
        return Split(self.task.train, self.task.test)

    @cached_property
    def model(self) -> "nn.Module | None":
        """The trained module after the last step, in evaluation mode; None if it was not kept or
        the run is unfinished."""
        import torch

        path = self.folder / run_log.FINAL
        if not path.exists():
            return None
        try:
            final = torch.load(path, weights_only=True, map_location="cpu")
            state = {**final["parameters"], **final.get("buffers", {})}
        except (OSError, RuntimeError, EOFError, LookupError, pickle.UnpicklingError) as error:
            raise InputError(f"{path}: damaged; delete it to do without") from error
        return self._network(state, path)

    @property
    def snapshots(self) -> "Snapshots":
        """The networks at the steps of which the weights were kept, by step."""
        return Snapshots(self)

    def _network(self, state: Mapping[str, "Tensor"], path: Path) -> "nn.Module":
        from grokpipe.training.pack import initial_network

        network = initial_network(self.cell)
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            arch = self.config.arch.name
            raise InputError(f"{path}: does not fit arch={arch} as it is now") from error
        return network.eval()

    def __repr__(self) -> str:
        values = self.values
        names = [str(values.get(f"{group}.name")) for group in GROUPS]
        names = [name for name in names if name != "none"]
        decay, seed = values.get("weight_decay"), values.get("seed")
        return (
            f"<run {self.key}: {', '.join(names)}, weight_decay {decay}, seed {seed}; "
            f"{self.state} at step {self.steps:,}>"
        )


@dataclass(frozen=True)
class Snapshots(Mapping[int, "nn.Module"]):
    """Networks of a run by step, each loaded when it is asked for and not kept."""

    run: SavedRun

    def __getitem__(self, step: int) -> "nn.Module":
        """The module at this step, in evaluation mode. Raises KeyError if there is no snapshot,
        InputError for one that is damaged or does not fit the architecture."""
        path = self.run.folder / snapshots.FOLDER / f"{step}.pt"
        return self.run._network(self.parameters(step), path)

    def parameters(self, step: int) -> dict[str, "Tensor"]:
        """Parameters and buffers by name at this step, on the CPU; raises as by `[step]`."""
        if step not in self:
            valid = ", ".join(map(str, self)) or "none (snapshots=log:N keeps them)"
            raise KeyError(f"no snapshot at step {step}; valid: {valid}")
        return snapshots.load(self.run.folder, step)

    def __contains__(self, step: object) -> bool:
        return step in snapshots.steps(self.run.folder)

    def __iter__(self) -> Iterator[int]:
        return iter(snapshots.steps(self.run.folder))

    def __len__(self) -> int:
        return len(snapshots.steps(self.run.folder))

    def __repr__(self) -> str:
        steps = ", ".join(map(str, self))
        return f"<snapshots at steps {steps}>" if steps else "<no snapshots>"


@dataclass(frozen=True, repr=False)
class SavedRuns(Sequence[SavedRun]):
    """Runs of a folder, each loaded anew when it is reached, so that the data of one go before the
    next."""

    folder: Path
    logs: tuple[Path, ...]

    @overload
    def __getitem__(self, index: int) -> SavedRun: ...
    @overload
    def __getitem__(self, index: slice) -> "SavedRuns": ...
    def __getitem__(self, index: int | slice) -> "SavedRun | SavedRuns":
        if isinstance(index, slice):
            return SavedRuns(self.folder, self.logs[index])
        return SavedRun(self.logs[index])

    def __len__(self) -> int:
        return len(self.logs)

    def __repr__(self) -> str:
        return f"<{len(self)} run{'s' * (len(self) != 1)} of {self.folder}>"


def load_run(folder: Path) -> SavedRun:
    """Load the run log `folder`; see `grokpipe.load`."""
    if not (folder / run_log.CONFIG).is_file():
        raise InputError(f"{folder}: not a run log; it has no {run_log.CONFIG}")
    run = SavedRun(folder)
    _ = run.config  # raises InputError for one that is not valid
    return run


def load_runs(folder: Path, wanted: Mapping[str, Any]) -> SavedRuns:
    """Load the runs of `outputs/<name>` that match; see `grokpipe.load_all`."""
    return SavedRuns(folder, tuple(select(folder, wanted)))
