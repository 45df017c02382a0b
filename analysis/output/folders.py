"""Folders that tables and figures are written into."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grokpipe.errors import InputError


@contextmanager
def writing(folder: Path, option: str = "--to") -> Iterator[None]:
    """Make the folder, and write into it within the block.

    Raises InputError with one line that names the folder where that fails: without permission, on a
    full or read-only disk, or with a file in the way; and the `option` that names another.
    """
    with _named(folder, option):
        folder.mkdir(parents=True, exist_ok=True)
        yield


def check(folder: Path) -> None:
    """Raise InputError, as `writing` does, unless the folder takes files; asked before work that
    would be lost. Nothing is left behind."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    with _named(folder), tempfile.TemporaryFile(dir=there) as file:
        file.write(b"\0" * 4096)  # a full disk takes a name, but no content


@contextmanager
def _named(folder: Path, option: str = "--to") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        blocked = isinstance(error, FileExistsError | NotADirectoryError)
        why = "a file is in the way" if blocked else error.strerror or error
        remedy = f"name another folder by {option} FOLDER"
        raise InputError(f"{folder}: cannot be written to ({why}); {remedy}") from error
