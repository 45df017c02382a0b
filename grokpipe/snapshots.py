"""Snapshots: weights kept at a few steps of a run, so that further measures can be taken later.

    <run log>/snapshots/<step>.pt    parameters by name, float32

They are kept at evaluations: whatever is measured on them later (remeasure.py) then stands beside a
row that the run logged. The configuration is checked with `parse`, so that nothing here needs
PyTorch or the run log before weights are written or read.
"""

import pickle
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from grokpipe.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from grokpipe.cell import Cell

FOLDER = "snapshots"


def parse(text: str) -> int:
    """`log:30` → 30. Raises InputError for anything else, and below 2."""
    match = re.fullmatch(r"log:(\d+)", text, flags=re.ASCII)
    if match is None or int(match[1]) < 2:
        raise InputError(f"snapshots={text}: must be null or log:N, N ≥ 2")
    return int(match[1])


def snapshot_steps(count: int, schedule: Sequence[int]) -> list[int]:
    """Which steps of `schedule`, the evaluations' in ascending order from 0 on, are kept: `count`,
    or fewer where evaluations are too sparse.

    Step 0, the last one, and between the first positive one and the last as many as are left,
    evenly spaced in the logarithm, each moved to the nearest evaluation.
    """
    positive = [step for step in schedule if step > 0]
    spaced = np.geomspace(positive[-1], positive[0], count - 1)
    nearest = (min(positive, key=lambda step: abs(step - target)) for target in spaced)
    return sorted({0, *nearest})


def save(folder: Path, step: int, parameters: dict[str, "Tensor"]) -> None:
    """Writes the snapshot of a run log `folder` at `step`, in the place of one that is there."""
    import torch

    from grokpipe.runlog import replacing

    # clones: of a view the whole stack would be written
    copies = {
        name: p.detach().to("cpu", torch.float32).contiguous().clone()
        for name, p in parameters.items()
    }
    path = _file(folder, step)
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as temporary:
        torch.save(copies, temporary)


def steps(folder: Path) -> list[int]:
    """The steps of a run log that snapshots are there of, ascending."""
    stems = [path.stem for path in (folder / FOLDER).glob("*.pt")]
    return sorted(int(stem) for stem in stems if stem.isdecimal())


def load(folder: Path, step: int) -> dict[str, "Tensor"]:
    """Parameters by name, float32 on the CPU. Runs no code from the file.

    Raises InputError if the file is missing or damaged.
    """
    import torch

    path = _file(folder, step)
    try:
        parameters: dict[str, Tensor] = torch.load(path, weights_only=True, map_location="cpu")
    except FileNotFoundError as error:
        have = ", ".join(map(str, steps(folder))) or "none"
        raise InputError(f"{path}: no such snapshot; there are: {have}") from error
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise InputError(f"{path}: damaged; remove it to go on without this step") from error
    return parameters


def size(cell: "Cell", count: int) -> int:
    """Bytes of all snapshots of one cell whose run goes on to its budget."""
    from grokpipe.evaluate import evaluation_steps

    config = cell.config
    schedule = evaluation_steps(config.eval.schedule, config.eval.every, config.steps)
    return 4 * cell.parameters * len(snapshot_steps(count, schedule))


def _file(folder: Path, step: int) -> Path:
    return folder / FOLDER / f"{step}.pt"
