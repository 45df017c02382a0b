"""Whether the parts of a configuration fit one another, checked before anything runs."""

from types import ModuleType

import torch

from grokpipe import rooms
from grokpipe.config import Config
from grokpipe.errors import InputError
from grokpipe.tasks import Task


def check_fit(config: Config, task: Task) -> int:
    """The number of the network's parameters. Raises InputError for an architecture or a measure
    that cannot take the task, and for batches that it cannot fill."""
    _check_choice("archs", "arch", config.arch.name, task, config.task.name)
    for name in config.measures.names:
        _check_choice("measures", "measures.names", name, task, config.task.name)
    with torch.random.fork_rng(devices=[]):  # what is wrong with its shapes raises here
        network = rooms.module("archs", config.arch.name, "arch").build(config.arch, task)
    if config.batches == "epochs" and (config.batch_size or 0) > len(task.train):
        raise InputError(
            f"batch_size={config.batch_size}: larger than the training set of {len(task.train)} "
            "samples; take fewer, batches=replacement or batches=full"
        )
    return sum(p.numel() for p in network.parameters())


def _check_choice(room: str, key: str, name: str, task: Task, task_name: str) -> None:
    if why := _unfit(rooms.module(room, name, key), task):
        valid = [n for n in rooms.names(room) if not _unfit(rooms.module(room, n, key), task)]
        raise InputError(
            f"{key}={name}: {why}, so not with task={task_name}; valid: {', '.join(valid)}"
        )


def _unfit(module: ModuleType, task: Task) -> str | None:
    why: str | None = module.unfit(task) if hasattr(module, "unfit") else None
    return why
