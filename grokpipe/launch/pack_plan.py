"""Plans of packs: which cells train together, stored as `packs/<id>.json`.

While a pack is unfinished its checkpoint stands beside the plan (`<id>.pt`); while a process trains
it, so does that process's lease (`<id>.claim`).
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from grokpipe.cell import Cell
from grokpipe.config import blame
from grokpipe.config.invocation import command_line
from grokpipe.config.names import pack_name
from grokpipe.errors import InputError
from grokpipe.store import checkpoint, files
from grokpipe.training.execution import LOCKSTEP, Execution
from grokpipe.training.memory import pack_bytes, widest
from grokpipe.training.pack import split_state

WIDTH = {"cpu": 10, "cuda": 64}
"""default number of cells in a pack, by device; on a CPU, wider packs save nothing (benchmarks/)"""


@dataclass(frozen=True)
class Place:
    """Resources for training packs, as far as they are known when packs are planned."""

    device: str
    """cpu or cuda"""
    slots: int
    """packs that train at the same time"""
    threads: int
    """CPU threads per pack"""
    free: int | None
    """bytes that one pack may take; None: unknown"""
    cores: int | None = None
    """cores for all packs, if they train on this machine; None: elsewhere"""


@dataclass(frozen=True)
class Plan:
    """A pack as fixed at its first submission; it always resumes as that pack."""

    file: Path
    keys: list[str]
    threads: int
    compiled: bool | None
    """whether the training step is compiled; None: not decided yet, before the first training, as
    order and products"""
    configs: list[dict[str, Any]]
    """the resolved configuration of each cell, frozen"""
    command: str
    """the command that submitted the pack"""
    parents: list[str] = field(default_factory=list)
    """key of the shorter run that each cell continues; empty if they begin at step 0"""
    order: str = LOCKSTEP
    """lockstep or turns"""
    products: dict[str, str] = field(default_factory=dict)
    """library of matrix products by their shape, where it is not the default"""
    varied: list[str] = field(default_factory=list)
    """keys, besides the seed, in which the cells that were submitted together differ"""

    @property
    def name(self) -> str:
        """What the pack trains: `mod_add · weight_decay 0.1, 1.0 · seeds 0–4`."""
        # packs of the first versions have no configurations
        return pack_name(self.configs, self.varied) if self.configs else self.id[:8]

    @property
    def label(self) -> str:
        """Its name with the first digits of its id, by which its files are found."""
        return f"{self.name} (pack {self.id[:8]})"

    @property
    def execution(self) -> Execution:
        """How its steps are computed, as far as that is decided."""
        return Execution(self.order, bool(self.compiled), self.products)

    @property
    def id(self) -> str:
        """Id of the pack: the stem of its files."""
        return self.file.stem

    @property
    def checkpoint(self) -> Path:
        """Path of the pack's checkpoint."""
        return self.file.with_suffix(".pt")

    @property
    def lease(self) -> Path:
        """Path of the lease of the process that trains the pack."""
        return self.file.with_suffix(".claim")

    @property
    def folder(self) -> Path:
        """Folder of the run logs and packs of one name, `outputs/<name>`."""
        return self.file.parent.parent

    @property
    def stamp(self) -> int:
        """Modification time of the checkpoint in ns; 0 before the first one."""
        try:
            return self.checkpoint.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def write(self) -> None:
        """Write the plan to its file."""
        value = {
            "keys": self.keys,
            "width": len(self.keys),
            "threads": self.threads,
            "compiled": self.compiled,
            "configs": self.configs,
            "command": self.command,
            "parents": self.parents,
            "order": self.order,
            "products": self.products,
            "varied": self.varied,
        }
        with files.replacing(self.file) as temporary:
            temporary.write_text(json.dumps(value) + "\n")


def new_plan(
    folder: Path,
    cells: Sequence[Cell],
    threads: int,
    parents: Sequence[str] = (),
    varied: Sequence[str] = (),
) -> Plan:
    """Write and return the plan of a new pack."""
    keys = [cell.key for cell in cells]
    file = folder / "packs" / f"{pack_id(keys)}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    configs = [asdict(cell.config) for cell in cells]
    command = command_line()
    plan = Plan(file, keys, threads, None, configs, command, [*parents], varied=[*varied])
    plan.write()
    return plan


def with_configs(plan: Plan, cells: Mapping[str, Cell]) -> Plan:
    """Replace the configurations of the given cells in the plan, on disk too."""
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
    """16 hexadecimal digits of SHA-256 over the keys of a pack's cells."""
    return hashlib.sha256(",".join(keys).encode()).hexdigest()[:16]


def read(file: Path) -> Plan | None:
    """Read a plan; None if the pack no longer exists because it was split."""
    try:
        value = json.loads(file.read_text())
    except FileNotFoundError:
        return None
    # packs of the first versions have no configurations: they cannot be used, and are planned anew
    return Plan(
        file,
        value["keys"],
        value["threads"],
        value["compiled"],
        value.get("configs", []),
        value.get("command", ""),
        value.get("parents", []),
        value.get("order", LOCKSTEP),
        value.get("products", {}),
        value.get("varied", []),
    )


def on_disk(folder: Path) -> Iterator[Plan]:
    """Every pack that was planned in `folder`, finished ones included."""
    for file in sorted((folder / "packs").glob("*.json")):
        if (plan := read(file)) is not None:
            yield plan


def groups(cells: Iterable[Cell]) -> list[list[Cell]]:
    """Group the cells that can be stacked, in the order of each group's first cell."""
    by_shared: dict[str, list[Cell]] = {}
    for cell in cells:
        by_shared.setdefault(cell.shared, []).append(cell)
    return list(by_shared.values())


def parts(cells: list[Cell], width: int, place: Place) -> tuple[list[list[Cell]], str | None]:
    """Cut a group into packs of nearly equal width, at most `width`.

    Returns the packs, and a note for the user if memory makes them narrower than wanted.
    """
    wanted = min(cells[0].config.pack.width or width, len(cells))
    note, width = None, wanted
    if (fits := _fitting(cells[0], width, place)) < width:
        while width > fits:
            width = (width + 1) // 2
        needs, free = pack_bytes(cells[0], wanted), place.free or 0
        note = (
            f"a pack of {wanted} needs {_gigabytes(needs)} but only {_gigabytes(free)} are free; "
            f"using packs of {width}"
        )
    return cut(cells, -(-len(cells) // width)), note


def cut(cells: list[Cell], count: int) -> list[list[Cell]]:
    """Cut cells into `count` packs, whose widths differ by one at most."""
    edges = [i * len(cells) // count for i in range(count + 1)]
    return [cells[a:b] for a, b in pairwise(edges)]


def _fitting(cell: Cell, width: int, place: Place) -> int:
    """Number of cells like this one that fit into memory there, at most `width`."""
    if place.free is None:
        return width
    try:
        return widest(cell, place.free)
    except InputError:
        raise
    except Exception as error:  # training would raise it again
        raise InputError(blame.refusal(error, cell.config)) from error


def split(whole: Plan) -> list[Plan]:
    """Replace a pack by its two halves, each with its share of the last checkpoint."""
    middle = (len(whole.keys) + 1) // 2
    state = next(checkpoint.generations(whole.checkpoint), None)
    halves = []
    for cells in (range(middle), range(middle, len(whole.keys))):
        keys = [whole.keys[i] for i in cells]
        file = whole.file.with_stem(pack_id(keys))
        half = replace(
            whole,
            file=file,
            keys=keys,
            configs=[whole.configs[i] for i in cells],
            parents=[whole.parents[i] for i in cells if whole.parents],
        )
        if state is not None:
            checkpoint.save(half.checkpoint, _share(state, list(cells)))
        half.write()
        halves.append(half)
    whole.file.unlink()  # before its checkpoint: a pack without one would start from step 0
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
