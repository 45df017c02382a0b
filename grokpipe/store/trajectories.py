"""Trajectories of a finished baseline's weight norm and logit scale, which interventions follow.

A trajectory is the mean over the baseline's seeds, linear between evaluations; a seed that ended
earlier counts with its last value. It is stored as `outputs/<name>/trajectories/<hash>.json`. The
hash of its content enters the key of each cell that follows it, so that other baseline runs give
other cells.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grokpipe.config.schema import Config
from grokpipe.errors import InputError

NORM, SCALE = "weight_norm", "logits/scale"
COLUMNS = ("step", NORM, SCALE)


@dataclass(frozen=True)
class Point:
    """A trajectory's values at one step."""

    weight_norm: float
    logit_scale: float


@dataclass(frozen=True)
class Trajectory:
    """Mean weight norm and logit scale of a baseline over its steps."""

    steps: tuple[int, ...]
    """ascending"""
    weight_norm: tuple[float, ...]
    logit_scale: tuple[float, ...]

    def at(self, step: int) -> Point:
        """Interpolate linearly at `step`; constant after the last evaluation."""
        return Point(*self.values(np.array([step]))[:, 0].tolist())

    def values(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Interpolate at many steps: weight norm and logit scale, shape (2, steps)."""
        columns = (self.weight_norm, self.logit_scale)
        return np.array([np.interp(steps, self.steps, column) for column in columns])

    @property
    def text(self) -> str:
        """The trajectory as JSON."""
        return json.dumps({"step": self.steps, NORM: self.weight_norm, SCALE: self.logit_scale})

    @property
    def hash(self) -> str:
        """16 hexadecimal digits of SHA-256 over the content."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def mean(curves: Sequence[dict[str, np.ndarray]]) -> Trajectory:
    """Average curves with the columns step, weight_norm and logits/scale, at all of their steps."""
    steps = np.unique(np.concatenate([curve["step"] for curve in curves]))
    norm, scale = (
        np.mean([np.interp(steps, curve["step"], curve[column]) for curve in curves], axis=0)
        for column in (NORM, SCALE)
    )
    return Trajectory(tuple(steps.tolist()), tuple(norm.tolist()), tuple(scale.tolist()))


def read_for(config: Config) -> Trajectory:
    """Read the trajectory that a cell follows. Raises InputError if it is missing or altered."""
    name = config.intervention.trajectory
    return read(Path(config.outputs) / config.name, name)


def read(folder: Path, name: str | None) -> Trajectory:
    """Read the trajectory with this hash below `outputs/<name>`; raises as `read_for`."""
    path = trajectory_file(folder, str(name))
    if name is None or not path.exists():
        raise InputError(f"intervention.trajectory={name}: no such file {path}")
    return _read(path)


@lru_cache(maxsize=16)
def _read(file: Path) -> Trajectory:
    value = json.loads(file.read_text())
    trajectory = Trajectory(*(tuple(value[name]) for name in ("step", NORM, SCALE)))
    if trajectory.hash != file.stem:
        raise InputError(f"{file}: its content does not match the hash in its name; delete it")
    return trajectory


def trajectory_file(folder: Path, name: str) -> Path:
    """Path of the trajectory with this hash below `outputs/<name>`."""
    return folder / "trajectories" / f"{name}.json"
