"""Read a run log's configuration as OmegaConf does, in a twentieth of the time."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from grokpipe.config.fields import flatten
from grokpipe.config.schema import operational_names
from grokpipe.store import run_log

_BLOCK = re.compile(r"(?<=\n)(?=\w)")  # start of the next outermost name
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C if PyYAML was built with it


class _Loader(_Base):  # type: ignore[misc]
    """YAML by OmegaConf's rules: `1e-3` and `1.0e3` are numbers too, and a date is text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9]+(?:_[0-9]+)*(?:\.[0-9_]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Base.construct_yaml_str)


def read_config(log: Path) -> dict[str, Any]:
    """Read the resolved configuration, nested. Do not change it: its groups may be shared."""
    text = (log / run_log.CONFIG).read_text()
    return {name: value for block in _BLOCK.split(text) for name, value in _parsed(block).items()}


def read_scientific(log: Path) -> dict[str, Any]:
    """Read the scientific configuration by dotted name; lists are text."""
    flat = flatten(read_config(log))
    return {name: value for name, value in flat.items() if name not in _operational()}


@lru_cache(maxsize=4096)
def _parsed(block: str) -> dict[str, Any]:
    """Parse one outermost name and its value; cached, as the cells of a sweep share most."""
    return yaml.load(block, _Loader) or {}


_operational = lru_cache(maxsize=1)(operational_names)
