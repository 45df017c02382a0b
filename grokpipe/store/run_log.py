"""The run log: a cell's folder on disk.

A crash at any moment loses no evaluation that a checkpoint counts on. Needs no PyTorch, so that
analysis reads run logs without it.

    config.yaml       the resolved configuration
    curves.jsonl      one line per evaluation, appended, while the cell is unfinished
    curves.parquet    the same as a table, once it is finished
    provenance.json   commit, versions, device, threads, pack, wall time, data
    final.pt          parameters, buffers, optimiser state and generators after the last step
    traceback.txt     the exception of a failed cell
    snapshots/        networks at a few evaluations, if requested
    remeasured.parquet  further measures on the snapshots (remeasure.py)
    result.json       state, steps, reason, code; written last: it marks the cell as finished
"""

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from omegaconf import OmegaConf
from pyarrow import parquet

from grokpipe.config.fields import flatten
from grokpipe.config.schema import operational_names
from grokpipe.store import snapshots
from grokpipe.store.event_files import EventFile
from grokpipe.store.files import read_json, remove_leftovers, replacing, write_json, write_text

CONFIG, LINES, CURVES = "config.yaml", "curves.jsonl", "curves.parquet"
PROVENANCE, FINAL, RESULT = "provenance.json", "final.pt", "result.json"
TRACEBACK = "traceback.txt"


class RunLog:
    """Writes a run log; one process at a time."""

    def __init__(self, folder: Path, events: EventFile | None = None):
        """`events` takes the rows too, as they are logged."""
        self.folder, self.events = folder, events

    def start(self, config: dict[str, Any], provenance: dict[str, Any]) -> None:
        """Create the folder; a resumed cell keeps its first provenance and appends this one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.folder)
        remove_leftovers(self.folder / snapshots.FOLDER)
        forget_result(self.folder)
        write_text(self.folder / CONFIG, OmegaConf.to_yaml(OmegaConf.create(config)))
        path = self.folder / PROVENANCE
        if path.exists():
            before = read_json(path)
            provenance = {**before, "resumed": [*before.get("resumed", []), provenance]}
        write_json(path, provenance)

    def append(self, row: dict[str, float]) -> None:
        """Append one evaluation, not yet synced to disk."""
        with open(self.folder / LINES, "a") as file:
            file.write(json.dumps(row) + "\n")
        if self.events is not None:
            self.events.append(row)

    def begin_with(self, rows: Sequence[dict[str, float]]) -> None:
        """Replace the unfinished curve by `rows`, those of a shorter run."""
        write_text(self.folder / LINES, "".join(json.dumps(row) + "\n" for row in rows))
        if self.events is not None:
            self.events.rewrite(rows)

    def keep(self, rows: int) -> bool:
        """Truncate the unfinished curve to its first `rows` rows; False if it has fewer."""
        kept = read_lines(self.folder)[:rows]
        self.begin_with(kept)
        return len(kept) == rows

    def sync(self) -> None:
        """Sync the appended rows to disk; call before writing a checkpoint that counts on them."""
        with open(self.folder / LINES, "ab") as file:
            os.fsync(file.fileno())

    def finish(self, state: str, steps: int, reason: str, seconds: float) -> None:
        """Write curves as Parquet and wall time to provenance, then the result."""
        rows = read_lines(self.folder)
        if rows:
            with replacing(self.folder / CURVES) as temporary:
                _table(rows).to_parquet(temporary, index=False)
        provenance = read_json(self.folder / PROVENANCE)
        write_json(self.folder / PROVENANCE, {**provenance, "wall_seconds": round(seconds, 1)})
        self._end(state, steps, reason)
        (self.folder / LINES).unlink(missing_ok=True)

    def fail(self, reason: str, trace: str) -> None:
        """Write the result of a cell that raised, even before its log was begun; the rows logged so
        far stay as they are."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_text(self.folder / TRACEBACK, trace)
        rows = read_lines(self.folder)
        steps = int(rows[-1]["step"]) if rows else 0
        self._end("failed", steps, reason)

    def _end(self, state: str, steps: int, reason: str) -> None:
        """Write result.json; `code` repeats the fingerprints of provenance.json, so that status
        need not read that file."""
        path = self.folder / PROVENANCE
        provenance = read_json(path) if path.exists() else {}
        sessions = [provenance, *provenance.get("resumed", [])]
        code = " ".join(dict.fromkeys(session.get("code", "unknown") for session in sessions))
        result = {"state": state, "steps": steps, "reason": reason, "code": code}
        write_json(self.folder / RESULT, result)


def forget_result(folder: Path) -> None:
    """Delete the result of a failed attempt: the cell counts as unfinished again."""
    for name in (RESULT, TRACEBACK):
        (folder / name).unlink(missing_ok=True)


def is_run_log(folder: Path) -> bool:
    """Return whether a run has begun in `folder`; `start` writes provenance last."""
    return (folder / CONFIG).is_file() and (folder / PROVENANCE).is_file()


def state(folder: Path) -> str:
    """State of a cell as its run log has it: missing, interrupted, done, diverged or failed.

    Whether a process trains it is in the leases (running.py).
    """
    result = read_result(folder)
    if result is not None:
        return str(result["state"])
    return "interrupted" if is_run_log(folder) else "missing"


def read_result(folder: Path) -> dict[str, Any] | None:
    """Read `state`, `steps` and `reason` of a finished cell; None if it is not finished."""
    try:
        return read_json(folder / RESULT)
    except FileNotFoundError:
        return None


def read_config(folder: Path) -> dict[str, Any]:
    """Read the resolved configuration, nested."""
    config = OmegaConf.to_container(OmegaConf.load(folder / CONFIG))
    assert isinstance(config, dict)
    return {str(name): value for name, value in config.items()}


def read_scientific(folder: Path) -> dict[str, Any]:
    """Read the scientific configuration, by dotted name."""
    operational = operational_names()
    flat = flatten(read_config(folder))
    return {name: value for name, value in flat.items() if name not in operational}


def read_curves(folder: Path) -> pd.DataFrame:
    """Read the curves: one row per evaluation so far, `step` first."""
    if (folder / CURVES).exists() and read_result(folder) is not None:
        # by one thread: pandas opens the file itself, and threads that read a file of Python's can
        # outlive the interpreter, which then hangs or aborts (apache/arrow 34314, 50482)
        return pd.read_parquet(folder / CURVES, use_threads=False)
    return _table(read_lines(folder))


def read_columns(folder: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Read the given columns of the curves, those missing left out; faster than `read_curves`.

    A column that a resumed run came to log is NaN before.
    """
    if (folder / CURVES).exists() and (folder / RESULT).exists():
        with parquet.ParquetFile(folder / CURVES) as file:
            present = [name for name in names if name in file.schema_arrow.names]
            table = file.read(columns=present, use_threads=False)
        return {name: table[name].to_numpy() for name in present}
    rows = read_lines(folder)
    return {
        name: np.array([row.get(name, math.nan) for row in rows])
        for name in names
        if rows and (name in rows[0] or name in rows[-1])
    }


def read_lines(folder: Path) -> list[dict[str, float]]:
    """Read the rows of an unfinished curve up to the first line damaged by a crash."""
    rows = []
    path = folder / LINES
    text = path.read_bytes() if path.is_file() else b""
    for line in text.split(b"\n")[:-1]:  # the part after the last line end is incomplete
        try:
            row = json.loads(line)
        except ValueError:
            break
        if not isinstance(row, dict) or "step" not in row:
            break
        rows.append(row)
    return rows


def _table(rows: list[dict[str, float]]) -> pd.DataFrame:
    """Make a table of rows; where a run came to log a further column, as one that goes on under
    newer code, NaN before."""
    names = dict.fromkeys([*rows[-1], *rows[0]]) if rows else ["step"]
    table = pd.DataFrame(rows, columns=[*names])
    return table.astype({name: "int64" if name == "step" else "float64" for name in table})
