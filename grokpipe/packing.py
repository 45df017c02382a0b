"""Which cells train together, and what is on disk of it: `packs/<id>.json`, and beside it, while
the pack is unfinished, its checkpoint."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from grokpipe import checkpoint, runlog
from grokpipe.cell import Cell
from grokpipe.errors import InputError
from grokpipe.memory import free_bytes, pack_bytes, widest
from grokpipe.pack import split_state

WIDTH = {"cpu": 10, "cuda": 64}
"""cells of a pack where the user does not say; on a CPU many more outgrow its caches, and cost more
each (benchmarks/)"""


@dataclass(frozen=True)
class Plan:
    """A pack as it was fixed when it was first submitted; it always goes on as that."""

    file: Path
    keys: list[str]
    threads: int
    compiled: bool

    @property
    def id(self) -> str:
        return self.file.stem

    @property
    def checkpoint(self) -> Path:
        return self.file.with_suffix(".pt")


def plan(folder: Path, keys: Sequence[str], **how: Any) -> Plan:
    """The plan of a pack of these cells: the one on disk if there is one, else a new one."""
    file = folder / "packs" / f"{pack_id(keys)}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    value = runlog.create_json(file, {"keys": list(keys), "width": len(keys), **how})
    return _read(file, value)


def pack_id(keys: Sequence[str]) -> str:
    return hashlib.sha256(",".join(keys).encode()).hexdigest()[:16]


def on_disk(folder: Path) -> list[Plan]:
    """The packs that were ever fixed there, wide ones last: halves come before their whole."""
    files = sorted((folder / "packs").glob("*.json"))
    plans = [_read(file, runlog.read_json(file)) for file in files]
    return sorted(plans, key=lambda plan: len(plan.keys))


def _read(file: Path, value: dict[str, Any]) -> Plan:
    return Plan(file, value["keys"], value["threads"], value["compiled"])


def groups(cells: Iterable[Cell]) -> list[list[Cell]]:
    """Cells that can be stacked, together, in the order of their first ones."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell.shared, []).append(cell)
    return list(found.values())


def parts(cells: list[Cell], device: torch.device) -> tuple[list[list[Cell]], str | None]:
    """A group cut into packs of nearly one width, and what a user must be told of it."""
    wanted = min(cells[0].config.pack.width or WIDTH[device.type], len(cells))
    told, width = None, wanted
    if (fits := widest(cells[0], device)) < width:
        while width > fits:
            width = (width + 1) // 2
        needs, free = pack_bytes(cells[0], wanted), free_bytes(device)
        told = (
            f"a pack of {wanted} needs {_gigabytes(needs)}, {_gigabytes(free)} are free: "
            f"packs of {width}"
        )
    count = -(-len(cells) // width)
    edges = [i * len(cells) // count for i in range(count + 1)]
    return [cells[a:b] for a, b in pairwise(edges)], told


def split(whole: Plan, folder: Path) -> list[Plan]:
    """The halves of a pack, each with its share of the last checkpoint, in place of the whole."""
    middle = (len(whole.keys) + 1) // 2
    state = next(checkpoint.generations(whole.checkpoint), None)
    halves = []
    for cells in (range(middle), range(middle, len(whole.keys))):
        half = plan(
            folder,
            [whole.keys[i] for i in cells],
            threads=whole.threads,
            compiled=whole.compiled,
        )
        if state is not None:
            checkpoint.save(half.checkpoint, _share(state, list(cells)))
        halves.append(half)
    checkpoint.delete(whole.checkpoint)
    whole.file.unlink()
    return halves


def _share(state: dict[str, Any], cells: list[int]) -> dict[str, Any]:
    return {
        **state,
        "pack": split_state(state["pack"], cells),
        "going": [cells.index(i) for i in state["going"] if i in cells],
        "watches": [state["watches"][i] for i in cells],
    }


def device(name: str) -> torch.device:
    """The device of a name, `auto` being CUDA where there is one. Raises InputError."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    valid = ["auto", "cpu"]
    if torch.cuda.is_available():
        valid += ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if name not in valid:
        raise InputError(f"device={name}: not on this machine; valid: {', '.join(valid)}")
    return torch.device(name)


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
