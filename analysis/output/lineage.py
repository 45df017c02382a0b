"""Lineage of figures and tables: the runs, command and code behind each, in `<name>.why.json`."""

import json
import subprocess
import textwrap
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.runs.parts import ADOPTED
from analysis.runs.rows import single_values
from analysis.runs.tables import Tables
from grokpipe.config.invocation import called, command_line
from grokpipe.errors import InputError
from grokpipe.store import files, manifest

ENDING = ".why.json"
ENDINGS = (ENDING, ".csv", ".md", ".tex", ".pdf", ".png")
ROOT = Path(__file__).resolve().parents[2]
CODE = ("analysis", "grokpipe")  # the code that, with the runs, determines a figure
WIDTH = 100
MANY = 8  # values listed in full


def write(shown: Tables, folder: Path, name: str) -> None:
    """Write `<folder>/<name>.why.json`: the command and the `content`.

    Equal runs, command and code give equal bytes.
    """
    files.write_json(folder / f"{name}{ENDING}", {"command": command_line(), **content(shown)})


def content(shown: Tables) -> dict[str, Any]:
    """Record the code, and the runs of `shown` that have an evaluation, with their provenance."""
    cells = shown.cells[shown.cells["key"].isin(shown.curves["key"].unique())]
    values = {column: _values(cells[column]) for column in shown.configuration}
    return {
        "analysis": commit(),
        "folder": str(shown.folder),
        "cells": dict(zip(cells["key"], cells["state"], strict=True)),
        "states": _counts(cells["state"]),  # a cell may have been trained on two machines
        "varied": {column: several for column, several in values.items() if len(several) > 1},
        "constant": {column: only[0] for column, only in values.items() if len(only) == 1},
        "commits": _counts(cells["commit"]),
        "dirty": int(cells["dirty"].eq(True).sum()),
        "torch": _counts(cells["torch"]),
        "processor": _counts(cells["processor"]),
        "code": _counts(cells["code"]),
    }


def find(path: Path) -> Path:
    """Find the lineage file of a figure or table, given one of its files or their common stem.

    Raises InputError if there is no such figure or table, or it has no lineage file.
    """
    ending = next((ending for ending in ENDINGS if path.name.endswith(ending)), "")
    stem = path.name.removesuffix(ending)
    if not any(path.with_name(stem + end).is_file() for end in ([ending] if ending else ENDINGS)):
        raise InputError(f"{path}: no such figure or table")
    side = path.with_name(stem + ENDING)
    if not side.is_file():
        raise InputError(f"{path}: no {side.name} beside it; remake it by {called('analysis')}")
    return side


def text(side: Path) -> str:
    """Format a lineage file for people: counts, what varied, what did not, then the run logs.

    Raises InputError for a damaged file.
    """
    try:
        stored = json.loads(side.read_text())
        code, cells = stored["analysis"], stored["cells"]
        lines = [
            ("made by", stored["command"]),
            ("analysis", (code["commit"] or "not of a clone") + ", changed" * bool(code["dirty"])),
            *facts(stored),
        ]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{side}: damaged; make the figure or table again") from error
    shown = [
        textwrap.fill(
            value, WIDTH, initial_indent=f"{name:<10}", subsequent_indent=" " * 10,
            break_long_words=False, break_on_hyphens=False,
        )
        for name, value in lines
    ]  # fmt: skip
    logs = manifest.cells_folder(Path(stored["folder"]))
    adopted = Path(stored["folder"]) / ADOPTED
    if adopted.is_file():
        sources = ", ".join(json.loads(adopted.read_text())["sources"])
        return "\n".join([*shown, f"runs      adopted from {sources}", *cells])
    where = "" if logs.is_dir() else "  (not here: these tables were gathered elsewhere)"
    return "\n".join([*shown, f"run logs{where}", *(str(logs / key) for key in cells)])


def facts(stored: dict[str, Any]) -> list[tuple[str, str]]:
    """List what a `content` records of the runs, as names with texts."""
    of_cells = Counter(stored["cells"].values())  # lineage files of older versions have no states
    states = ", ".join(f"{n} {state}" for state, n in stored.get("states", of_cells).items())
    return [
        ("runs", f"{states or 'none'}; from {stored['folder']}"),
        *(("varied", f"{name}: {_few(values)}") for name, values in once(stored["varied"])),
        ("constant", "  ".join(f"{name}={plain(v)}" for name, v in once(stored["constant"]))),
        *(("commit", f"{commit} ({n})") for commit, n in stored["commits"].items()),
        *([("changed", f"from its commit ({stored['dirty']})")] if stored["dirty"] else []),
        *(("torch", f"{version} ({n})") for version, n in stored["torch"].items()),
        *(("processor", f"{name} ({n})") for name, n in stored.get("processor", {}).items()),
        *(("code", f"{version} ({n})") for version, n in stored["code"].items()),
    ]


@lru_cache(maxsize=1)
def commit() -> dict[str, Any]:
    """Last commit that changed the analysis, and whether files differ from it; else None.

    Later commits to other files do not count, since a figure drawn again is the same.
    """

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() == ROOT:
            commit = git("log", "-1", "--format=%H", "--", *CODE)
            return {"commit": commit, "dirty": bool(git("status", "--porcelain", "--", *CODE))}
    except (OSError, subprocess.CalledProcessError):
        pass
    return {"commit": None, "dirty": None}


def _values(column: pd.Series) -> list[Any]:
    """Distinct values in order, None last."""
    different = column.drop_duplicates()
    return sorted(different.dropna().tolist()) + [None] * int(different.isna().any())


def _counts(column: pd.Series) -> dict[str, int]:
    """Count the cells that have each value; a cell may have several."""
    return dict(Counter(single_values(column)).most_common())


def once(values: dict[str, Any]) -> list[tuple[str, Any]]:
    """Drop `group.x` where it repeats the shared default `x`."""
    defaults = {name: value for name, value in values.items() if "." not in name}
    return [
        (name, value)
        for name, value in values.items()
        if name in defaults or defaults.get(name.rpartition(".")[2], ...) != value
    ]


def _few(values: list[Any]) -> str:
    """Format values in one line: consecutive integers as a range, the middle of many left out."""
    first, ends = values[0], (plain(values[0]), plain(values[-1]))
    in_a_row = isinstance(first, int) and values == [*range(first, first + len(values))]
    if in_a_row and len(values) > 2:
        return "–".join(ends)
    if len(values) > MANY:
        return f"{', '.join(map(plain, values[: MANY - 2]))}, …, {ends[1]} ({len(values)} values)"
    return ", ".join(map(plain, values))


def plain(value: Any) -> str:
    """Format a configuration value as people write it."""
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)
