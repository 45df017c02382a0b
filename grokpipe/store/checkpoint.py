"""Checkpoints: one file per pack, of which two generations are kept."""

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from grokpipe.store.files import replacing


def previous(path: Path) -> Path:
    """Path of the previous generation of the checkpoint `path`."""
    return path.with_name(path.name + ".previous")


def save(path: Path, state: dict[str, Any]) -> None:
    """Write `state` as the newest generation; the present one becomes the previous one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        torch.save(state, temporary)
        if path.exists():
            path.replace(previous(path))


def generations(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the readable generations, newest first. Runs no code from the files."""
    for generation in (path, previous(path)):
        try:
            yield torch.load(generation, weights_only=True, map_location="cpu")
        except FileNotFoundError:
            continue
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
            continue  # truncated or damaged: try the previous one


def delete(path: Path) -> None:
    """Delete both generations."""
    path.unlink(missing_ok=True)
    previous(path).unlink(missing_ok=True)
