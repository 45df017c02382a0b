"""Status of a folder: the state of every requested cell, the running packs and the time left."""

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tabulate import tabulate

from analysis.runs import results, staleness
from analysis.runs.parts import CELLS
from analysis.runs.selection import conditions
from analysis.runs.selection.conditions import Condition
from grokpipe.config.names import counted, pack_name
from grokpipe.errors import InputError
from grokpipe.store import manifest, running
from grokpipe.store.manifest import STATES

T = TypeVar("T")
OF_CELLS = ("key", "state")  # columns of conditions that are not of the configuration
SUBMISSION = ("key", "experiment", "asked")  # columns of the manifest besides the configuration
SHOWN = 10  # failed cells and running packs listed in the text

Asked = dict[str, tuple[Any, ...]]
"""key → budget in steps, then a value for each column to group by"""


@dataclass(frozen=True)
class Failed:
    """A cell that raised."""

    key: str
    steps: int
    """step of its last evaluation"""
    reason: str


@dataclass(frozen=True)
class Running:
    """A pack in training; fields are None until its process has reported them."""

    pack: str
    """its id, by which its files are found"""
    name: str
    """what it trains"""
    host: str
    step: int | None
    steps: int | None
    cells: int | None
    """number of active cells"""
    rate: float | None
    """seed-steps per second"""


@dataclass(frozen=True)
class Group:
    """Cells with equal values of the columns grouped by."""

    values: dict[str, Any]
    """value by column; None also for run logs that were not requested"""
    states: dict[str, int]
    """number of cells by state"""


@dataclass(frozen=True)
class Status:
    """Status of all cells that were requested or have a run log."""

    folder: str
    total: int
    states: dict[str, int]
    """number of cells in each of STATES"""
    not_asked: int
    """number of run logs that were not requested"""
    stale: int
    """number of finished cells that were trained by other scientific code than the present"""
    unknown_code: int
    """number of finished cells whose code is not recorded or could not be checked"""
    rate: float
    """seed-steps per second of all running packs"""
    seconds_left: float | None
    """upper bound of the time left, as a stop rule may end cells earlier; None if nothing runs"""
    failed: list[Failed]
    running: list[Running]
    by: list[Group]
    selected: str = ""
    """a line on the conditions that these cells meet, if there are any"""


def status(folder: Path, by: Sequence[str] = (), where: Sequence[Condition] = ()) -> Status:
    """Read the status of a folder of run logs, of the cells that meet the conditions, grouped by
    the configuration columns `by`.

    Raises InputError for a folder without cells, for an unknown column, and as
    `conditions.chosen`.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    # in this order, so that cells that end or are submitted meanwhile do not appear as interrupted
    # or not requested
    packs = _running_packs(folder)
    by_key, begun = results.read(folder)
    asked, names = _read_asked(folder, by, where)
    by = names[: len(by)]

    states = dict.fromkeys(asked, manifest.MISSING) | dict.fromkeys(begun, manifest.INTERRUPTED)
    trained = {key: pack.step or 0 for keys, pack in packs for key in keys}
    states |= dict.fromkeys(states.keys() & trained.keys(), manifest.RUNNING)
    states |= {key: result.state for key, result in by_key.items()}
    if not states and (folder / CELLS).exists():
        raise InputError(f"{folder}: gathered tables; status needs a folder of run logs")
    if not states:
        raise InputError(f"{folder}: no cell was requested, and there is no run log")
    selected = ""
    if where:
        chosen = _chosen(states, asked, names, where)
        text = ",".join(map(str, where))
        selected = f"--where {text}: {len(chosen):,} of {len(states):,} cells"
        states = {key: state for key, state in states.items() if key in chosen}
        asked = {key: values for key, values in asked.items() if key in chosen}
        by_key = {key: result for key, result in by_key.items() if key in chosen}
        packs = [(keys, pack) for keys, pack in packs if chosen.intersection(keys)]

    training = [pack for _, pack in packs]
    rate = sum((pack.rate or 0.0 for pack in training), 0.0)
    left = sum(
        max(0, (steps or 0) - trained.get(key, 0))
        for key, (steps, *_) in asked.items()
        if key not in by_key
    )
    stale, unknown_code = staleness.count(manifest.cells_folder(folder), by_key)
    return Status(
        folder=str(folder),
        total=len(states),
        states=_counts(Counter(states.values())),
        not_asked=len(states.keys() - asked.keys()),
        stale=stale,
        unknown_code=unknown_code,
        rate=rate,
        seconds_left=left / rate if rate else None,
        failed=[
            Failed(key, by_key[key].steps, by_key[key].reason)
            for key in sorted(key for key, state in states.items() if state == "failed")
        ],
        running=training,
        by=_groups(states, asked, by) if by else [],
        selected=selected,
    )


def as_json(status: Status) -> str:
    """Format the status as one line of JSON."""
    return json.dumps(asdict(status), ensure_ascii=False, allow_nan=False)


def text(status: Status) -> str:
    """Format the status as lines for people."""
    counts = manifest.told(status.states)
    lines = [f"{status.folder}: {counted(status.total, 'cell')}: {counts}"]
    if status.selected:
        lines.append(status.selected)
    if status.not_asked:
        was = "was" if status.not_asked == 1 else "were"
        lines.append(f"{counted(status.not_asked, 'run log')} that {was} not requested")
    if status.stale:
        lines.append(
            f"{status.stale:,} of the finished cells were trained by other code (stale); they are "
            "kept unless force=true"
        )
    if status.unknown_code:
        lines.append(
            f"{status.unknown_code:,} of the finished cells have unknown code: not recorded or not "
            "checked"
        )
    if status.seconds_left is not None:
        left = timedelta(seconds=round(status.seconds_left))
        lines.append(f"{status.rate:,.0f} seed-steps/s, {left} left at most")
    for title, items in (
        ("running", [_pack_line(pack) for pack in status.running]),
        ("failed", [f"{cell.key}: {cell.reason}" for cell in status.failed]),
    ):
        lines += [f"{title}:", *(f"  {item}" for item in items[:SHOWN])] if items else []
        if (more := len(items) - SHOWN) > 0:
            lines.append(f"  and {more:,} more")
    if status.by:
        rows = [(*group.values.values(), *group.states.values()) for group in status.by]
        headers = [*status.by[0].values, *STATES]
        lines += ["", tabulate(rows, headers=headers, missingval="null")]
    return "\n".join(lines)


def _pack_line(pack: Running) -> str:
    line = f"{pack.name} (pack {pack.pack[:8]}) on {pack.host}: "
    if pack.step is None:
        return line + "starting"
    rate = f"{pack.rate or 0:,.0f} seed-steps/s"
    return line + f"{pack.step:,}/{pack.steps:,} of {counted(pack.cells or 0, 'cell')}, {rate}"


def _running_packs(folder: Path) -> list[tuple[list[str], Running]]:
    """List the packs in training, each with the keys of its cells."""
    packs = []
    for pack in running.packs(folder):
        progress = pack.lease.get("progress", {})
        values = {name: _plain(progress.get(name)) for name in ("step", "steps", "cells", "rate")}
        configs, varied = pack.plan.get("configs"), pack.plan.get("varied", [])
        name = pack_name(configs, varied) if configs else counted(len(pack.keys), "cell")
        packs.append((pack.keys, Running(pack.id, name, pack.lease["host"], **values)))
    return packs


def _read_asked(
    folder: Path, by: Sequence[str], where: Sequence[Condition]
) -> tuple[Asked, list[str]]:
    """Read every requested cell, with the values of its last request, and the names of the columns
    to group by and of those of the conditions; a group stands for its choice.

    Raises InputError for a column that no request has.
    """
    paths = sorted((folder / "asked").glob("*.parquet"))
    present = {path: _reading(path, lambda file: file.schema_arrow.names) for path in paths}
    there = dict.fromkeys(name for names in present.values() for name in names)
    valid = [name for name in there if name not in SUBMISSION]
    said = {name: f"--by {name}" for name in by}
    said |= {one.column: f"--where {one}" for one in where if one.column not in OF_CELLS}
    names = [conditions.resolved(name, valid, text) for name, text in said.items()]
    asked: Asked = {}
    for path in paths:
        wanted = [name for name in {"key": 0, "steps": 0, **dict.fromkeys(names)}
                  if name in present[path]]  # fmt: skip
        table = _reading(path, partial(_columns, names=wanted))
        values = [
            table[name].to_pylist() if name in wanted else [None] * len(table)
            for name in ("steps", *names)
        ]
        asked |= zip(table["key"].to_pylist(), zip(*values, strict=True), strict=True)
    return asked, names


def _columns(file: pq.ParquetFile, names: Sequence[str]) -> pa.Table:
    return file.read(names, use_threads=False)


def _reading(path: Path, read: Callable[[pq.ParquetFile], T]) -> T:
    """What `read` reads of a file. Raises InputError where it is damaged."""
    try:
        with pq.ParquetFile(path) as file:
            return read(file)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def _chosen(
    states: dict[str, str], asked: Asked, names: Sequence[str], where: Sequence[Condition]
) -> set[str]:
    """Keys of the cells that meet the conditions; raises as `conditions.chosen`."""
    nothing = (None,) * (1 + len(names))
    columns = zip(*(asked.get(key, nothing)[1:] for key in states), strict=True)
    of_names = dict(zip(names, columns, strict=False))
    table = pd.DataFrame({**of_names, "key": [*states], "state": [*states.values()]})
    return {*conditions.chosen(table, where)["key"]}


def _groups(states: dict[str, str], asked: Asked, by: Sequence[str]) -> list[Group]:
    """Count cells by value and state, sorted by value."""
    last = 1 + len(by)
    nothing = (None,) * last
    counted = Counter((asked.get(key, nothing)[1:last], state) for key, state in states.items())
    groups: dict[tuple[Any, ...], Counter[str]] = {}
    for (values, state), n in counted.items():
        groups.setdefault(tuple(map(_plain, values)), Counter())[state] += n
    return [
        Group(dict(zip(by, values, strict=True)), _counts(groups[values]))
        for values in sorted(groups, key=lambda values: [*map(_order, values)])
    ]


def _order(value: Any) -> tuple[bool, bool, Any]:
    """Sort key: numbers, then words, then null."""
    return value is None, isinstance(value, str), 0 if value is None else value


def _counts(counts: Counter[str]) -> dict[str, int]:
    return {state: counts[state] for state in STATES}


def _plain(value: Any) -> Any:
    """Replace numbers that JSON lacks by null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
