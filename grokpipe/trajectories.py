"""What a finished baseline did over its steps, for interventions that hold runs to it.

A trajectory is the mean over the baseline's seeds, linear between evaluations; a seed that ended
earlier counts with its last value. It is kept as `outputs/<name>/trajectories/<hash>.json`, and the
hash of its content is part of the key of each cell that follows it: with other baseline runs, they
are other cells.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from grokpipe import ledger, rooms, runlog
from grokpipe.cell import Cell
from grokpipe.config import Config
from grokpipe.errors import InputError

NORM, SCALE = "weight_norm", "logits/scale"


@dataclass(frozen=True)
class Point:
    weight_norm: float
    logit_scale: float


@dataclass(frozen=True)
class Trajectory:
    steps: tuple[int, ...]
    """ascending"""
    weight_norm: tuple[float, ...]
    logit_scale: tuple[float, ...]

    def at(self, step: int) -> Point:
        """Linear between evaluations; held after the last."""
        return Point(
            *(float(np.interp(step, self.steps, of)) for of in (self.weight_norm, self.logit_scale))
        )

    @property
    def text(self) -> str:
        return json.dumps({"step": self.steps, NORM: self.weight_norm, SCALE: self.logit_scale})

    @property
    def hash(self) -> str:
        """16 hexadecimal digits of SHA-256 over the content."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def check(config: Config) -> None:
    """Of an intervention that follows a trajectory. Raises InputError."""
    for measure, column in (("weights", NORM), ("logits", SCALE)):
        if measure not in config.measures.names:
            raise InputError(
                f"measures.names={config.measures.names}: intervention={config.intervention.name} "
                f"follows the baseline's {column}; add {measure}"
            )
    if not config.intervention.baseline_seeds:
        raise InputError("intervention.baseline_seeds=[]: must name one seed at least")


def follows(config: Config) -> bool:
    """Whether its intervention needs a finished baseline."""
    return hasattr(config.intervention, "trajectory")


def baseline(config: Config) -> list[Cell]:
    """The cells whose mean the cell of `config` follows: the same without intervention."""
    none = rooms.module("interventions", "none", "intervention").Config("none")
    return [
        Cell.of(replace(config, intervention=none, seed=seed))
        for seed in dict.fromkeys(config.intervention.baseline_seeds)
    ]


def settled(config: Config, cells: Sequence[Cell]) -> Config:
    """`config` with the trajectory of these finished baseline cells, which is written to disk."""
    folder = Path(config.outputs) / config.name
    logs = [ledger.cells_folder(folder) / cell.key for cell in cells]
    found = mean([runlog.read_columns(log, ("step", NORM, SCALE)) for log in logs])
    file = _file(folder, found.hash)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        runlog.write_text(file, found.text)
    return replace(config, intervention=replace(config.intervention, trajectory=found.hash))


def mean(curves: Sequence[dict[str, np.ndarray]]) -> Trajectory:
    """Of curves with the columns step, weight_norm and logits/scale, at all of their steps."""
    steps = np.unique(np.concatenate([curve["step"] for curve in curves]))
    norm, scale = (
        np.mean([np.interp(steps, curve["step"], curve[column]) for curve in curves], axis=0)
        for column in (NORM, SCALE)
    )
    return Trajectory(tuple(steps.tolist()), tuple(norm.tolist()), tuple(scale.tolist()))


def read_for(config: Config) -> Trajectory:
    """The trajectory that a settled cell follows. Raises InputError."""
    name = config.intervention.trajectory
    file = _file(Path(config.outputs) / config.name, str(name))
    if name is None or not file.exists():
        raise InputError(f"intervention.trajectory={name}: no such file {file}")
    return _read(file)


@lru_cache(maxsize=16)
def _read(file: Path) -> Trajectory:
    value = json.loads(file.read_text())
    found = Trajectory(*(tuple(value[name]) for name in ("step", NORM, SCALE)))
    if found.hash != file.stem:
        raise InputError(f"{file}: its content is not what it is named by; remove it")
    return found


def _file(folder: Path, name: str) -> Path:
    return folder / "trajectories" / f"{name}.json"
