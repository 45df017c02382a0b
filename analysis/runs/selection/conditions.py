"""Conditions that choose runs by their columns: `lr=0.003,seed<5,optimizer.betas=[0.9, 0.98]`.

A value may be written as tables print it or as Hydra does: 1.0 and 1, 1e-3 and 0.001, True and
true, [0.9,0.98] and [0.9, 0.98]. A claims file states the same of a column as `"< 0"` or a value.
"""

import difflib
import math
import operator
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype

from analysis.runs.tables import Tables
from grokpipe.errors import InputError

GRAMMAR = (
    "valid: column=value, !=, <, <=, >, >=, several with commas, other values of one column with |:"
    " 'lr=0.001|0.003,seed<5,optimizer.betas=[0.9, 0.98]'"
)
ORDERED: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
NULLS = ("null", "nan", "NaN", "None", "<NA>")
"""how a missing value is typed and printed; "none" is the name of an intervention as well"""
TEXTS = ("key", "state", "reason", "data", "commit", "code", "torch", "processor")
"""columns whose values are texts even where they look like numbers"""
PRINTED = 6  # least number of significant digits that tables print
CLOSE = 1e-9  # relative difference between equal numbers
SHOWN = 8  # values listed in an error

_CONDITION = re.compile(r"([^=!<>]+?)\s*(<=|>=|!=|==|=|<|>)\s*([^=<>!].*)", re.DOTALL)
_STATED = re.compile(r"(<=|>=|!=|<|>)\s*(.+)")
_OPENING, _CLOSING, _QUOTES = "[({", "])}", "'\""


@dataclass(frozen=True)
class Condition:
    """A condition on one column: `=` or `!=` any of the values, or an order against one number."""

    column: str
    sign: str
    values: tuple[Any, ...]
    """as typed, without quotes, or of a claims file"""

    def __str__(self) -> str:
        return f"{self.column}{self.sign}{'|'.join(map(str, self.values))}"

    def matches(self, column: pd.Series) -> "pd.Series[bool]":
        """Mask of the rows of this column that meet the condition."""
        if self.sign in ORDERED:
            numbers = pd.to_numeric(column, errors="coerce").astype(float)
            return ORDERED[self.sign](numbers, float(self.values[0]))
        equal = pd.Series(False, index=column.index)
        for value in self.values:
            equal |= _equal(column, value)
        return ~equal if self.sign == "!=" else equal


def parse(text: str, option: str = "--where") -> tuple[Condition, ...]:
    """The conditions of a list with commas. Raises InputError for what cannot be read."""
    parts = _split(text, ",", f"{option} {text}")
    if "" in parts:
        raise InputError(f"{option} {text}: an empty condition; {GRAMMAR}")
    return tuple(_parsed(part, option) for part in parts)


def stated(column: str, wanted: Any) -> Condition:
    """The condition of a claims file on a column: a value, or a text such as "< 0". Raises
    InputError for text that is to be less or more."""
    compared = _STATED.fullmatch(wanted) if isinstance(wanted, str) else None
    if compared is None:
        return Condition(column, "=", (wanted,))
    sign, text = compared.groups()
    if sign in ORDERED and not _is_number(text):
        raise InputError(f"{wanted}: must compare with a number")
    return Condition(column, sign, (text.strip(),))


def choose(tables: Tables, conditions: Sequence[Condition], option: str = "--where") -> Tables:
    """The runs that meet all conditions, with a note that counts them. Raises InputError for an
    unknown column, an order on a column of words, and where no run is left."""
    if not conditions:
        return tables
    cells = chosen(tables.cells, conditions, option)
    text = ",".join(map(str, conditions))
    note = f"note: {option} {text}: {len(cells)} of {len(tables.cells)} runs"
    return tables.only(cells["key"]).noted(note)


def chosen(
    cells: pd.DataFrame, conditions: Sequence[Condition], option: str = "--where"
) -> pd.DataFrame:
    """The rows that meet all conditions; raises as `choose`."""
    before: list[str] = []
    for condition in conditions:
        name = resolved(condition.column, cells.columns, f"{option} {condition}")
        values = cells[name]
        if condition.sign in ORDERED and not _has_order(values):
            there = listed(values)
            raise InputError(f"{option} {condition}: {name} has no numbers to compare: {there}")
        left = cells[condition.matches(values)]
        if left.empty:
            of = f" of those with {','.join(before)}" if before else ""
            raise InputError(f"{option} {condition}: no run{of}; {name} has {listed(values)}")
        cells = left
        before.append(str(condition))
    return cells


def resolved(given: str, names: Collection[str], said: str) -> str:
    """The column of this name; a group stands for its choice (`task`: task.name). Raises
    InputError, which begins with `said`."""
    for name in (given, f"{given}.name"):
        if name in names:
            return name
    near = difflib.get_close_matches(given, names, 3, 0.5)
    valid = f"nearest: {', '.join(near)}" if near else f"valid: {', '.join(names) or 'none'}"
    raise InputError(f"{said}: no such column; {valid}")


def listed(values: Iterable[Any], most: int = SHOWN) -> str:
    """Different values in their order, as they may be typed, those beyond `most` counted."""
    different = {written(value) for value in values}
    ordered = sorted(different, key=lambda text: (not _is_number(text), _number(text), text))
    more = len(ordered) - most
    return ", ".join(ordered[:most]) + (f" and {more} more" if more > 0 else "")


def written(value: Any) -> str:
    """A value as it may be typed: 0.001, 8000, true, null, [0.9, 0.98]."""
    if _is_missing(value):
        return "null"
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, float | np.floating):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else f"{number:.12g}"
    return str(value)


def _parsed(part: str, option: str) -> Condition:
    match = _CONDITION.fullmatch(part.strip())
    if match is None:
        raise InputError(f"{option} {part}: not a condition; {GRAMMAR}")
    column, sign, text = (group.strip() for group in match.groups())
    sign = sign.replace("==", "=")
    values = tuple(_split(text, "|", f"{option} {part}"))
    if "" in values:
        raise InputError(f"{option} {part}: a value is missing; {GRAMMAR}")
    if sign in ORDERED and not (len(values) == 1 and _is_number(text)):
        raise InputError(f"{option} {part}: must compare with one number; {GRAMMAR}")
    return Condition(column, sign, tuple(map(_unquoted, values)))


def _split(text: str, separator: str, said: str) -> list[str]:
    """The members of a list; a separator inside brackets or quotes belongs to a member. Raises
    InputError, which begins with `said`, for a bracket or quote that is not closed."""
    members, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in _QUOTES:
            quote = letter
        else:
            depth += (letter in _OPENING) - (letter in _CLOSING)
        if letter == separator and not depth and not quote:
            members.append("")
        else:
            members[-1] += letter
    if depth or quote:
        raise InputError(f"{said}: a {'quote' if quote else 'bracket'} is not closed; {GRAMMAR}")
    return [member.strip() for member in members]


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in _QUOTES
    return text[1:-1] if quoted else text


def _equal(column: pd.Series, wanted: Any) -> "pd.Series[bool]":
    """Mask of the values that `wanted` stands for."""
    if column.name in TEXTS:
        return column.astype(str) == str(wanted)
    value = _canonical(wanted)
    values = {item: _canonical(item) for item in column.drop_duplicates() if not _is_missing(item)}
    equal = {item for item, known in values.items() if _alike(known, value) or item == wanted}
    digits = _digits(wanted)
    if not equal and digits >= PRINTED:  # as tables print a number of more digits
        equal = {
            item
            for item, known in values.items()
            if type(known) is type(value) is float and float(f"{known:.{digits}g}") == value
        }
    missing = value is None or (wanted == "none" and not equal)
    return column.isin(equal) | (column.isna() & missing)


def _canonical(value: Any) -> Any:
    """A value apart from how it is written: None, a truth value, a float, a tuple, or a text."""
    if isinstance(value, list | tuple):
        return tuple(map(_canonical, value))
    if _is_missing(value):
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if not isinstance(value, str):
        return float(value)
    if value in NULLS:
        return None
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    if value[:1] == "[" and value[-1:] == "]":
        try:
            items = _split(value[1:-1], ",", value)
        except InputError:
            return value
        return tuple(_canonical(_unquoted(item)) for item in items if item)
    return _number(value) if _is_number(value) else value


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    if type(one) is type(other) is float:
        return math.isclose(one, other, rel_tol=CLOSE)
    return type(one) is type(other) and bool(one == other)


def _digits(wanted: Any) -> int:
    """Number of significant digits of a typed number; 0 for anything else."""
    if not isinstance(wanted, str) or not _is_number(wanted):
        return 0
    mantissa = re.split("[eE]", wanted)[0]
    return len(re.sub(r"\D", "", mantissa).lstrip("0"))


def _is_number(text: str) -> bool:
    return math.isfinite(_number(text))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.inf


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _has_order(column: pd.Series) -> bool:
    if column.name in TEXTS or is_bool_dtype(column.dtype):
        return False
    return bool(pd.to_numeric(column, errors="coerce").notna().any())
