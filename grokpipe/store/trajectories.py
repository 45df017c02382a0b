"""What a finished baseline did over its steps, for interventions that hold runs to it.

A trajectory is the mean over the baseline's seeds, linear between evaluations; a seed that ended
earlier counts with its last value. It is kept as `outputs/<name>/trajectories/<hash>.json`, and the
hash of its content is part of the key of each cell that follows it: with other baseline runs, they
are other cells.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from grokpipe.config.schema import Config
from grokpipe.errors import InputError

NORM, SCALE = "weight_norm", "logits/scale"
COLUMNS = ("step", NORM, SCALE)


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
    path = trajectory_file(Path(config.outputs) / config.name, str(name))
    if name is None or not path.exists():
        raise InputError(f"intervention.trajectory={name}: no such file {path}")
    return _read(path)


@lru_cache(maxsize=16)
def _read(file: Path) -> Trajectory:
    value = json.loads(file.read_text())
    found = Trajectory(*(tuple(value[name]) for name in ("step", NORM, SCALE)))
    if found.hash != file.stem:
        raise InputError(f"{file}: its content is not what it is named by; remove it")
    return found


def trajectory_file(folder: Path, name: str) -> Path:
    return folder / "trajectories" / f"{name}.json"
