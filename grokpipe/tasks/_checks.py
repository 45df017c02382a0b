"""Check what a task module returns before anything is trained on it."""

from typing import Any

import torch
from torch import Tensor

from grokpipe.errors import InputError
from grokpipe.tasks import Task


def check(task: Any, name: str) -> None:
    """Raise InputError, naming the task, for the first thing that is not as `Task` says."""
    if why := _complaint(task):
        raise InputError(f"task={name}: {why}")


def _complaint(task: Any) -> str | None:
    if not isinstance(task, Task):
        return f"load returns a {type(task).__name__}; must be a grokpipe.tasks.Task"
    for field in ("inputs", "labels", "train", "test"):
        value = getattr(task, field)
        if not isinstance(value, Tensor):
            return f"{field} is a {type(value).__name__}; must be a tensor"
        wanted = {"train": (1,), "test": (1,), "labels": (1, 2)}.get(field)
        if wanted and (value.dtype != torch.int64 or value.dim() not in wanted):
            shape = "(n,) or (n, positions)" if field == "labels" else "(n,)"
            return f"{field} is {value.dtype} of shape {tuple(value.shape)}; must be int64 {shape}"
    if len(task.inputs) != len(task.labels):
        return f"{len(task.inputs)} inputs but {len(task.labels)} labels"
    if not isinstance(task.fingerprint, str):
        return f"fingerprint is a {type(task.fingerprint).__name__}; must be a string"
    return _range_complaint(task) or _inputs_complaint(task)


def _range_complaint(task: Task) -> str | None:
    rows = len(task.labels)
    for field, size in (("labels", task.classes), ("train", rows), ("test", rows)):
        value = getattr(task, field)
        if not value.numel():
            return f"{field} is empty"
        if value.min() < 0 or value.max() >= size:
            return f"{field} lie in [{value.min()}, {value.max()}]; must be in [0, {size})"
    split = torch.cat([task.train, task.test])
    if len(split.unique()) < len(split):
        return "train and test must name each row once, and no row may be in both"
    return None


def _inputs_complaint(task: Task) -> str | None:
    if task.vocabulary is None:
        if task.padding is not None:
            return f"padding={task.padding}: for tokens only; must be None"
        if not task.inputs.is_floating_point():
            return f"inputs are {task.inputs.dtype}; must be floats, or tokens with vocabulary set"
        return None
    if task.inputs.dtype != torch.int64:
        return f"inputs are {task.inputs.dtype}; tokens must be int64"
    if task.inputs.min() < 0 or task.inputs.max() >= task.vocabulary:
        return f"tokens must be in [0, vocabulary={task.vocabulary})"
    if task.padding is not None and not 0 <= task.padding < task.vocabulary:
        return f"padding={task.padding}: must be a token, in [0, {task.vocabulary})"
    return None
