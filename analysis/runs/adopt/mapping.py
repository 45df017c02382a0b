"""The map from another program's columns to the names here: a YAML file, given by --map.

columns: {step: iteration, test_accuracy: val/acc}      # name here: name there
configuration: {weight_decay: wd, seed: seed}
fixed: {task.name: mod_add, classes: 97, steps: 100000} # of all runs
scale: {test_accuracy: 0.01}                            # per cent
name: 'wd(?P<weight_decay>[0-9.]+)_s(?P<seed>[0-9]+)'   # of a run, found in its name
runs: {baseline-1: {seed: 1, state: diverged}}          # of single runs, by their name
ignore: [lr_now]                                        # columns to leave out
"""

import difflib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from analysis.runs.checks.schema import STATES
from analysis.runs.rows import CELL_COLUMNS
from grokpipe.errors import InputError

ROLES = ("run", "key", "step")
TAKEN = ("key", "trained_steps", "step", "run")
"""columns that are no configuration"""


@dataclass(frozen=True)
class Map:
    """What the user says about the columns; empty without --map."""

    columns: dict[str, str] = field(default_factory=dict)
    """run, key, step and measures: name here → name there"""
    configuration: dict[str, str] = field(default_factory=dict)
    """configuration, and what is known of a run: name here → name there"""
    fixed: dict[str, Any] = field(default_factory=dict)
    """values of all runs"""
    scale: dict[str, float] = field(default_factory=dict)
    """factors by the name here"""
    name: str | None = None
    """regular expression whose named groups are configuration, searched in the name of a run"""
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """values of single runs"""
    ignore: tuple[str, ...] = ()
    """columns to leave out"""

    @property
    def theirs(self) -> dict[str, str]:
        """name here → name there, of all columns that are named."""
        return {**self.columns, **self.configuration}


def read(path: Path) -> Map:
    """Read a map. Raises InputError for what is none: an unknown key, a value of another kind, a
    name that stands twice."""
    try:
        given = OmegaConf.to_container(OmegaConf.load(path))
    except FileNotFoundError as error:
        raise InputError(f"--map {path}: no such file") from error
    except (yaml.YAMLError, OmegaConfBaseException, UnicodeError, OSError) as error:
        why = " ".join(str(error).split())
        raise InputError(f"--map {path}: not readable as YAML ({why})") from error
    if not isinstance(given, dict):
        raise InputError(f"--map {path}: must be a map with {_valid(_keys())}")
    checked = {str(key): _checked(path, str(key), value) for key, value in given.items()}
    found = Map(**checked)
    _check_names(path, found)
    return found


def _keys() -> list[str]:
    return [item.name for item in fields(Map)]


def _checked(path: Path, key: str, value: Any) -> Any:
    if key not in _keys():
        raise InputError(f"--map {path}: no key {unknown(key, _keys())}")
    if key == "name":
        try:
            groups = re.compile(str(value)).groupindex
        except re.error as error:
            raise InputError(f"--map {path}: name: {value}: {error}") from error
        if not groups:
            raise InputError(f"--map {path}: name: {value}: has no named group (?P<seed>…)")
        return str(value)
    if key == "ignore":
        if not isinstance(value, list):
            raise InputError(f"--map {path}: ignore: must be a list of columns")
        return tuple(map(str, value))
    if not isinstance(value, dict):
        raise InputError(f"--map {path}: {key}: must be a map, such as {EXAMPLES[key]}")
    items = {str(name): item for name, item in value.items()}
    for name, item in items.items():
        right = isinstance(item, KINDS[key]) and not (key == "scale" and isinstance(item, bool))
        if not right:
            raise InputError(f"--map {path}: {key}: {name}: {item}: must be like {EXAMPLES[key]}")
    if key in ("columns", "configuration"):
        return {name: str(item) for name, item in items.items()}
    return items


EXAMPLES = {
    "columns": "{test_accuracy: val/acc}",
    "configuration": "{weight_decay: wd}",
    "fixed": "{classes: 97}",
    "scale": "{test_accuracy: 0.01}",
    "runs": "{run-1: {seed: 1}}",
}
KINDS = {
    "columns": (str, int),
    "configuration": (str, int),
    "fixed": (str, int, float, bool),
    "scale": (int, float),
    "runs": (dict,),
}


def _check_names(path: Path, given: Map) -> None:
    of_runs = {name for values in given.runs.values() for name in values}
    for key, names in (("configuration", given.configuration), ("fixed", given.fixed),
                       ("runs", of_runs)):  # fmt: skip
        for name in names:
            if name in TAKEN:
                hint = f"columns: {{{name}: …}}" if name in ROLES else "the last step is read"
                raise InputError(f"--map {path}: {key}: {name}: is no configuration; {hint}")
    for name in given.columns:
        other = next((k for k in ("configuration", "fixed") if name in getattr(given, k)), None)
        if other:
            raise InputError(f"--map {path}: {name}: in columns and in {other}; valid: in one")
        if name in CELL_COLUMNS and name not in ROLES:
            raise InputError(f"--map {path}: columns: {name}: belongs in configuration")
    for name in given.configuration:
        if name in given.fixed:
            raise InputError(f"--map {path}: {name}: in configuration and in fixed; valid: in one")
    states = [values.get("state") for values in ({**given.fixed}, *given.runs.values())]
    for state in states:
        if state is not None and state not in STATES:
            raise InputError(f"--map {path}: state: {state}: must be one of {', '.join(STATES)}")


def check_columns(given: Map, there: Collection[str], what: str) -> None:
    """Raise InputError for the first name of the map that is no column of the files (`what`)."""
    for ours, theirs in given.theirs.items():
        if theirs not in there:
            raise InputError(f"--map: {ours}: {what}: no column {unknown(theirs, there)}")
    for theirs in given.ignore:
        if theirs not in there:
            raise InputError(f"--map: ignore: {what}: no column {unknown(theirs, there)}")


def unknown(name: str, valid: Collection[str]) -> str:
    """The end of a refusal: the nearest of the valid names, and all of them."""
    near = difflib.get_close_matches(name, list(valid), n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f"{name}{meant}; valid: {_valid(valid)}"


def _valid(names: Iterable[str]) -> str:
    return ", ".join(map(str, names))
