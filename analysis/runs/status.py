"""How far everything is that was ever asked for in a folder: the state of each cell, who trains,
and how long it takes yet."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from tabulate import tabulate

from analysis.runs import results as finished
from analysis.runs import staleness
from grokpipe.errors import InputError
from grokpipe.store import files, lease, manifest

STATES = ("missing", "running", "interrupted", *manifest.ENDED)
SUBMISSION = ("key", "experiment", "asked")  # columns of what was asked that are no configuration
SHOWN = 10  # failed cells and running packs that the text names

Asked = dict[str, tuple[Any, ...]]
"""key → budget in steps, then a value for each column to group by"""


@dataclass(frozen=True)
class Failed:
    """A cell that raised."""

    key: str
    steps: int
    """that it had taken at its last evaluation"""
    reason: str


@dataclass(frozen=True)
class Running:
    """A pack that a living process trains; None where the process has not said it yet."""

    pack: str
    host: str
    step: int | None
    steps: int | None
    cells: int | None
    """that go on"""
    rate: float | None
    """seed-steps per second"""


@dataclass(frozen=True)
class Group:
    """The cells with the same values."""

    values: dict[str, Any]
    """by column; None too for what was not asked for"""
    states: dict[str, int]


@dataclass(frozen=True)
class Status:
    """Of all cells that were asked for or have a run log."""

    folder: str
    total: int
    states: dict[str, int]
    """cells in each of STATES"""
    not_asked: int
    """run logs among them that nobody asked for"""
    stale: int
    """finished cells that were trained by other scientific code than the present"""
    unknown_code: int
    """finished cells whose code is not recorded, or could not be checked"""
    rate: float
    """seed-steps per second, of all running packs"""
    seconds_left: float | None
    """at most, for a stop rule may end cells earlier; None if nothing runs"""
    failed: list[Failed]
    running: list[Running]
    by: list[Group]


def status(folder: Path, by: Sequence[str] = ()) -> Status:
    """The status of a folder of run logs, grouped by the configuration columns `by`. Raises
    InputError if there is nothing, or no such column."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    # in this order: what ends or is submitted meanwhile does not look as if it had been interrupted
    # or not asked for
    packs = _living_packs(folder)
    results, begun = finished.read(folder)
    asked = _read_asked(folder, by)

    states = dict.fromkeys(asked, "missing") | dict.fromkeys(begun, "interrupted")
    trained = {key: pack.step or 0 for keys, pack in packs for key in keys}
    states |= dict.fromkeys(states.keys() & trained.keys(), "running")
    states |= {key: result.state for key, result in results.items()}
    if not states:
        raise InputError(f"{folder}: nothing was asked for, and there is no run log")

    running = [pack for _, pack in packs]
    rate = sum((pack.rate or 0.0 for pack in running), 0.0)
    left = sum(
        max(0, (steps or 0) - trained.get(key, 0))
        for key, (steps, *_) in asked.items()
        if key not in results
    )
    stale, unknown_code = staleness.count(manifest.cells_folder(folder), results)
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
            Failed(key, results[key].steps, results[key].reason)
            for key in sorted(key for key, state in states.items() if state == "failed")
        ],
        running=running,
        by=_groups(states, asked, by) if by else [],
    )


def as_json(status: Status) -> str:
    return json.dumps(asdict(status), ensure_ascii=False, allow_nan=False)


def text(status: Status) -> str:
    """The same for people, in lines."""
    counts = ", ".join(f"{n:,} {state}" for state, n in status.states.items() if n)
    lines = [f"{status.folder}: {status.total:,} cells: {counts}"]
    if status.not_asked:
        lines.append(f"{status.not_asked:,} run logs that were not asked for")
    if status.stale:
        lines.append(
            f"{status.stale:,} of the finished cells were trained by other code (stale); they stay "
            "as they are unless force=true"
        )
    if status.unknown_code:
        lines.append(
            f"{status.unknown_code:,} of the finished cells: code not recorded or not checked"
        )
    if status.seconds_left is not None:
        left = timedelta(seconds=round(status.seconds_left))
        lines.append(f"{status.rate:,.0f} seed-steps/s, {left} left at most")
    for told, items in (
        ("running", [_pack_line(pack) for pack in status.running]),
        ("failed", [f"{cell.key}: {cell.reason}" for cell in status.failed]),
    ):
        lines += [f"{told}:", *(f"  {item}" for item in items[:SHOWN])] if items else []
        if (more := len(items) - SHOWN) > 0:
            lines.append(f"  and {more:,} more")
    if status.by:
        rows = [(*group.values.values(), *group.states.values()) for group in status.by]
        headers = [*status.by[0].values, *STATES]
        lines += ["", tabulate(rows, headers=headers, missingval="null")]
    return "\n".join(lines)


def _pack_line(pack: Running) -> str:
    line = f"pack {pack.pack[:8]} on {pack.host}: "
    if pack.step is None:
        return line + "begins"
    rate = f"{pack.rate or 0:,.0f} seed-steps/s"
    return line + f"{pack.step:,}/{pack.steps:,} of {pack.cells} cells, {rate}"


def _living_packs(folder: Path) -> list[tuple[list[str], Running]]:
    """The packs that a living process trains, with their keys."""
    found = []
    for path in sorted((folder / "packs").glob("*.claim")):
        claim = lease.read_live(path)
        if claim is None:
            continue
        try:
            keys = files.read_json(path.with_suffix(".json"))["keys"]
        except FileNotFoundError:
            continue  # a claim for planning, or of a pack that was just split
        said = claim.get("progress", {})
        told = {name: _plain(said.get(name)) for name in ("step", "steps", "cells", "rate")}
        found.append((keys, Running(path.stem, claim["host"], **told)))
    return found


def _read_asked(folder: Path, by: Sequence[str]) -> Asked:
    """Every cell that was ever asked for, as it was the last time. Raises InputError for a column
    that nobody asked with."""
    asked: Asked = {}
    names: dict[str, None] = {}
    for path in sorted((folder / "asked").glob("*.parquet")):
        try:
            with pq.ParquetFile(path) as file:
                there = file.schema_arrow.names
                wanted = [name for name in ("key", "steps", *by) if name in there]
                table = file.read(wanted, use_threads=False)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise InputError(f"{path}: cannot be read: {error}") from error
        names |= dict.fromkeys(there)
        values = [
            table[name].to_pylist() if name in there else [None] * len(table)
            for name in ("steps", *by)
        ]
        asked |= zip(table["key"].to_pylist(), zip(*values, strict=True), strict=True)
    valid = [name for name in names if name not in SUBMISSION]
    for column in by:
        if column not in valid:
            raise InputError(
                f"--by {column}: no such column; valid: {', '.join(valid) or 'none was asked for'}"
            )
    return asked


def _groups(states: dict[str, str], asked: Asked, by: Sequence[str]) -> list[Group]:
    """Counts by value and state, sorted by value."""
    nothing = (None,) * (1 + len(by))
    counted = Counter((asked.get(key, nothing)[1:], state) for key, state in states.items())
    groups: dict[tuple[Any, ...], Counter[str]] = {}
    for (values, state), n in counted.items():
        groups.setdefault(tuple(map(_plain, values)), Counter())[state] += n
    return [
        Group(dict(zip(by, values, strict=True)), _counts(groups[values]))
        for values in sorted(groups, key=lambda values: [*map(_order, values)])
    ]


def _order(value: Any) -> tuple[bool, bool, Any]:
    """Numbers, then words, then what is null."""
    return value is None, isinstance(value, str), 0 if value is None else value


def _counts(counts: Counter[str]) -> dict[str, int]:
    return {state: counts[state] for state in STATES}


def _plain(value: Any) -> Any:
    """What JSON has no number for is null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
