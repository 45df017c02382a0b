"""Declare configuration fields: scientific or operational, with bounds and choices."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from omegaconf import MISSING

from grokpipe.errors import InputError


@dataclass(frozen=True)
class Rule:
    """Properties of one configuration field besides its type."""

    scientific: bool
    at_least: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str, ...] | None = None
    length: int | None = None
    event: bool = False
    """names an event, or is a condition, that training can wait for; kept in its one spelling"""
    per_cell: bool = False
    """may differ between the cells of a pack, which share all other scientific values"""
    shared_default: bool = False
    """Shared default: takes effect only if a group interpolates it; otherwise must be null."""

    def complaint(self, value: Any) -> str | None:
        """Why `value` is not valid, or None if it is. Lists are checked item by item."""
        if isinstance(value, list | tuple):
            if self.length is not None and len(value) != self.length:
                return f"must have {self.length} values"
            return next((why for item in value if (why := self.complaint(item))), None)
        if value is None:
            return None
        if value == MISSING:
            return "needs a value"
        if self.choices is not None and value not in self.choices:
            return f"must be one of {', '.join(self.choices)}"
        if self.event:
            from grokpipe.curves import definitions  # NumPy, which --help can do without

            return definitions.complaint(value)
        if isinstance(value, float) and not math.isfinite(value):
            return "must be a finite number"
        if self.at_least is not None and value < self.at_least:
            return f"must be ≥ {self.at_least}"
        if self.above is not None and value <= self.above:
            return f"must be > {self.above}"
        if self.below is not None and value >= self.below:
            return f"must be < {self.below}"
        return None


def scientific(*, neutral: Any = NO_DEFAULT, **rule: Any) -> Any:
    """Declare a field that changes training or what is recorded, and so enters the cell's key.

    Args:
        neutral: for a field added after the first release, the value that reproduces the older
            behaviour. Configurations written before the field existed get this value, and it is
            left out of the key, so that older run logs keep their keys.
        rule: the other attributes of `Rule`.
    """
    return _marked(Rule(scientific=True, **rule), neutral)


def operational(*, neutral: Any = NO_DEFAULT, **bounds: Any) -> Any:
    """Declare a field that changes where, how fast or how verbosely a cell runs, not its key.

    Args:
        neutral: the value in configurations written before the field existed.
        bounds: the other attributes of `Rule`.
    """
    return _marked(Rule(scientific=False, **bounds), neutral)


def _marked(rule: Rule, neutral: Any) -> Any:
    metadata = {"rule": rule, "neutral": neutral}
    if neutral is NO_DEFAULT:
        return field(default=MISSING, metadata=metadata)
    if isinstance(neutral, list):
        return field(default_factory=lambda: list(neutral), metadata=metadata)
    return field(default=neutral, metadata=metadata)


def leaves(config: Any, prefix: str = "") -> Iterator[tuple[str, Any, Rule]]:
    """Yield (dotted name, value, rule) of every field of a configuration, nested ones included."""
    for item in fields(config):
        value = getattr(config, item.name)
        if is_dataclass(value):
            yield from leaves(value, f"{prefix}{item.name}.")
        else:
            yield f"{prefix}{item.name}", value, item.metadata["rule"]


def check(config: Any) -> None:
    """Raise InputError for the first field whose value is not valid.

    Outer fields come first, so that a shared default is named rather than the group that
    interpolates it.
    """
    for name, value, rule in sorted(leaves(config), key=lambda leaf: leaf[0].count(".")):
        if why := rule.complaint(value):
            shown = f"{value:g}" if isinstance(value, float) else value
            raise InputError(f"{name}={shown}: {why}")


def scientific_values(config: Any, shared: bool = False) -> dict[str, Any]:
    """Nested scientific values of a configuration object, without neutral ones.

    With `shared`, only the values that all cells of a pack have in common.
    """
    values: dict[str, Any] = {}
    for item in fields(config):
        value = getattr(config, item.name)
        if is_dataclass(value):
            if inner := scientific_values(value, shared):
                values[item.name] = inner
            continue
        rule = item.metadata["rule"]
        wanted = rule.scientific and not (shared and rule.per_cell)
        if wanted and not _is_neutral(item.metadata["neutral"], value):
            values[item.name] = list(value) if isinstance(value, tuple) else value
    return values


def _is_neutral(neutral: Any, value: Any) -> bool:
    return neutral is not NO_DEFAULT and type(neutral) is type(value) and neutral == value


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested values to dotted names; lists become text, to fit one cell of a table."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{name}.")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            flat[prefix + name] = "[" + ", ".join(map(str, value)) + "]"
        else:
            flat[prefix + name] = value
    return flat


def of_one_type(values: Sequence[Any]) -> Sequence[Any]:
    """Make one column of a table: the values, or their texts if they are of several types.

    Two members of a group may give keys of one name different types.
    """
    types = {type(value) for value in values if value is not None}
    if len(types) < 2 or types == {int, float}:
        return values
    return [None if value is None else str(value) for value in values]
