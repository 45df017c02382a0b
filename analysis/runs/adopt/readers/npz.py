"""NumPy archives: a curve per seed and evaluation.

step               (evaluations,)
test_accuracy, …   (seeds, evaluations), or (evaluations,) of a single run
seed, …            (seeds,): one value for each run
weight_decay, …    a single value for all runs
"""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.runs.adopt.guesses import step_among
from analysis.runs.adopt.logs import Log
from grokpipe.errors import InputError

ENDINGS = (".npz",)
ROW = "row"
"""the column that tells the runs apart where the archive has no seeds"""

Array = NDArray[Any]


def read(path: Path, run: str, step: str | None = None) -> list[Log]:
    """Read an archive, of which `step` is the array of steps (default: by its name).

    Raises InputError for arrays whose shapes do not match, and for pickled objects: they are never
    loaded, since that would run code from the file.
    """
    arrays = _arrays(path)
    shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
    step = step if step in arrays else step_among(arrays)
    if step is None:
        raise InputError(f"{path}: no array of steps (columns: {{step: …}}); there are: {shapes}")
    steps = arrays.pop(step)
    if steps.ndim != 1 or not len(steps):
        raise InputError(f"{path}: {step} has shape {steps.shape}; must be (evaluations,)")
    evaluations = len(steps)
    seeds = next((len(array) for array in arrays.values() if array.ndim == 2), 1)
    single = all(array.ndim < 2 for array in arrays.values())
    columns: dict[str, Array] = {step: np.tile(steps, seeds)}
    configuration = {}
    for name, array in arrays.items():
        if array.ndim == 0:
            configuration[name] = array.item()
        elif array.shape == (seeds, evaluations) or (single and array.shape == (evaluations,)):
            columns[name] = array.ravel()
        elif array.shape == (seeds,):
            columns[name] = np.repeat(array, evaluations)
        else:
            raise InputError(
                f"{path}: {name} has shape {array.shape}; must be (seeds, evaluations) = "
                f"({seeds}, {evaluations}), or (seeds,); there are: {shapes}"
            )
    rows = pd.DataFrame(columns)
    if seeds > 1 and all(array.shape != (seeds,) for array in arrays.values()):
        rows[ROW] = np.repeat(np.arange(seeds), evaluations)
    return [Log(path, run, rows, configuration)]


def _arrays(path: Path) -> dict[str, Array]:
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: not readable as a NumPy archive")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except ValueError as error:
        if "allow_pickle" in str(error) or "pickled" in str(error).lower():
            raise InputError(
                f"{path}: holds pickled objects, which are never loaded, as that would run code "
                "from the file; valid: arrays of numbers or words"
            ) from error
        raise InputError(f"{path}: not readable as a NumPy archive ({error})") from error
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise InputError(f"{path}: not readable as a NumPy archive ({error})") from error
