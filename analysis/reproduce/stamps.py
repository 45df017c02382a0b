"""Which stages have been done, and of what: a digest of their input, kept beside the run logs."""

import hashlib
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import analysis
import grokpipe
from analysis.reproduce.stages import Stage
from grokpipe.store import files, manifest, remeasured, run_log, snapshots

FILE = "reproduce.json"


def is_done(stage: Stage, folder: Path, paper: str) -> bool:
    """Whether the stage was done, of the same runs by the same code, and its files are there."""
    there = all(path.exists() for path in stage.made)
    return there and _read(folder).get(stage.name) == digest(stage, folder, paper)


def note(stage: Stage, folder: Path, paper: str) -> None:
    """Record that the stage has been done, of the runs as they are now."""
    stamps = _read(folder) | {stage.name: digest(stage, folder, paper)}
    files.write_json(folder / FILE, stamps)


def digest(stage: Stage, folder: Path, paper: str) -> str:
    """Hash of the command, the code, and the state of the run logs that it reads: those of its
    experiment, or all."""
    name = f"{paper}/{stage.experiment}" if stage.experiment else None
    asked = manifest.read_columns(folder, ("key", "experiment"))
    keys = sorted({key for key, of in asked if name is None or of == name})
    logs = [[key, *_state(manifest.cells_folder(folder) / key)] for key in keys]
    text = json.dumps([stage.command, _code(), logs])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _state(log: Path) -> Iterator[int]:
    """Times at which the files were written that stages read, 0 for one that is not there."""
    for name in (run_log.RESULT, run_log.LINES, remeasured.REMEASURED, snapshots.FOLDER):
        path = log / name
        yield path.stat().st_mtime_ns if path.exists() else 0


@lru_cache
def _code() -> str:
    """Hash of our Python and YAML files."""
    roots = [Path(folder) for package in (grokpipe, analysis) for folder in package.__path__]
    paths = (path for root in roots for end in ("py", "yaml") for path in root.rglob(f"*.{end}"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(paths))).hexdigest()


def _read(folder: Path) -> dict[str, str]:
    try:
        stamps: dict[str, str] = files.read_json(folder / FILE)
    except FileNotFoundError:
        return {}
    return stamps
