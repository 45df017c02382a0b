"""One checkpoint file per pack, of which two generations are kept."""

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from grokpipe.store.files import replacing


def previous(path: Path) -> Path:
    return path.with_name(path.name + ".previous")


def save(path: Path, state: dict[str, Any]) -> None:
    """Writes `state` beside the present generation, which then becomes the previous one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        torch.save(state, temporary)
        if path.exists():
            path.replace(previous(path))


def generations(path: Path) -> Iterator[dict[str, Any]]:
    """The readable generations, newest first. Never runs code from the file."""
    for generation in (path, previous(path)):
        try:
            yield torch.load(generation, weights_only=True, map_location="cpu")
        except FileNotFoundError:
            continue
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
            continue  # truncated or damaged: the one before


def delete(path: Path) -> None:
    path.unlink(missing_ok=True)
    previous(path).unlink(missing_ok=True)
