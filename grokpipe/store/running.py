"""Packs in training, known by their leases. Needs no PyTorch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from grokpipe.store import files, lease


class Pack(NamedTuple):
    """A pack that a living process trains."""

    id: str
    plan: dict[str, Any]
    """its file: `keys` and `configs` of its cells, `varied`"""
    lease: dict[str, Any]
    """what its process last reported"""

    @property
    def keys(self) -> list[str]:
        """Keys of its cells; some of them may have ended."""
        keys: list[str] = self.plan["keys"]
        return keys


def packs(folder: Path) -> Iterator[Pack]:
    """Yield the packs in training in a folder of run logs."""
    for path in sorted((folder / "packs").glob("*.claim")):
        held = lease.read_live(path)
        if held is None:
            continue
        try:
            plan = files.read_json(path.with_suffix(".json"))
        except FileNotFoundError:
            continue  # a lease for planning, or of a pack that was just split
        yield Pack(path.stem, plan, held)


def keys(folder: Path) -> set[str]:
    """Return the keys of all cells of these packs; some of them may have ended."""
    return {key for pack in packs(folder) for key in pack.keys}
