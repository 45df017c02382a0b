"""Find the files that are named on the command line, and read each by its format."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from analysis.runs.adopt.logs import Log
from analysis.runs.adopt.readers import csv, jsonl, npz, parquet, tensorboard
from analysis.runs.parts import ADOPTED, CELLS, CURVES
from grokpipe.errors import InputError
from grokpipe.store import manifest

ENDINGS = (*csv.ENDINGS, *parquet.ENDINGS, *jsonl.ENDINGS, *npz.ENDINGS)
FORMATS = f"{', '.join(ENDINGS)}, and TensorBoard's event files"


def find(given: Sequence[str]) -> list[Path]:
    """The files: those named, those that a pattern matches, and all of a folder and the folders
    below that have a known format. Raises InputError where there is none."""
    found: dict[Path, None] = {}
    for name in given:
        path = Path(name)
        matched = [path] if path.exists() else sorted(map(Path, glob.glob(name, recursive=True)))
        if not matched:
            raise InputError(f"{name}: no such folder or file")
        for one in matched:
            found |= dict.fromkeys(_below(one) if one.is_dir() else [one])
    return list(found)


def _below(folder: Path) -> list[Path]:
    if manifest.cells_folder(folder).is_dir():
        raise InputError(f"{folder}: has run logs, which every command reads as they are")
    if all((folder / name).exists() for name in (CURVES, CELLS)):
        raise InputError(f"{folder}: has gathered tables, which every command reads as they are")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and _known(path)]
    if not files:
        raise InputError(f"{folder}: no file of a known format; valid: {FORMATS}")
    return files


def _known(path: Path) -> bool:
    return path.name != ADOPTED and (_ending(path) is not None or tensorboard.is_event_file(path))


def _ending(path: Path) -> str | None:
    name = path.name.lower()
    return max((ending for ending in ENDINGS if name.endswith(ending)), key=len, default=None)


def read(paths: Sequence[Path], step: str | None = None) -> list[Log]:
    """Read the files; `step` is the name of the steps, where the user gave one.

    Raises InputError for a file of another format, and for what its reader refuses.
    """
    names = _names(paths)
    logs: list[Log] = []
    folders: dict[Path, list[Path]] = {}
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path}: no file")
        ending = _ending(path)
        if tensorboard.is_event_file(path):
            folders.setdefault(path.parent, []).append(path)
        elif ending in csv.ENDINGS:
            logs += csv.read(path, names[path])
        elif ending in parquet.ENDINGS:
            logs += parquet.read(path, names[path])
        elif ending in jsonl.ENDINGS:
            logs += jsonl.read(path, names[path])
        elif ending in npz.ENDINGS:
            logs += npz.read(path, names[path], step)
        else:
            raise InputError(f"{path}: unknown format; valid: {FORMATS}")
    runs = _names([folder.resolve() for folder in folders])
    for folder, files in folders.items():
        logs.append(tensorboard.read(folder, files, runs[folder.resolve()]))
    return logs


def _names(paths: Sequence[Path]) -> dict[Path, str]:
    """A name for each file: its path below the folder that all have in common, without ending
    unless two differ by that alone."""
    if not paths:
        return {}
    whole = [path.parent.resolve() / path.name for path in paths]
    folder = os.path.commonpath([path.parent for path in whole])
    names = [path.relative_to(folder).as_posix() for path in whole]
    short = [name.removesuffix(_ending(Path(name)) or "") for name in names]
    chosen = short if len(set(short)) == len(short) else names
    return dict(zip(paths, chosen, strict=True))
