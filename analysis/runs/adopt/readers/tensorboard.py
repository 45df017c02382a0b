"""TensorBoard's event files: scalars, and the hyperparameters of the HPARAMS tab."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.runs.adopt.logs import Log
from analysis.runs.checks import coercion
from grokpipe.errors import InputError, missing_package
from grokpipe.store.event_files import HPARAMS, MARK

STEP = "step"

Points = dict[str, dict[int, float]]
"""tag → step → value"""


def read(folder: Path, paths: list[Path], run: str) -> Log:
    """Read the event files of one folder, which are one run. Where a later file has steps that an
    earlier one has too, a training was resumed, and the later file holds.

    Raises InputError without the package tensorboard, and for files without scalars.
    """
    points: Points = {}
    configuration: dict[str, Any] = {}
    others: set[str] = set()
    for path in sorted(paths):
        found: Points = {}
        for event in _events(path):
            for value in event.summary.value:
                if value.tag == HPARAMS:
                    configuration |= _hyperparameters(value)
                elif (number := _scalar(value)) is None:
                    others.add(value.tag)
                else:
                    found.setdefault(value.tag, {})[event.step] = number
        for tag, values in found.items():
            begins = min(values)
            before = {step: v for step, v in points.get(tag, {}).items() if step < begins}
            points[tag] = before | values
    if not points:
        there = f"; there are: {', '.join(sorted(others))}" if others else ""
        raise InputError(f"{folder}: no scalars in its event files{there}")
    steps = np.array(sorted({step for values in points.values() for step in values}))
    rows = pd.DataFrame({STEP: steps} | {tag: _column(v, steps) for tag, v in points.items()})
    return Log(folder, run, rows, configuration)


def is_event_file(path: Path) -> bool:
    return MARK in path.name


def _events(path: Path) -> Iterator[Any]:
    try:
        from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
    except ImportError as error:
        raise missing_package(str(path), "tensorboard") from error
    yield from LegacyEventFileLoader(str(path)).Load()


def _scalar(value: Any) -> float | None:
    """The number of a summary: PyTorch writes it as such, TensorFlow 2 as a tensor of no
    dimension."""
    if value.HasField("simple_value"):
        return float(value.simple_value)
    if value.HasField("tensor") and not value.tensor.tensor_shape.dim:
        from tensorboard.util import tensor_util

        array = tensor_util.make_ndarray(value.tensor)
        if array.ndim == 0 and np.issubdtype(array.dtype, np.number):
            return float(array)
    return None


def _hyperparameters(value: Any) -> dict[str, Any]:
    from tensorboard.plugins.hparams import plugin_data_pb2

    data = plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
    kinds = {"number_value", "string_value", "bool_value"}
    found = {
        name: getattr(item, kind)
        for name, item in sorted(data.session_start_info.hparams.items())
        if (kind := item.WhichOneof("kind")) in kinds
    }
    whole = {n: int(v) for n, v in found.items() if isinstance(v, float) and v.is_integer()}
    return found | whole  # all numbers are floats there


def _column(values: dict[int, float], steps: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The values at these steps, NaN where there is none. Event files hold float32: each becomes
    the shortest decimal that is the same float32, so that 0.99 is 0.99."""
    column = np.full(len(steps), np.nan)
    at = np.searchsorted(steps, np.fromiter(values, np.int64, len(values)))
    column[at] = coercion.shortest(np.fromiter(values.values(), np.float32, len(values)))
    return column
