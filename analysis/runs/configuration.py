"""A run log's configuration, read as OmegaConf reads it and in a twentieth of its time."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from grokpipe.config.fields import flatten
from grokpipe.config.schema import operational_names
from grokpipe.store import run_log

_BLOCK = re.compile(r"(?<=\n)(?=\w)")  # where the next of the outermost names begins
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # C, where PyYAML was built with it


class _Loader(_Base):  # type: ignore[misc]
    """YAML by OmegaConf's rules: `1e-3` and `1.0e3` are numbers too, and a date is text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9]+(?:_[0-9]+)*(?:\.[0-9_]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Base.construct_yaml_str)


def read_config(log: Path) -> dict[str, Any]:
    """The resolved configuration, nested. Not to be changed: its groups may be shared."""
    text = (log / run_log.CONFIG).read_text()
    return {name: value for block in _BLOCK.split(text) for name, value in _parsed(block).items()}


def read_scientific(log: Path) -> dict[str, Any]:
    """The scientific configuration by dotted name; lists are text."""
    flat = flatten(read_config(log))
    return {name: value for name, value in flat.items() if name not in _operational()}


@lru_cache(maxsize=4096)
def _parsed(block: str) -> dict[str, Any]:
    """One outermost name and its value; the cells of a sweep differ in few of them."""
    return yaml.load(block, _Loader) or {}


_operational = lru_cache(maxsize=1)(operational_names)
