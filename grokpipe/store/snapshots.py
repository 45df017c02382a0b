"""Snapshots: weights kept at a few steps of a run, so that further measures can be taken later.

    <run log>/snapshots/<step>.pt    parameters by name, float32

They are kept at evaluations: whatever is measured on them later (remeasure.py) then stands beside a
row that the run logged. PyTorch is imported only
where weights are written or read.
"""

import pickle
from pathlib import Path
from typing import TYPE_CHECKING

from grokpipe.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


FOLDER = "snapshots"


def save(folder: Path, step: int, parameters: dict[str, "Tensor"]) -> None:
    """Writes the snapshot of a run log `folder` at `step`, in the place of one that is there."""
    import torch

    from grokpipe.store.files import replacing

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


def _file(folder: Path, step: int) -> Path:
    return folder / FOLDER / f"{step}.pt"
