"""Options and steps that several commands share: folder, events, columns to group by, notes."""

import argparse
import difflib
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from analysis.output.names import file_stem as file_stem  # as other commands find it
from analysis.output.notes import merged
from analysis.runs import gather as gathering
from analysis.runs.selection import conditions, trajectories
from analysis.runs.tables import Tables, measure_names, varied_columns
from grokpipe.curves import definitions
from grokpipe.curves.conditions import is_condition, split
from grokpipe.errors import InputError

T = TypeVar("T")
SEED = 0  # of the resampling: the same runs give the same numbers
ALL = "all"
FORMATS = ("plain", "paper")
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
    add_where(parser)


def add_where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--where",
        metavar="CONDITIONS",
        help="only the runs that meet these conditions: 'lr=0.003,steps=8000,weight_decay<1'; also"
        " != <= >= >, other values with |, seed and state; task stands for task.name",
    )


def where(options: argparse.Namespace) -> tuple[conditions.Condition, ...]:
    """The conditions of --where, none without it."""
    return () if options.where is None else conditions.parse(options.where)


def add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--to",
        type=Path,
        metavar="FOLDER",
        help="the folder to write into; default: the folder that is read",
    )


def add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", choices=FORMATS, default=FORMATS[0],
        help="paper: a LaTeX and a Markdown table fit for print, with names in mathematics",
    )  # fmt: skip


def destination(options: argparse.Namespace) -> Path:
    """The folder to write into: --to, else the folder that is read."""
    to: Path = options.to or options.folder
    return to


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


def columns(given: str | None, tables: Tables) -> list[str]:
    """The columns to group by: those given, else those that were swept without those that follow
    from the choice of a group, else weight_decay, which is then one group. Raises InputError for
    columns that leave all runs in one group although others were swept."""
    swept = varied_columns(tables)
    if given is None:
        return [c for c in swept if not _follows(c, swept, tables)] or _unswept(tables)
    by = [column(name, tables) for name in dict.fromkeys(given.split(","))]
    if swept and tables.cells.groupby(by, dropna=False).ngroups == 1:
        value = ", ".join(str(tables.cells[name].iloc[0]) for name in by)
        raise InputError(f"--by {given}: all runs are {value}; swept: {', '.join(swept)}")
    return by


def _follows(column: str, swept: Collection[str], tables: Tables) -> bool:
    """Whether a column of a group follows from the group's choice, as arch.depth does where only
    arch=mlp has one."""
    choice = f"{column.partition('.')[0]}.name"
    if column == choice or choice not in swept:
        return False
    of_choice = tables.cells.groupby(choice, dropna=False)[column]
    return bool(of_choice.nunique(dropna=False).max() == 1)


def _unswept(tables: Tables) -> list[str]:
    """A column to name the one group of runs that differ by nothing but their seeds."""
    others = [name for name in tables.configuration if name != "seed"]
    return ["weight_decay"] if "weight_decay" in others else others[:1] or ["seed"]


def column(given: str, tables: Tables, option: str = "--by") -> str:
    """A configuration column; a group stands for its choice (`intervention`: intervention.name)."""
    return conditions.resolved(given, tables.configuration, f"{option} {given}")


def pooled(tables: Tables, by: list[str], option: str = "--by") -> list[str]:
    """A note if there are swept columns whose values the groups mix: where groups are described."""
    mixed = _mixed(tables, by)
    if not mixed:
        return []
    differ, them = ("differ", "them") if len(mixed) > 1 else ("differs", "it")
    added = f"add {them} with {option} {','.join([*by, *mixed])}"
    return [f"note: {', '.join(mixed)} {differ} within the groups; {added}"]


def refuse_pooled(
    tables: Tables, by: Sequence[str], option: str = "--by", within: str = ""
) -> None:
    """Raise InputError for groups that mix the values of a swept column: where groups are tested or
    fitted, as their runs would count as repetitions of one another. `within` is another way out."""
    mixed = _mixed(tables, by)
    if not mixed:
        return
    cells, name = tables.cells, mixed[0]
    values = conditions.listed(cells[name])
    one = conditions.written(cells[name].iloc[0])
    several = f" (and in {', '.join(mixed[1:])})" if mixed[1:] else ""
    raise InputError(
        f"{option} {','.join(by)}: a group mixes runs that differ in {name}: {values}{several}; "
        f"part them by {option} {','.join([*by, *mixed])}, or choose by --where '{name}={one}'"
        + (f", or compare {within} {','.join(mixed)}" if within else "")
    )


def _mixed(tables: Tables, by: Sequence[str]) -> list[str]:
    """The swept columns whose values groups by these columns mix."""
    cells = trajectories.with_neutral_values(tables.cells)
    groups = cells.groupby([*by], dropna=False)
    others = [name for name in varied_columns(tables) if name not in by]
    return [name for name in others if groups[name].nunique(dropna=False).max() > 1]


def unfinished(tables: Tables) -> list[str]:
    states = tables.cells["state"].value_counts()
    diverged = states.get("diverged", 0)
    other = ", ".join(f"{n} {s}" for s, n in states.items() if s not in ("done", "diverged"))
    notes = {
        f"note: {diverged} diverged: events not seen by then never come": diverged,
        f"note: {other}: events not seen are censored at the last step": other,
    }
    return [note for note, needed in notes.items() if needed]


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
    for note in merged(notes):
        print(note, file=sys.stderr)


def print_written(paths: Iterable[Path]) -> None:
    """A line for each table and figure, with the endings of its files."""
    endings: dict[Path, list[str]] = {}
    for path in paths:
        endings.setdefault(path.with_suffix(""), []).append(path.suffix.removeprefix("."))
    print("\nwritten:")
    for name, several in endings.items():
        print(f"  {name}." + (f"{{{','.join(several)}}}" if len(several) > 1 else several[0]))


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
