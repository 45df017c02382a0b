"""A cell: one point of the grid, and the key by which it is known for ever."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from grokpipe import rooms
from grokpipe.config import Config
from grokpipe.fit import check_fit
from grokpipe.randomness import generator
from grokpipe.schema import scientific_values
from grokpipe.tasks import Task

_fitting: dict[str, tuple[str, int, bool, int]] = {}

SCHEMA_VERSION = 1  # raise it only when the same configuration comes to mean another run


@dataclass(frozen=True, eq=False)
class Cell:
    """A checked configuration; its data are loaded when they are asked for."""

    config: Config
    fingerprint: str
    """of the raw data"""
    classes: int
    tokens: bool
    """whether inputs are tokens, rather than images"""
    parameters: int
    """numbers that are trained"""

    @classmethod
    def of(cls, config: Config) -> "Cell":
        """Raises InputError if configuration and data do not fit, or the data are not to be had."""
        # Seeds and decays decide neither; a grid of a thousand cells is checked once a shape.
        shape = json.dumps(scientific_values(config, shared=True), sort_keys=True)
        if shape not in _fitting:
            task = _load(config)
            parameters = check_fit(config, task)
            tokens = task.vocabulary is not None
            _fitting[shape] = (task.fingerprint, task.classes, tokens, parameters)
        return cls(config, *_fitting[shape])

    @property
    def task(self) -> Task:
        """The data, with the split of this cell's seed."""
        return _load(self.config)

    @cached_property
    def values(self) -> dict[str, Any]:
        """The resolved scientific configuration, nested."""
        return scientific_values(self.config)

    @property
    def shared(self) -> str:
        """Equal for cells that can train in one pack: same shapes, same schedule."""
        values = scientific_values(self.config, shared=True)
        return json.dumps({"data": self.fingerprint, "config": values}, sort_keys=True)

    @cached_property
    def key(self) -> str:
        return key_of(self.values, self.fingerprint)


def key_of(values: dict[str, Any], fingerprint: str) -> str:
    """16 hexadecimal digits of SHA-256 over scientific configuration, data and schema version.

    The resolved values are hashed, not their difference from the defaults: an edited default is
    another key.
    """
    identity = {"schema": SCHEMA_VERSION, "data": fingerprint, "config": values}
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _load(config: Config) -> Task:
    load = rooms.module("tasks", config.task.name, "task").load
    task: Task = load(config.task, generator(config.seed, "split"))
    return task
