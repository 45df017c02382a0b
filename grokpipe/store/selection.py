"""Choose the run logs of a folder by their configuration. Needs no PyTorch."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from grokpipe.config.fields import flatten
from grokpipe.config.registry import nearest
from grokpipe.errors import InputError
from grokpipe.store import manifest, run_log, running
from grokpipe.store.configuration import read_scientific

STATE = "state"
MOST = 10  # values listed in an error
Values = Mapping[str, Any]
"""scientific configuration by dotted name, and the state"""


def select(folder: Path, wanted: Mapping[str, Any]) -> list[Path]:
    """Run logs of `outputs/<name>` in which each key of `wanted` has the given value or, of a list,
    any of the values; by configuration, then seed.

    A key is a dotted name of the scientific configuration, a group, which stands for its choice, or
    `state`. Raises InputError for a folder without run logs, for an unknown key, and if no run
    matches.
    """
    logs = manifest.run_logs(folder)
    training = running.keys(folder)
    states = manifest.states(folder, [log.name for log in logs], training)
    runs = {log: {STATE: states[log.name], **_configuration(log)} for log in logs}
    names = list(dict.fromkeys(name for values in runs.values() for name in values))
    criteria = {_column(key, names): _options(value) for key, value in wanted.items()}
    chosen = [
        log
        for log, values in runs.items()
        if all(_matches(values.get(name), options) for name, options in criteria.items())
    ]
    if not chosen:
        raise InputError(f"{folder}: {_unmatched([*runs.values()], criteria)}")
    order = [*(name for name in names if name not in (STATE, "seed")), "seed"]
    return sorted(chosen, key=lambda log: [_order(runs[log].get(name)) for name in order])


def _configuration(log: Path) -> Values:
    try:
        return read_scientific(log)
    except (OSError, ValueError, AttributeError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise InputError(f"{log / run_log.CONFIG}: cannot be read: {why}") from error


def _column(key: str, names: Sequence[str]) -> str:
    for name in (key, f"{key}.name"):
        if name in names:
            return name
    raise InputError(f"{key}: no such key; nearest: {', '.join(nearest(key, [*names]))}")


def _options(value: Any) -> list[Any]:
    """The values that a key may have, in the form that tables have: lists are text."""
    several = value if isinstance(value, list | tuple | set | frozenset | range) else [value]
    return [flatten({"": option})[""] for option in several]


def _matches(value: Any, options: Sequence[Any]) -> bool:
    """Whether a value is one of the options; 1 is 1.0, but true is not 1."""
    return any(isinstance(value, bool) == isinstance(o, bool) and value == o for o in options)


def _unmatched(runs: Sequence[Values], criteria: Mapping[str, Sequence[Any]]) -> str:
    """Why no run matches: the first key of which no run has a value asked for, with the values that
    are there; or that no run has all at once."""
    for name, options in criteria.items():
        if not any(_matches(values.get(name), options) for values in runs):
            there = sorted({values.get(name) for values in runs}, key=_order)
            listed = ", ".join(map(_text, there[:MOST])) + (", …" if len(there) > MOST else "")
            asked = " or ".join(map(repr, options)) or "one of no values"
            return f"no run has {name} = {asked}; there are: {listed}"
    asked = ", ".join(f"{name} = {' or '.join(map(repr, o))}" for name, o in criteria.items())
    return f"no run has all of {asked}"


def _text(value: Any) -> str:
    """A value as YAML has it."""
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)


def _order(value: Any) -> tuple[int, Any]:
    """Sort key: numbers, then words, then null."""
    if value is None:
        return 2, 0
    return (1, value) if isinstance(value, str) else (0, value)
