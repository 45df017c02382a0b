"""Make gathered tables of logs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.runs.adopt import roles, runs
from analysis.runs.adopt.cells import completed, read_cells
from analysis.runs.adopt.logs import Log
from analysis.runs.adopt.mapping import Map, check_columns, unknown
from analysis.runs.adopt.roles import Roles, listed
from analysis.runs.checks import coercion
from analysis.runs.checks.schema import ACCURACY, ROUNDING
from analysis.runs.rows import CELL_COLUMNS
from analysis.runs.tables import Tables
from grokpipe.errors import InputError


@dataclass(frozen=True)
class Adopted:
    """Tables, and how they came about."""

    tables: Tables
    told: tuple[str, ...]
    """what was taken for what, in words"""
    budget_told: bool
    """whether the user gave the budget; else it is the last step of an arm"""


def adopt(logs: Sequence[Log], given: Map, to: Path) -> Adopted:
    """Bring the rows of all logs into two tables, for the folder `to`.

    Raises InputError for a map that does not fit the columns, for rows without a step, for values
    that contradict one another, and for what breaks the schema of the tables.
    """
    rows, log = _stacked(logs)
    what = str(logs[0].path) if len(logs) == 1 else f"the {len(logs)} logs"
    check_columns(given, list(rows), what)
    beside = {name for one in logs for name in one.configuration}
    found = roles.assign(rows, log, given, beside, str(logs[0].path))
    _check_steps_everywhere(logs, found)
    notes: list[str] = []
    table, of_names = runs.configured(rows, log, logs, found, given)
    _check_scale(given, found)

    steps = _steps(rows[found.step], given.scale.get("step", 1), found.step, log, logs)
    measures = {
        ours: _measure(rows[theirs], ours, theirs, given, log, logs)
        for ours, theirs in found.measures.items()
    }
    if not measures:
        raise InputError(f"{what}: no column to measure besides {', '.join(map(str, rows))}")
    of_run = runs.numbered(table, log, logs, found)
    order = np.lexsort((steps, of_run))
    curves = pd.DataFrame({"run": of_run[order], "step": steps[order]})
    curves = curves.assign(**{name: values[order] for name, values in measures.items()})
    cells = read_cells(table.iloc[order], curves["run"].to_numpy())
    cells.insert(0, "key", runs.keys(cells, named=found.run is not None))
    curves, said = _once(curves, cells, found)
    notes += said
    lost = _unfinished_losses(curves, cells)
    curves, said = _known(curves)
    notes += [*said, *lost]
    cells, said, budget_told = completed(cells, curves)
    notes += said
    names = cells["key"].to_numpy(object)
    curves.insert(0, "key", names[curves.pop("run").to_numpy()])
    first = [name for name in CELL_COLUMNS if name in cells]
    cells = cells[[*first, *(name for name in cells if name not in CELL_COLUMNS)]]
    tables = Tables(
        curves=curves.sort_values(["key", "step"], kind="stable", ignore_index=True),
        cells=cells.sort_values("key", ignore_index=True),
        folder=to,
        notes=tuple(notes),
    )
    return Adopted(tables, (*found.told, *of_names), budget_told)


def _stacked(logs: Sequence[Log]) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    """The rows of all logs, with the configuration beside them as columns, and their log's
    number."""
    frames = [
        one.rows.assign(
            **{name: v for name, v in one.configuration.items() if name not in one.rows}
        )
        if one.configuration
        else one.rows
        for one in logs
    ]
    log = np.repeat(np.arange(len(logs)), [len(frame) for frame in frames])
    if len(frames) == 1:
        rows = frames[0]
    else:
        rows = pd.concat([frame.dropna(axis=1, how="all") for frame in frames], ignore_index=True)
    words = [name for name in rows if rows[name].dtype == object]
    for name in words:
        known = rows[name].dropna().map(type)
        if not known.eq(bool).all() or known.empty:
            texts = rows[name].map(str, na_action="ignore")
            rows[name] = coercion.numbers(texts)
            if rows[name].dtype == object:
                rows[name] = rows[name].astype("category")
    return rows, log


def _check_steps_everywhere(logs: Sequence[Log], found: Roles) -> None:
    for log in logs:
        for column in filter(None, (found.step, found.run)):
            if column not in log.rows and column not in log.configuration:
                there = listed([str(name) for name in log.rows])
                raise InputError(f"{log.path}: no column {column}; there are: {there}")


def _check_scale(given: Map, found: Roles) -> None:
    for name in given.scale:
        if name not in {"step", *found.measures}:
            raise InputError(
                f"--map: scale: there is no {unknown(name, ['step', *found.measures])}"
            )


def _steps(
    values: pd.Series, scale: float, name: str, log: NDArray[np.intp], logs: Sequence[Log]
) -> NDArray[np.int64]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if scale != 1 and pd.api.types.is_numeric_dtype(values):
        values = values * scale
    steps, wrong = coercion.whole(values)
    wrong = wrong | (steps < 0).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        value = values.iloc[row]
        shown = f"no {name}" if pd.isna(value) else f"{name}={value}"
        fraction = isinstance(value, float) and not pd.isna(value)
        hint = "; epochs become steps by scale: {step: steps of an epoch}" if fraction else ""
        raise InputError(
            f"{logs[log[row]].path}: {shown}, in {wrong.sum():,} of {len(wrong):,} rows: "
            f"a step must be a whole number ≥ 0{hint}"
        )
    return steps.to_numpy()


def _measure(
    values: pd.Series, ours: str, theirs: str, given: Map, log: NDArray[np.intp],
    logs: Sequence[Log],
) -> NDArray[np.float64]:  # fmt: skip
    """A measure in numbers, scaled as the map says; an accuracy within [0, 1]."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        numbers = pd.to_numeric(values.astype(object), errors="coerce")
        wrong = (numbers.isna() & values.notna()).to_numpy()
        row = int(wrong.argmax())
        raise InputError(
            f"{logs[log[row]].path}: {theirs}={values.iloc[row]}, in {wrong.sum():,} of "
            f"{len(wrong):,} rows: must be a number, to be {ours}"
        )
    numbers = values.to_numpy(float, na_value=np.nan) * given.scale.get(ours, 1.0)
    if ours.rpartition("_")[2] == ACCURACY:
        outside = (numbers < -ROUNDING) | (numbers > 1 + ROUNDING)
        if outside.any():
            row = int(outside.argmax())
            raise InputError(
                f"{logs[log[row]].path}: {theirs}={numbers[row]:.12g}, in {outside.sum():,} of "
                f"{len(outside):,} rows: {ours} must be within [0, 1]; of per cent, --map with "
                f"scale: {{{ours}: 0.01}}"
            )
    return numbers


def _once(
    curves: pd.DataFrame, cells: pd.DataFrame, found: Roles
) -> tuple[pd.DataFrame, list[str]]:
    """Each step of a run once: rows that complete one another are merged, as loops write that log
    training and test apart. Raises InputError for rows that contradict one another."""
    run, step = curves["run"].to_numpy(), curves["step"].to_numpy()
    again = (run[1:] == run[:-1]) & (step[1:] == step[:-1])
    if not again.any():
        return curves, []
    repeated = np.concatenate([[False], again]) | np.concatenate([again, [False]])
    groups = curves[repeated].groupby(["run", "step"], sort=False)
    least, most = groups.min(), groups.max()
    for name in least:
        other = (least[name] != most[name]) & least[name].notna()
        if other.any():
            number, at = other.idxmax()
            lacks = found.run is None and (
                "; nothing tells its runs apart: name a run, a seed or more configuration in --map"
            )
            raise InputError(
                f"run {cells['key'].iloc[number]}, step {at}: stands twice, with {name} "
                f"{least.loc[(number, at), name]:.12g} and {most.loc[(number, at), name]:.12g}; "
                f"valid: once{lacks or ''}"
            )
    merged = pd.concat([curves[~repeated], groups.first().reset_index()], ignore_index=True)
    merged = merged.sort_values(["run", "step"], kind="stable", ignore_index=True)[[*curves]]
    number = len(curves) - len(merged)
    return merged, [f"note: {_rows(number)} merged with others of the same run and step"]


def _known(curves: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Without rows in which nothing is known."""
    empty = curves.drop(columns=["run", "step"]).isna().all(axis=1).to_numpy()
    if not empty.any():
        return curves, []
    if empty.all():
        raise InputError("no row has a value of any measure")
    note = f"note: {_rows(int(empty.sum()))} without a value of any measure left out"
    return curves[~empty].reset_index(drop=True), [note]


def _rows(number: int) -> str:
    return f"{number:,} row{'s' * (number != 1)}"


def _unfinished_losses(curves: pd.DataFrame, cells: pd.DataFrame) -> list[str]:
    """A note on runs that end without a finite loss, and are not said to have diverged."""
    last = curves.groupby("run").last(skipna=False)
    losses = [name for name in last if name.endswith("loss")]
    ends = ~np.isfinite(last[losses]).all(axis=1) & curves.groupby("run")[losses].any().any(axis=1)
    states = cells["state"] if "state" in cells else pd.Series("done", index=cells.index)
    lost = [cells["key"].iloc[run] for run in last.index[ends] if states.iloc[run] != "diverged"]
    if not losses or not lost:
        return []
    return [
        f"note: {len(lost)} runs end without a finite loss ({listed(lost, 4)}); if they diverged, "
        "say so by state: diverged in --map (runs)"
    ]
