"""`python -m analysis`: tables and figures from run logs or gathered tables."""

import argparse
import signal
import sys
from pathlib import Path

from analysis import gather as gathering
from analysis import status as statuses
from analysis import tables as table_files
from analysis import why as whys
from analysis.gather import Tables
from analysis.parts import CELLS, CURVES
from grokpipe.errors import InputError


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 2 with one line for wrong input."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m analysis", description=__doc__, allow_abbrev=False
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(function, help: str) -> argparse.ArgumentParser:  # type: ignore[no-untyped-def]
        sub = commands.add_parser(
            function.__name__, help=help, description=function.__doc__, allow_abbrev=False
        )
        sub.set_defaults(command=function)
        return sub

    def of_runs(function, help: str) -> argparse.ArgumentParser:  # type: ignore[no-untyped-def]
        sub = command(function, help)
        sub.add_argument(
            "folder",
            type=Path,
            help="a folder of run logs (outputs/default) or of gathered tables "
            "(outputs/reference/collapse/weight_decay)",
        )
        return sub

    sub = of_runs(gather, "run logs → curves.parquet and cells.parquet")
    sub.add_argument("--to", type=Path, help="also write both as single files into this folder")
    sub.add_argument("--experiment", help="only the cells that this experiment asked for")
    for function, text in (
        (timescales, "times to events: medians with intervals, by group"),
        (figures, "accuracies, RNC1 and NC2 over steps, by group"),
    ):
        sub = of_runs(function, text)
        sub.add_argument(
            "--by",
            help="a configuration column, or several with commas; default: whatever was swept",
        )
    sub = command(status, "how far the cells are that were asked for")
    sub.add_argument("folder", type=Path, help="a folder of run logs (outputs/default)")
    sub.add_argument("--by", help="a configuration column, or several with commas")
    sub.add_argument("--json", action="store_true", help="one line of JSON")
    sub = command(why, "the run logs, configuration and commits behind a figure or table")
    sub.add_argument("file", type=Path, help="any of its files, or their name without ending")
    sub.add_argument("--json", action="store_true", help="print the side file as it is")
    return parser


def gather(options: argparse.Namespace) -> None:
    """Gather run logs into two tidy tables. Only run logs that are new are read."""
    _check_folder(options.folder)
    if options.experiment and not options.to:
        raise InputError(f"--experiment {options.experiment}: needs --to, a folder for its tables")
    if options.to and options.to.resolve() == options.folder.resolve():
        raise InputError(f"--to {options.to}: is the folder itself; name another")
    if (options.folder / "cells").is_dir():
        print("\n".join(gathering.gather(options.folder)))
    if not gathering.size(options.folder, CURVES)[0]:
        raise _no_evaluation(options.folder)
    if options.to:
        tables = gathering.gathered(options.folder)
        if options.experiment:
            tables = gathering.of_experiment(tables, options.folder, options.experiment)
        gathering.write(tables, options.to)
    to = options.to or options.folder
    _print_notes(gathering.mixtures(gathering.gathered_cells(to)))
    for name in (CURVES, CELLS):
        rows, columns = gathering.size(to, name)
        print(f"{to / name}: {rows:,} rows, {columns} columns")


def timescales(options: argparse.Namespace) -> None:
    """Kaplan–Meier medians of every event with 95 % intervals, on the screen and as csv, md and tex
    in <folder>/tables/, beside the events of each run (events.csv). Runs that did not show an event
    count as censored, never as missing."""
    from analysis.timescales import COLUMNS, events, readable
    from analysis.timescales import timescales as medians

    tables = _read(options.folder)
    by = _by(options.by, tables)
    _print_notes(gathering.mixtures(tables.cells) + _pooled(tables, by) + _unfinished(tables))
    long = events(tables)
    table = medians(long, by)
    to = options.folder / "tables"
    paths = [
        *table_files.write(tables, to, "timescales", table[[*by, *COLUMNS]], readable(table)),
        *table_files.write(tables, to, "events", long),
    ]
    print(table_files.text(readable(table)))
    print("\nwritten: " + " ".join(map(str, paths)))


def figures(options: argparse.Namespace) -> None:
    """Draw the figures that the folder's runs allow, as pdf and png, into <folder>/figures/."""
    from analysis.figures import collapse, prepare, save

    tables = _read(options.folder)
    by = _by(options.by, tables)
    if len(by) != 1:
        raise InputError(f"--by {','.join(by)}: a figure takes one column; name one of them")
    missing = [column for column in collapse.PANELS if column not in tables.curves]
    if missing:
        raise InputError(f"{options.folder}: no column {missing[0]}; the runs did not measure it")
    _print_notes(_pooled(tables, by) + _unfinished(tables))
    prepare()
    name = f"collapse_{by[0].replace('.', '_')}"
    shown = tables.only(tables.cells.dropna(subset=by)["key"])
    figure = collapse.draw(shown.curves, by[0])
    paths = save(shown, options.folder / "figures", name, figure)
    print("written: " + " ".join(map(str, paths)))


def status(options: argparse.Namespace) -> None:
    """The state of every cell that was asked for (missing, running, interrupted, done, diverged,
    failed), who trains now, the rate, and the time left at most."""
    by = options.by.split(",") if options.by else []
    found = statuses.status(options.folder, by)
    print(statuses.as_json(found) if options.json else statuses.text(found))


def why(options: argparse.Namespace) -> None:
    """The command, code, configuration and run logs behind a figure or table, as noted when it was
    made in the side file <name>.why.json."""
    side = whys.find(options.file)
    print(side.read_text() if options.json else whys.text(side), end="" if options.json else "\n")


def _read(folder: Path) -> Tables:
    _check_folder(folder)
    tables = gathering.read(folder)
    if not len(tables.curves):
        raise _no_evaluation(folder)
    return tables


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")


def _no_evaluation(folder: Path) -> InputError:
    return InputError(f"{folder}: no run has an evaluation yet")


def _by(given: str | None, tables: Tables) -> list[str]:
    """The columns to group by: those given, or what was swept, or weight_decay."""
    if given is None:
        return gathering.varied(tables) or ["weight_decay"]
    by = list(dict.fromkeys(given.split(",")))
    for column in by:
        if column not in tables.configuration:
            raise InputError(
                f"--by {column}: no such column; valid: {', '.join(tables.configuration)}"
            )
    return by


def _pooled(tables: Tables, by: list[str]) -> list[str]:
    """A line for each swept column that the groups mix."""
    return [
        f"note: {column} differs within the groups; add it with --by {','.join([*by, column])}"
        for column in gathering.varied(tables)
        if column not in by
        and tables.cells.groupby(by, dropna=False)[column].nunique(dropna=False).max() > 1
    ]


def _unfinished(tables: Tables) -> list[str]:
    states = tables.cells["state"].value_counts()
    other = ", ".join(f"{n} {state}" for state, n in states.items() if state != "done")
    return [f"note: {other}: events not seen are censored at the last step"] if other else []


def _print_notes(notes: list[str]) -> None:
    for note in notes:
        print(note, file=sys.stderr)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `… | head` is not an error
    sys.exit(main())
