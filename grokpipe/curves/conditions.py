"""Conditions on the spot: `test_accuracy>=0.9`, `sustained(test_accuracy>=0.99, 5)`; and the
half-change of any column, `half(weight_norm)`, which only the analysis of finished runs can know.

A condition is an event without a name. It is written in one spelling, whatever spaces and digits
were typed, because it enters the key of a cell whose stop rule it is.
"""

import math
import re
from functools import lru_cache
from typing import NamedTuple

from grokpipe.curves.kinds import Crossing
from grokpipe.errors import InputError

EXAMPLES = "test_accuracy>=0.9 or sustained(test_accuracy>=0.99, 5)"
FORMS = (
    "column>=number, column<=number, column>number, column<number, or one of these for n "
    "evaluations in a row: sustained(column>=number, n)"
)
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_COMPARISON = rf"([A-Za-z_][\w/.@]*)\s*(>=|<=|>|<)\s*({_NUMBER})"
_SUSTAINED = rf"sustained\s*\(\s*{_COMPARISON}\s*,\s*(\d+)\s*\)"
_CONDITION = re.compile(f"{_COMPARISON}|{_SUSTAINED}", re.ASCII)
_HALF = re.compile(r"half\s*\(\s*([A-Za-z_][\w/.@]*)\s*(,\s*first\s*)?\)", re.ASCII)


def is_condition(text: str) -> bool:
    """Whether a text is meant as a condition rather than as the name of an event."""
    return re.search(r"[<>=()]", text) is not None


class HalfChange(NamedTuple):
    """A half-change that is written on the spot."""

    column: str
    from_first: bool
    """counted from the first value, whatever the curve does before memorisation"""

    def __str__(self) -> str:
        return f"half({self.column}{', first' if self.from_first else ''})"


@lru_cache
def half_change(text: str) -> HalfChange | None:
    """Read `half(column)` or `half(column, first)`; None for any other text."""
    match = _HALF.fullmatch(text.strip())
    return HalfChange(match[1], match[2] is not None) if match else None


@lru_cache
def parse(text: str) -> Crossing:
    """The event that a condition describes: the first evaluation at which it holds, or the first of
    n in a row. `>` and `<` hold strictly beyond the number, in double precision as all curves are.

    Raises InputError, with the valid forms, for what is not a condition.
    """
    match = _CONDITION.fullmatch(text.strip())
    if match is None:
        raise InputError(f"{text}: not a condition; valid: {FORMS}")
    column, operator, number, *others = [group for group in match.groups() if group is not None]
    level, evaluations = float(number), int(others[0]) if others else 1
    if not math.isfinite(level):
        raise InputError(f"{text}: {number} is not a finite number")
    if evaluations < 1:
        raise InputError(f"{text}: must be at least 1 evaluation in a row")
    return Crossing(column, level, operator[0] == ">", evaluations, strict=len(operator) == 1)


def spelling(condition: Crossing) -> str:
    """The one spelling of a condition."""
    assert isinstance(condition.level, float)
    operator = (">" if condition.rising else "<") + ("" if condition.strict else "=")
    level = repr(condition.level + 0.0).removesuffix(".0")  # −0 + 0 is 0
    comparison = f"{condition.column}{operator}{level}"
    if condition.evaluations == 1:
        return comparison
    return f"sustained({comparison}, {condition.evaluations})"


def split(text: str) -> list[str]:
    """The members of a list with commas; those inside parentheses do not separate."""
    members, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth <= 0:
            members.append("")
        else:
            members[-1] += letter
    return [member.strip() for member in members]
