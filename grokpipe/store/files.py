"""Atomic writes: a file appears whole or not at all."""

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LITERAL = "jobs/%j"
"""folder that submitit's local controller makes, by that very name, beside those of its jobs"""
DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path that replaces `path`, synced to disk, when the block succeeds."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def folders(*paths: Path) -> Iterator[None]:
    """Make these folders, and in the end delete those of them that are empty and were not there
    before, as after a command that was refused; so also the folders above them."""
    above = {folder for path in paths for folder in (path, *path.parents)}
    absent = {folder for folder in above if not folder.exists()}
    try:
        for path in paths:
            path.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for folder in sorted(absent, key=lambda folder: -len(folder.parts)):
            remove_if_empty(folder)


def remove_if_empty(folder: Path) -> None:
    """Delete a folder, if it is there and empty."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text)


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` as indented JSON, atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def remove_leftovers(folder: Path, name: str = "") -> None:
    """Delete temporary files left by killed processes, of all files or only of those named
    `name…`."""
    for path in folder.glob(f".{name}*.tmp"):
        path.unlink(missing_ok=True)


def is_disk_fault(error: BaseException) -> bool:
    """Return whether the disk is full or read-only, which is no fault of a cell."""
    return isinstance(error, OSError) and error.errno in DISK_FAULTS


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object."""
    value: dict[str, Any] = json.loads(path.read_text())
    return value
