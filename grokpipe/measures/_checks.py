"""Check what a measure returns."""

from collections.abc import Container
from typing import Any

from grokpipe.errors import InputError


def checked(row: Any, name: str, taken: Container[str] = ()) -> dict[str, float]:
    """Return the row of a measure, or raise InputError if it is not a flat dict of floats.

    Args:
        row: what the measure has returned.
        name: name of the measure, for the message.
        taken: columns of other measures, which it must not have.
    """
    if not isinstance(row, dict):
        raise InputError(
            f"measure {name}: returns a {type(row).__name__}; must be a dict of floats"
        )
    for column, value in row.items():
        if not isinstance(column, str):
            raise InputError(f"measure {name}: column {column!r}: the name must be a string")
        if not isinstance(value, float):
            hint = "; use .item()" if hasattr(value, "item") else ""
            kind = type(value).__name__
            raise InputError(f"measure {name}: {column} is a {kind}; must be a float{hint}")
        if column in taken or column == "step":
            raise InputError(f"measure {name}: {column}: another measure has this column")
    return row
