"""Snapshots: weights kept at a few steps of a run, so that further measures can be taken later.

    <run log>/snapshots/<step>.pt    parameters and buffers by name, in the precision of training

Snapshots are taken at evaluations, so that what is measured on them later (remeasure.py) has a
logged row beside it. PyTorch is imported only where weights are written or read.
"""

import pickle
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from grokpipe.errors import InputError
from grokpipe.store.files import replacing

if TYPE_CHECKING:
    from torch import Tensor


FOLDER = "snapshots"


def save(folder: Path, step: int, state: dict[str, "Tensor"]) -> None:
    """Write a network's parameters and buffers as the snapshot at `step` of the run log `folder`,
    replacing an earlier one."""
    import torch

    # clone: torch.save would write the whole stack behind a view
    copies = {name: p.detach().to("cpu").contiguous().clone() for name, p in state.items()}
    path = _file(folder, step)
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as temporary:
        torch.save(copies, temporary)


def copy(source: Path, folder: Path, step: int) -> None:
    """Copy the snapshot at `step` of the run log `source` to the run log `folder`."""
    path = _file(folder, step)
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as temporary:
        shutil.copyfile(_file(source, step), temporary)


def steps(folder: Path) -> list[int]:
    """Steps at which the run log `folder` has snapshots, ascending."""
    stems = [path.stem for path in (folder / FOLDER).glob("*.pt")]
    return sorted(int(stem) for stem in stems if stem.isdecimal())


def load(folder: Path, step: int) -> dict[str, "Tensor"]:
    """Load parameters and buffers by name, on the CPU. Runs no code from the file.

    Raises InputError if the file is missing or damaged.
    """
    import torch

    path = _file(folder, step)
    try:
        state: dict[str, Tensor] = torch.load(path, weights_only=True, map_location="cpu")
    except FileNotFoundError as error:
        valid = ", ".join(map(str, steps(folder))) or "none"
        raise InputError(f"{path}: no such snapshot; valid: {valid}") from error
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise InputError(f"{path}: damaged; delete it to continue without this step") from error
    return state


def _file(folder: Path, step: int) -> Path:
    return folder / FOLDER / f"{step}.pt"
