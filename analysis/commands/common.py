"""What the commands share: the folder that they read, the columns to group by, the notes."""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from analysis.runs import gather as gathering
from analysis.runs.tables import Tables, measure_names, varied_columns
from grokpipe.errors import InputError

T = TypeVar("T")
SEED = 0  # of the resampling: the same runs give the same numbers


def add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        type=Path,
        help="a folder of run logs (outputs/default) or of gathered tables "
        "(outputs/reference/collapse/weight_decay)",
    )


def read(folder: Path, measures: Iterable[str] | None = None, needed: Iterable[str] = ()) -> Tables:
    """The tables of a folder, of the curves all columns or these measures as far as they are there,
    and the needed ones. Raises InputError if no run has an evaluation, or for a needed measure that
    none has."""
    check_folder(folder)
    wanted = None if measures is None else {*measures, *needed}
    tables = gathering.read(folder, wanted)
    if not len(tables.curves):
        raise no_evaluation(folder)
    for name in needed:
        if name not in tables.curves:
            valid = ", ".join(measure_names(folder))
            raise InputError(f"{name}: the runs have no such measure; valid: {valid}")
    return tables


def check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")


def no_evaluation(folder: Path) -> InputError:
    return InputError(f"{folder}: no run has an evaluation yet")


def columns(given: str | None, tables: Tables) -> list[str]:
    """The columns to group by: those given, or what was swept, or weight_decay."""
    if given is None:
        return varied_columns(tables) or ["weight_decay"]
    return [column(name, tables) for name in dict.fromkeys(given.split(","))]


def column(given: str, tables: Tables, option: str = "--by") -> str:
    """A configuration column; a group stands for its choice (`intervention`: intervention.name)."""
    for name in (given, f"{given}.name"):
        if name in tables.configuration:
            return name
    valid = ", ".join(tables.configuration)
    raise InputError(f"{option} {given}: no such column; valid: {valid}")


def pooled(tables: Tables, by: list[str], option: str = "--by") -> list[str]:
    """A line for each swept column that the groups mix."""
    return [
        f"note: {column} differs within the groups; add it with {option} {','.join([*by, column])}"
        for column in varied_columns(tables)
        if column not in by
        and tables.cells.groupby(by, dropna=False)[column].nunique(dropna=False).max() > 1
    ]


def unfinished(tables: Tables) -> list[str]:
    states = tables.cells["state"].value_counts()
    other = ", ".join(f"{n} {state}" for state, n in states.items() if state != "done")
    return [f"note: {other}: events not seen are censored at the last step"] if other else []


def track(title: str) -> Callable[[Sequence[T]], Iterable[T]]:
    """A progress bar over what takes long, on a terminal."""

    def tracked(tasks: Sequence[T]) -> Iterable[T]:
        from rich.console import Console
        from rich.progress import track as of_rich

        console = Console(stderr=True)
        return of_rich(
            tasks, title, console=console, transient=True, disable=not console.is_terminal
        )

    return tracked


def generator() -> np.random.Generator:
    return np.random.default_rng(SEED)


def print_notes(notes: Iterable[str]) -> None:
    for note in notes:
        print(note, file=sys.stderr)


def events(given: str, long: pd.DataFrame) -> list[str]:
    """The names of events, in the order given. Raises InputError for one that no run has."""
    from analysis.times.timescales import UNDEFINED

    valid = list(long["event"].unique())
    names = list(dict.fromkeys(given.split(",")))
    for name in names:
        if name not in valid:
            why = f": {UNDEFINED[name]}" if name in UNDEFINED else ""
            raise InputError(f"--event {name}: no run has it{why}; valid: {', '.join(valid)}")
    return names
