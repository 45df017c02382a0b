"""Read the tables of a folder, and the events of their runs, as the options choose them."""

import argparse
import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from analysis.commands.common.arguments import where
from analysis.commands.common.screen import print_notes
from analysis.runs import gather as gathering
from analysis.runs.tables import Tables, measure_names
from grokpipe.curves import definitions
from grokpipe.curves.conditions import is_condition, split
from grokpipe.errors import InputError

ALL = "all"


def read(
    options: argparse.Namespace,
    measures: Iterable[str] | Callable[[Sequence[str]], Iterable[str] | None] | None = None,
    needed: Mapping[str, str] | None = None,
    asked: Collection[str] = (),
) -> Tables:
    """Read the tables that the options of `add_folder` choose: the runs that meet --where, each
    trajectory once (`gather.chosen`); of the curves all columns, or the needed ones and such of the
    `measures` as are there; a function chooses among those that are.

    `needed` has, for each measure that must be there, what is wrong if it is not: InputError says
    so, with the measures that are valid. Raises it too if no run has an evaluation. Of runs of one
    trajectory those are preferred that have the measures needed and `asked`.
    """
    folder = options.folder
    check_folder(folder)
    chosen = where(options)
    needed = needed or {}
    with gathering.gathered(folder) as stored:
        if callable(measures):
            measures = measures(measure_names(stored))
        wanted = None if measures is None else {*measures, *needed}
        every = gathering.read_stored(stored, folder, wanted)
        tables = gathering.chosen(every, chosen, {*needed, *asked})
        print_notes(tables.notes)
        if not len(tables.curves):
            raise no_evaluation(folder)
        valid = measure_names(stored)
    for name, wrong in needed.items():
        if name not in valid:
            near = difflib.get_close_matches(name, valid, 1)
            nearest = f"; nearest: {near[0]}" if near else ""
            raise InputError(f"{wrong}{nearest}; valid: {', '.join(valid)}")
    return tables


def required(*names: str) -> dict[str, str]:
    """Measures that must be there, for `read`."""
    return {name: f"{name}: the runs have no such measure" for name in names}


def check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")


def no_evaluation(folder: Path) -> InputError:
    return InputError(f"{folder}: no run has an evaluation yet")


def read_events(
    options: argparse.Namespace,
    given: str | None,
    measures: Collection[str] = (),
    needed: Mapping[str, str] | None = None,
) -> tuple[Tables, pd.DataFrame, list[str] | None]:
    """Read the tables that the options choose, with the columns that events are read from, and the
    times of all runs (`timescales.events`).

    `given` is the option --event; the third value has its events in their order, all that the runs
    have for "all", or is None without the option. Other columns are read as by `read`; where none
    are asked for, the tables keep only the first evaluation of each run. Raises InputError for what
    is no event or condition, a condition on a column that the runs do not have, and an event that
    no run has.
    """
    from analysis.times.timescales import MEASURES, events

    names = None if given is None else event_names(given)
    on_the_spot = [name for name in names or () if is_condition(name)]
    of_conditions = {
        column: f"--event {condition}: no run has a column {column}"
        for condition in on_the_spot
        for column in definitions.columns([condition])
    }
    named = [name for name in names or () if name != ALL]
    tables = read(
        options, {*MEASURES, *measures}, {**of_conditions, **(needed or {})},
        definitions.columns(named),
    )  # fmt: skip
    long = events(tables, on_the_spot)
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
        if definitions.needs_classes(name) and "classes" not in tables.cells:
            why = "the number of classes, and so chance, is not known"
        why = f": no run has a column {missing[0]}" if missing else f": {why}" if why else ""
        raise InputError(f"--event {name}: no run has it{why}; valid: {', '.join(valid)}")
    return valid if names == [ALL] else names
