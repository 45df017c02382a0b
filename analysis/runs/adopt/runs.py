"""Which rows are one run, and what is known of it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from analysis.runs.adopt import guesses
from analysis.runs.adopt.logs import Log
from analysis.runs.adopt.mapping import Map, unknown
from analysis.runs.adopt.roles import Roles, as_numbers
from grokpipe.errors import InputError

LONGEST = 100  # characters of a key that is made of the configuration


def configured(
    rows: pd.DataFrame, log: NDArray[np.intp], logs: Sequence[Log], roles: Roles, given: Map
) -> tuple[pd.DataFrame, list[str]]:
    """The configuration of each row, in columns by the names here, with a first column `run`, its
    name; and what was read from names, in words.

    A column's value comes before one read from the name of the run, a single run's own (`runs`)
    before both. Raises InputError for names that do not fit the map.
    """
    if roles.run is not None:
        names = rows[roles.run].astype("category")
        if (missing := names.isna().to_numpy()).any():
            path = logs[log[int(missing.argmax())]].path
            raise InputError(f"{path}: no {roles.run}, in {missing.sum():,} rows: must name a run")
        codes, texts = names.cat.codes.to_numpy(), [*map(_text, names.cat.categories)]
    else:
        codes, texts = log, [one.run for one in logs]
    table = pd.DataFrame({"run": _spread(texts, codes)})
    for ours, theirs in roles.configuration.items():
        table[ours] = rows[theirs].array
    used = [texts[code] for code in np.unique(codes)]
    found, told = _of_names(used, given, set(table) | set(given.fixed))
    for ours in dict.fromkeys(name for values in found.values() for name in values):
        values = _spread([found.get(text, {}).get(ours) for text in texts], codes)
        own = np.array([ours in given.runs.get(text, {}) for text in texts])[codes]
        table[ours] = _filled(table[ours].mask(own), values) if ours in table else values
    for ours, value in given.fixed.items():
        values = _spread([value], np.zeros(len(codes), dtype=np.intp))
        table[ours] = _filled(table[ours], values) if ours in table else values
    return table, told


def _spread(values: Sequence[Any], codes: NDArray[Any]) -> pd.Series:
    """The values by their numbers; words as categories, which take no memory for each row."""
    column = pd.Series(values).infer_objects()
    column = column.astype("category") if column.dtype == object else column
    return column.take(codes).reset_index(drop=True)


def _filled(column: pd.Series, values: pd.Series) -> pd.Series:
    """The column, and the values where it has none."""
    if not column.isna().any():
        return column
    filled = column.astype(object).where(column.notna(), values.astype(object))
    return filled.infer_objects()


def _text(value: Any) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)


def _of_names(
    names: Sequence[str], given: Map, taken: set[str]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """What the names of runs say: run → name → value; of single runs the map's own values."""
    for name in given.runs:
        if name not in names:
            raise InputError(f"--map: runs: there is no run {unknown(name, names)}")
    found: dict[str, dict[str, Any]] = {}
    read: dict[str, None] = {}
    for name in names:
        if given.name is None:
            said = {guesses.configuration(k) or k: v for k, v in guesses.of_name(name).items()}
            said = {ours: value for ours, value in said.items() if ours not in taken}
        else:
            match = re.search(given.name, name)
            if match is None:
                raise InputError(f"--map: name: {given.name}: does not match the run {name}")
            said = {_dotted(group): value for group, value in match.groupdict().items()}
        read |= dict.fromkeys(said)
        found[name] = {ours: _value(value) for ours, value in said.items()}
        found[name] |= given.runs.get(name, {})
    return found, [f"read from the names of the runs: {', '.join(read)}"] if read else []


def _dotted(group: str) -> str:
    """A group of a regular expression, whose name cannot have a dot: task__name is task.name."""
    return group.replace("__", ".")


def _value(text: str | None) -> Any:
    """A text as YAML has it: numbers, true and false, words."""
    if text is None:
        return None
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    try:
        return float(text) if isinstance(value, str) else value  # 1e-3
    except ValueError:
        return value


def numbered(
    table: pd.DataFrame, log: NDArray[np.intp], logs: Sequence[Log], roles: Roles
) -> NDArray[np.intp]:
    """The number of each row's run: the rows that share the column of runs, else their
    configuration; without a seed, within their file alone.

    Raises InputError where two files have the same run, and not other measures of it.
    """
    if roles.run is not None:
        return _ordered(table["run"].astype("category").cat.codes.to_numpy())
    columns = [name for name in table if name != "run"]
    codes = [as_numbers(table[name]) for name in columns]
    if "seed" not in columns:
        return _codes([*codes, log])
    of_run = _codes(codes)
    pairs = pd.DataFrame({"run": of_run, "log": log}).drop_duplicates()
    several = pairs[pairs.duplicated("run", keep=False)].sort_values(["run", "log"])
    for _, pair in several.groupby("run"):
        seen: dict[str, int] = {}
        for number in pair["log"]:
            for theirs in roles.measures.values():
                if theirs not in logs[number].rows:
                    continue
                if theirs in seen:
                    a, b = logs[seen[theirs]].path, logs[number].path
                    row = int((of_run == pair["run"].iloc[0]).argmax())
                    both = ", ".join(f"{n}={_text(table[n].iloc[row])}" for n in columns)
                    raise InputError(
                        f"{a} and {b}: both have a run with {both}, and no column tells them "
                        "apart; --map with columns: {run: …}, or name: a regular expression that "
                        "finds what differs in the name of the file"
                    )
                seen[theirs] = number
    return of_run


def _codes(columns: Sequence[NDArray[Any]]) -> NDArray[np.intp]:
    """The number of each different row of these columns, in their order."""
    codes = np.zeros(len(columns[0]), dtype=np.intp) if columns else np.zeros(0, dtype=np.intp)
    for column in columns:
        values, known = pd.factorize(np.where(np.isnan(column), np.inf, column))
        codes = _ordered(codes * (len(known) + 1) + values)
    return codes


def _ordered(codes: NDArray[Any]) -> NDArray[np.intp]:
    return pd.factorize(codes)[0].astype(np.intp)


def keys(cells: pd.DataFrame, named: bool) -> list[str]:
    """A key for each run: its name if it has one, in a column (`named`) or as that of its file,
    else what differs among the runs."""
    names = cells["run"].map(str)
    if named or names.is_unique:
        return names.to_list()
    columns = [name for name in cells if name != "run"]
    differ = [name for name in columns if cells[name].nunique(dropna=False) > 1]
    differ = [name for name in differ if name.rpartition(".")[2] not in differ or "." not in name]
    if "seed" not in differ and "seed" in columns:
        differ.append("seed")
    texts = [
        ",".join(f"{name}={_text(value)}" for name, value in zip(differ, values, strict=True))
        for values in cells[differ].itertuples(index=False)
    ]
    if "seed" not in columns:
        texts = [f"{name},{text}".rstrip(",") for name, text in zip(names, texts, strict=True)]
    if max(map(len, texts)) > LONGEST or len(set(texts)) < len(texts):
        return [f"run-{number:04d}" for number in range(len(texts))]
    return texts


def arms(cells: pd.DataFrame, without: Mapping[str, Any] | Sequence[str]) -> NDArray[np.intp]:
    """The number of each run's arm: the runs that differ in the seed alone."""
    columns = [name for name in cells if name not in {"seed", "run", "key", *without}]
    return _codes(
        [as_numbers(_of_words(cells[name])) for name in columns] or [np.zeros(len(cells))]
    )


def _of_words(values: pd.Series) -> pd.Series:
    return values if pd.api.types.is_numeric_dtype(values) else values.map(str)
