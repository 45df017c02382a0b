"""Options and steps that several commands share: folder, events, columns to group by, notes."""

import argparse
import re
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from analysis.runs import gather as gathering
from analysis.runs.tables import Tables, measure_names, varied_columns
from grokpipe.curves import definitions
from grokpipe.curves.conditions import is_condition, split
from grokpipe.errors import InputError

T = TypeVar("T")
SEED = 0  # of the resampling: the same runs give the same numbers
ALL = "all"
EVENT_HELP = (
    "an event (t_grok), a condition in quotes ('test_accuracy>=0.9' or "
    "'sustained(test_accuracy>=0.99, 5)'), or several with commas"
)


def add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        type=Path,
        help="a folder of run logs (outputs/default) or of gathered tables "
        "(outputs/reference/collapse/weight_decay)",
    )


def read(folder: Path, measures: Iterable[str] | None = None, needed: Iterable[str] = ()) -> Tables:
    """Read the tables of a folder; of the curves all columns, or the needed ones and such of the
    `measures` as are there. Raises InputError if no run has an evaluation, and for a needed measure
    that none has."""
    check_folder(folder)
    wanted = None if measures is None else {*measures, *needed}
    tables = gathering.read(folder, wanted)
    print_notes(tables.notes)
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
    """The columns to group by: those given, else those that were swept, else weight_decay."""
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
    """A note for each swept column whose values the groups mix."""
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
    """A progress bar over slow tasks, shown on a terminal only."""

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


def read_events(
    folder: Path, given: str | None, measures: Collection[str] = (), needed: Collection[str] = ()
) -> tuple[Tables, pd.DataFrame, list[str] | None]:
    """Read the tables of a folder, with the columns that events are read from, and the times of all
    runs (`timescales.events`).

    `given` is the option --event; the third value has its events in their order, all that the runs
    have for "all", or is None without the option. Other columns are read as by `read`; where none
    are asked for, the tables keep only the first evaluation of each run. Raises InputError for what
    is no event or condition, a condition on a column that the runs do not have, and an event that
    no run has.
    """
    from analysis.times.timescales import MEASURES, events

    names = None if given is None else event_names(given)
    conditions = [name for name in names or () if is_condition(name)]
    wanted = {*MEASURES, *measures, *definitions.columns(conditions)}
    tables = read(folder, wanted, needed)
    for condition in conditions:
        (column,) = definitions.columns([condition])
        if column not in measure_names(folder):
            valid = ", ".join(measure_names(folder))
            raise InputError(f"--event {condition}: no run has a column {column}; valid: {valid}")
    long = events(tables, conditions)
    if not measures and not needed:  # what follows is of the events: millions of rows are let go
        tables = replace(tables, curves=tables.curves.drop_duplicates("key"))
    if names is not None:
        names = _that_runs_have(names, long, tables)
    return tables, long, names


def event_names(given: str) -> list[str]:
    """The events of a list with commas, conditions in their one spelling, each once. Raises
    InputError for what is neither an event nor a condition."""
    try:
        names = [name if name == ALL else definitions.canonical(name) for name in split(given)]
    except InputError as error:
        raise InputError(f"--event {error}") from error
    if ALL in names and len(set(names)) > 1:
        raise InputError(f"--event {given}: {ALL} stands alone")
    return list(dict.fromkeys(names))


def _that_runs_have(names: list[str], long: pd.DataFrame, tables: Tables) -> list[str]:
    valid = list(long["event"].unique())
    for name in names:
        if name in valid or name == ALL:
            continue
        missing = [c for c in definitions.columns([name]) if c not in tables.curves]
        why = definitions.definition_of(name).undefined
        why = f": no run has a column {missing[0]}" if missing else f": {why}" if why else ""
        raise InputError(f"--event {name}: no run has it{why}; valid: {', '.join(valid)}")
    return valid if names == [ALL] else names


def file_stem(event: str) -> str:
    """An event as part of a file's name: t_grok, tau_rnc1_0_1, test_accuracy_ge_0_9."""
    words = {">=": "_ge_", "<=": "_le_", ">": "_gt_", "<": "_lt_", ", ": "_"}
    for sign, word in words.items():
        event = event.replace(sign, word)
    return re.sub(r"\W", "_", event).rstrip("_")
