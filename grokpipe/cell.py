"""One point of the grid, identified by a stable content hash."""

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from grokpipe.archs import _checks as arch_checks
from grokpipe.config import registry
from grokpipe.config.fields import leaves, scientific_values
from grokpipe.config.keys import key_of
from grokpipe.config.schema import Config
from grokpipe.curves import definitions
from grokpipe.errors import InputError
from grokpipe.measures import _columns as measured
from grokpipe.measures.weights import depth
from grokpipe.precision import dtype_of, in_precision
from grokpipe.randomness import generator
from grokpipe.tasks import Task
from grokpipe.tasks import _checks as task_checks

_fitting: dict[str, tuple[str, int, bool, int, int]] = {}


@dataclass(frozen=True, eq=False)
class Cell:
    """One point of the grid: a checked configuration, whose data are loaded when needed."""

    config: Config
    fingerprint: str
    """hash of the raw data"""
    classes: int
    tokens: bool
    """whether inputs are tokens rather than images"""
    parameters: int
    """number of trained parameters"""
    positions: int = 1
    """supervised positions of a sample"""

    @classmethod
    def of(cls, config: Config) -> "Cell":
        """Build the cell of a checked configuration.

        Raises InputError if configuration and data do not fit, or the data are not available.
        """
        # Seeds and decays do not matter: a grid of a thousand cells is checked once per shape.
        shape = json.dumps(scientific_values(config, shared=True), sort_keys=True)
        if shape not in _fitting:
            task = _load(config)
            parameters = check_fit(config, task)
            tokens = task.vocabulary is not None
            _fitting[shape] = (task.fingerprint, task.classes, tokens, parameters, task.positions)
        return cls(config, *_fitting[shape])

    @property
    def folder(self) -> Path:
        """`outputs/<name>`, the folder of the run logs of this name."""
        return Path(self.config.outputs) / self.config.name

    @property
    def task(self) -> Task:
        """The data in the precision of training, with the split of this cell's seed."""
        return _load(self.config)

    @cached_property
    def values(self) -> dict[str, Any]:
        """Resolved scientific configuration, nested."""
        return scientific_values(self.config)

    @property
    def shared(self) -> str:
        """Text that is equal for cells that can train in one pack: same shapes, same schedule."""
        values = scientific_values(self.config, shared=True)
        return json.dumps({"data": self.fingerprint, "config": values}, sort_keys=True)

    @cached_property
    def key(self) -> str:
        """Identity of the cell: 16 hexadecimal digits, see `key_of`."""
        return key_of(self.values, self.fingerprint)


def _load(config: Config) -> Task:
    load = registry.module("tasks", config.task.name, "task").load
    task = load(config.task, generator(config.seed, "split"))
    task_checks.check(task, config.task.name)
    return replace(task, inputs=in_precision(task.inputs, dtype_of(config.dtype)))


def check_fit(config: Config, task: Task) -> int:
    """Check that architecture, measures, events and batch size fit the task; count the parameters.

    Raises InputError for an architecture or a measure that cannot take the task, for an event on a
    column that is not logged, and for a batch size above the size of the training set.
    """
    _check_choice("archs", "arch", config.arch.name, task, config.task.name)
    for key in ("names", "sparse"):
        for name in getattr(config.measures, key) or []:
            _check_choice("measures", f"measures.{key}", name, task, config.task.name)
    intervention = registry.module("interventions", config.intervention.name, "intervention")
    if hasattr(intervention, "check_task"):
        intervention.check_task(config, task)
    with torch.random.fork_rng(devices=[]):  # build once, so that wrong shapes raise here
        network = registry.module("archs", config.arch.name, "arch").build(config.arch, task)
    arch_checks.check(network.to(dtype_of(config.dtype)), task, config.arch.name)
    _check_events(config, task, depth(dict(network.named_parameters())))
    if config.batches == "epochs" and (config.batch_size or 0) > len(task.train):
        raise InputError(
            f"batch_size={config.batch_size}: larger than the training set of {len(task.train)} "
            "samples; take fewer, batches=replacement or batches=full"
        )
    return sum(p.numel() for p in network.parameters())


def _check_events(config: Config, task: Task, hidden: int) -> None:
    """Check that the run logs the columns of the events that it waits for (stop rule, freeze);
    `hidden` is the number of the network's fully connected hidden layers."""
    own = task.classes, task.positions, hidden
    waited_for = [(k, event) for k, event, rule in leaves(config) if rule.event and event]
    for key, event in waited_for:
        logged = measured.columns(config.measures.names, *own)
        for column in definitions.columns([event]):
            missing = column not in logged
            if missing and (measure := measured.measuring(column, *own)):
                raise InputError(f"{key}={event}: needs {measure} among measures.names")
            if missing:
                raise InputError(f"{key}={event}: no column {column}; valid: {', '.join(logged)}")


def _check_choice(package: str, key: str, name: str, task: Task, task_name: str) -> None:
    unfit = _unfit_network if package == "archs" else _unfit
    if why := unfit(registry.module(package, name, key), task):
        valid = [n for n, module in registry.modules(package, key) if not unfit(module, task)]
        raise InputError(
            f"{key}={name}: {why}, so not with task={task_name}; valid: {', '.join(valid)}"
        )


def _unfit(module: ModuleType, task: Task) -> str | None:
    why: str | None = module.unfit(task) if hasattr(module, "unfit") else None
    return why


def _unfit_network(module: ModuleType, task: Task) -> str | None:
    if task.positions > 1 and not getattr(module, "POSITIONS", False):
        return f"reads out one position rather than {task.positions}"
    return _unfit(module, task)
