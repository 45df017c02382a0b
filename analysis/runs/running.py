"""Packs in training, known by their leases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from grokpipe.store import files, lease


class Pack(NamedTuple):
    """A pack that a living process trains."""

    name: str
    keys: list[str]
    """of its cells"""
    lease: dict[str, Any]
    """what its process last reported"""


def packs(folder: Path) -> Iterator[Pack]:
    """Yield the packs in training in a folder of run logs."""
    for path in sorted((folder / "packs").glob("*.claim")):
        held = lease.read_live(path)
        if held is None:
            continue
        try:
            keys = files.read_json(path.with_suffix(".json"))["keys"]
        except FileNotFoundError:
            continue  # a lease for planning, or of a pack that was just split
        yield Pack(path.stem, keys, held)


def keys(folder: Path) -> set[str]:
    """Return the keys of all cells of these packs; some of them may have ended."""
    return {key for pack in packs(folder) for key in pack.keys}
