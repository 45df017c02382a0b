"""Which cells train together, and what is on disk of it: `packs/<id>.json`, and beside it, while
the pack is unfinished, its checkpoint, and while it is trained, its claim."""

import hashlib
import json
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from grokpipe.cell import Cell
from grokpipe.store import checkpoint, files
from grokpipe.training.memory import pack_bytes, widest
from grokpipe.training.pack import split_state

WIDTH = {"cpu": 10, "cuda": 64}
"""cells of a pack where the user does not say; on a CPU many more outgrow its caches, and cost more
each (benchmarks/)"""


@dataclass(frozen=True)
class Place:
    """Where packs will train, as far as it is known when they are made."""

    device: str
    """cpu or cuda"""
    slots: int
    """packs that train at the same time"""
    threads: int
    """CPU threads of each"""
    free: int | None
    """bytes that one pack may take; None: not known"""


@dataclass(frozen=True)
class Plan:
    """A pack as it was fixed when it was first submitted; it always goes on as that."""

    file: Path
    keys: list[str]
    threads: int
    compiled: bool | None
    """None until it has first been trained, where `compile` is left to the machine"""
    configs: list[dict[str, Any]]
    """the resolved configuration of each cell, frozen"""
    command: str
    """what the user typed"""

    @property
    def id(self) -> str:
        return self.file.stem

    @property
    def checkpoint(self) -> Path:
        return self.file.with_suffix(".pt")

    @property
    def claim(self) -> Path:
        return self.file.with_suffix(".claim")

    @property
    def folder(self) -> Path:
        """Of the run logs and packs of one name."""
        return self.file.parent.parent

    @property
    def stamp(self) -> int:
        """Changes with each checkpoint; 0 before the first."""
        try:
            return self.checkpoint.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def write(self) -> None:
        value = {
            "keys": self.keys,
            "width": len(self.keys),
            "threads": self.threads,
            "compiled": self.compiled,
            "configs": self.configs,
            "command": self.command,
        }
        with files.replacing(self.file) as temporary:
            temporary.write_text(json.dumps(value) + "\n")


def new_plan(folder: Path, cells: Sequence[Cell], threads: int) -> Plan:
    """Writes and returns the plan of a pack that did not exist."""
    keys = [cell.key for cell in cells]
    file = folder / "packs" / f"{pack_id(keys)}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    command = shlex.join(["python", *sys.orig_argv[1:]])
    plan = Plan(file, keys, threads, None, [asdict(cell.config) for cell in cells], command)
    plan.write()
    return plan


def with_configs(plan: Plan, cells: Mapping[str, Cell]) -> Plan:
    """The plan with the configurations of those of its cells that are given, on disk too."""
    configs = [
        asdict(cells[key].config) if key in cells else config
        for key, config in zip(plan.keys, plan.configs, strict=True)
    ]
    if configs == plan.configs:
        return plan
    renewed = replace(plan, configs=configs)
    renewed.write()
    return renewed


def pack_id(keys: Sequence[str]) -> str:
    return hashlib.sha256(",".join(keys).encode()).hexdigest()[:16]


def read(file: Path) -> Plan | None:
    """The plan, or None if the pack is gone: it was split."""
    try:
        value = json.loads(file.read_text())
    except FileNotFoundError:
        return None
    # packs of the first versions have no configurations: they are of no use, and made anew
    configs, command = value.get("configs", []), value.get("command", "")
    return Plan(file, value["keys"], value["threads"], value["compiled"], configs, command)


def on_disk(folder: Path) -> Iterator[Plan]:
    """The packs that were ever fixed there."""
    for file in sorted((folder / "packs").glob("*.json")):
        if (plan := read(file)) is not None:
            yield plan


def groups(cells: Iterable[Cell]) -> list[list[Cell]]:
    """Cells that can be stacked, together, in the order of their first ones."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell.shared, []).append(cell)
    return list(found.values())


def parts(cells: list[Cell], width: int, place: Place) -> tuple[list[list[Cell]], str | None]:
    """A group cut into packs of nearly one width, at most `width`, and what a user must be told."""
    wanted = min(cells[0].config.pack.width or width, len(cells))
    told, width = None, wanted
    if (fits := _fitting(cells[0], width, place)) < width:
        while width > fits:
            width = (width + 1) // 2
        needs, free = pack_bytes(cells[0], wanted), place.free or 0
        told = (
            f"a pack of {wanted} needs {_gigabytes(needs)}, {_gigabytes(free)} are free for it: "
            f"packs of {width}"
        )
    count = -(-len(cells) // width)
    edges = [i * len(cells) // count for i in range(count + 1)]
    return [cells[a:b] for a, b in pairwise(edges)], told


def _fitting(cell: Cell, width: int, place: Place) -> int:
    """Cells like this one that fit there, as far as is known."""
    if place.free is None:
        return width
    try:
        return widest(cell, place.free)
    except Exception:  # training will meet it again, and there it is a cell's outcome
        return width


def split(whole: Plan) -> list[Plan]:
    """The halves of a pack, each with its share of the last checkpoint, in place of the whole."""
    middle = (len(whole.keys) + 1) // 2
    state = next(checkpoint.generations(whole.checkpoint), None)
    halves = []
    for cells in (range(middle), range(middle, len(whole.keys))):
        keys = [whole.keys[i] for i in cells]
        file = whole.file.with_stem(pack_id(keys))
        half = replace(whole, file=file, keys=keys, configs=[whole.configs[i] for i in cells])
        if state is not None:
            checkpoint.save(half.checkpoint, _share(state, list(cells)))
        half.write()
        halves.append(half)
    whole.file.unlink()  # before its checkpoint: a pack without one would begin anew
    checkpoint.delete(whole.checkpoint)
    return halves


def _share(state: dict[str, Any], cells: list[int]) -> dict[str, Any]:
    return {
        **state,
        "pack": split_state(state["pack"], cells),
        "going": [cells.index(i) for i in state["going"] if i in cells],
        "watches": [state["watches"][i] for i in cells],
    }


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
