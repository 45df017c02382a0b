"""OmegaConf's complaints about the type of a value, in words that say what would be valid."""

import re
from typing import Any

from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

WHOLE = "must be a whole number"
MUST = {
    "could not be converted to Integer": WHOLE,
    "could not be converted to Float": "must be a number",
    "is not a valid bool": "must be true or false",
    "is not a ListConfig, list or tuple": "must be a list, in brackets",
    r"Cannot convert '\w+' to string": "must be a text",
    r"field '\w+' is not Optional": "must have a value",
}
SEVERAL = re.compile(r"is not a subclass of \w+\. value: ")


def complaint(error: OmegaConfBaseException, prefix: str = "") -> str:
    """Say which values would be valid where OmegaConf refuses one; its own words of other errors.

    Args:
        error: of setting a key.
        prefix: of the key, where OmegaConf knows the key's end alone.
    """
    message = str(error.msg or error).splitlines()[0]
    if SEVERAL.search(message):
        return f"has keys of its own{_below(error, prefix)}"
    for pattern, must in MUST.items():
        if re.search(pattern, message):
            return must + (_as_whole_number(error.value) if must == WHOLE else "")
    return message


def refused(error: OmegaConfBaseException, prefix: str = "") -> str:
    """One line: the key, its value and what would be valid."""
    message = str(error.msg or error).splitlines()[0]
    if not error.full_key:
        return prefix + message
    key, why = f"{prefix}{error.full_key}", complaint(error, prefix)
    return f"{key}: {why}" if why == message else f"{key}={_written(error.value)}: {why}"


def _written(value: Any) -> str:
    return "null" if value is None else str(value)


def _below(error: OmegaConfBaseException, prefix: str) -> str:
    """The keys below one that stands for several."""
    node = error.parent_node[error.key] if isinstance(error.parent_node, DictConfig) else None
    if not isinstance(node, DictConfig):
        return ""
    *names, last = [f"{prefix}{error.full_key}.{name}" for name in map(str, node)]
    return f"; set {', '.join(names)} or {last}" if names else f"; set {last}"


def _as_whole_number(value: Any) -> str:
    """How to write a whole number that is given as a float, as 1e5 is to YAML."""
    return f"; write {int(value)}" if isinstance(value, float) and value.is_integer() else ""
