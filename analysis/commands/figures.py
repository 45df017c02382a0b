"""`figures`."""

import argparse
from collections.abc import Sequence

import pandas as pd
from pandas.api.types import is_numeric_dtype

from analysis.commands import common
from analysis.output import names as naming
from analysis.runs.tables import Tables, mixtures, varied_columns
from grokpipe.curves import columns
from grokpipe.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_folder(parser)
    common.add_to(parser)
    parser.add_argument(
        "--columns",
        help="the logged columns to draw, with commas; default: accuracies, RNC1, NC2, spectral "
        "entropy, as far as they are logged",
    )
    parser.add_argument(
        "--by",
        help="one configuration column, by colour, or two with a comma: the second by dashes or, "
        "of more than four values, by rows of panels; default: what was swept",
    )
    parser.add_argument(
        "--runs", action="store_true", help="a thin line for each run instead of the range"
    )
    parser.add_argument(
        "--linear", action="store_true", help="a linear axis of steps instead of a logarithmic one"
    )


def run(options: argparse.Namespace) -> None:
    """Draw columns over the steps, as pdf and png, into <folder>/figures/ (or <to>/figures/): the
    median of each arm with the range of its runs, as far as all of them go."""
    from analysis.figures import curves, medians
    from analysis.figures.arm_layout import layout
    from analysis.figures.style import prepare, save

    late = "" if options.linear else " after step 0"
    asked = _names(options.columns)
    needed = {name: f"--columns {name}: no run logged it" for name in asked}
    tables = common.read(
        options,
        lambda names: asked or [name for name in curves.PANELS if name in names] or None,
        needed,
    )
    by = _by(options, tables)
    names = asked or _known(tables, curves.PANELS, options.linear)[: curves.MOST]
    if not names:
        raise InputError(f"{options.folder}: nothing to draw; no run has a value{late}")
    shown = tables.only(tables.cells.dropna(subset=by, how="all")["key"]).spread([*by, "seed"])
    arms = layout(shown.curves.drop_duplicates("key"), by)
    of_arms = {label: arm.keys for label, arm in arms.arms.items()}
    panels = [medians.panel(shown.curves, of_arms, name, options.linear) for name in names]
    keys = set(shown.curves["key"])
    missing = {one.name: medians.without(one, keys) for one in panels}
    if set.intersection(*missing.values()) == keys:
        raise InputError(
            f"{options.folder}: nothing to draw; no run has a value of {', '.join(names)}{late}"
        )
    usual = set(names) & set(curves.PAPERS) and not asked
    absent = [name for name in curves.PAPERS if name not in names] if usual else []
    common.print_notes(
        [
            *mixtures(tables.cells),
            *_pooled(tables, by),
            *common.unfinished(tables),
            *([f"note: no run has a value of {', '.join(absent)}: no panel"] if absent else []),
            *_left_out(tables, by, missing, late),
            *medians.notes(panels),
            *(f"note: {line}" for line in columns.installed()[1]),
        ]
    )
    prepare()
    parts = ["curves", *asked] if asked else ["collapse"]
    name = naming.stem([*parts, *by], options, "where", "runs", "linear")
    figure = curves.draw(panels, arms, options.runs, options.linear)
    paths = save(shown, common.destination(options) / "figures", name, figure)
    common.print_written(paths)


def _names(given: str | None) -> list[str]:
    return [] if given is None else list(dict.fromkeys(map(str.strip, given.split(","))))


def _known(tables: Tables, panels: Sequence[str], zero: bool) -> list[str]:
    """Those of the panels, or of all measures if none of them was read, that hold numbers which a
    panel can show."""
    late = tables.curves if zero else tables.curves[tables.curves["step"] > 0]
    others = {"key", "step", *tables.cells}
    measures = [name for name in late if name not in others and not name.startswith("__")]  # index
    return [
        name
        for name in [name for name in panels if name in late] or measures
        if is_numeric_dtype(late[name]) and late[name].notna().any()
    ]


def _by(options: argparse.Namespace, tables: Tables) -> list[str]:
    """The columns of --by; else those that were swept, of two that with more values first, by
    colour. Raises InputError where more than two were swept and none is chosen."""
    by = common.columns(options.by, tables)
    if options.by is not None:
        return by
    values = tables.cells[by].nunique(dropna=False)
    by = sorted(_distinguishing(tables.cells, by), key=lambda column: -values[column])
    if len(by) > 2:
        swept = ", ".join(f"{column} ({values[column]} values)" for column in by)
        raise InputError(
            f"{options.folder}: swept were {swept}; choose one or two with "
            f"--by {','.join(by[:2])}, and one value of each other with --where"
        )
    return by


def _distinguishing(cells: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Those of the columns that part the runs as all of them do: of two tasks, whose other columns
    differ with it, the task's name alone."""

    def groups(by: Sequence[str]) -> int:
        return cells.groupby(list(by), dropna=False).ngroups if by else 1

    chosen: list[str] = []
    for column in columns:
        if groups([*chosen, column]) > groups(chosen):
            chosen.append(column)
    for column in chosen[:-1]:
        others = [name for name in chosen if name != column]
        if groups(others) == groups(columns):
            chosen = others
    return chosen or list(columns[:1])


def _pooled(tables: Tables, by: list[str]) -> list[str]:
    """As `common.pooled`; but a third column can only be held at one of its values."""
    if len(by) < 2:
        return common.pooled(tables, by)
    groups = tables.cells.groupby(by, dropna=False)
    return [
        f"note: {column} differs within the arms; choose one of its values with --where"
        for column in varied_columns(tables)
        if column not in by and groups[column].nunique(dropna=False).max() > 1
    ]


def _left_out(
    tables: Tables, by: Sequence[str], missing: dict[str, set[str]], late: str
) -> list[str]:
    """A note for each reason why runs are not drawn, with their number; `missing` has the keys of
    those without a line by panel, `late` the steps that a panel shows, in words."""
    notes, runs = [], len(tables.cells)
    if without := int(tables.cells[list(by)].isna().all(axis=1).sum()):
        notes.append(f"note: {without} runs have no {', '.join(by)}: they are not drawn")
    if begun := int((~tables.cells["key"].isin(tables.curves["key"])).sum()):
        notes.append(f"note: {begun} of {runs} runs have no evaluation yet: they are not drawn")
    panels: dict[frozenset[str], list[str]] = {}
    for column, keys in missing.items():
        panels.setdefault(frozenset(keys), []).append(column)
    notes += [
        f"note: {len(keys)} of {runs} runs have no value to draw{late} of {', '.join(of_keys)}"
        for keys, of_keys in panels.items()
        if keys
    ]
    return notes
