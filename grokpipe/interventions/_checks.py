"""Check the arguments and the state of an intervention on a stack of cells."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from grokpipe.errors import InputError


def check(intervention: Any, name: str, cells: int) -> None:
    """Raise InputError, naming the intervention, for a state or arguments that a pack cannot use.

    Draws the arguments of one step.
    """
    for why in _complaints(intervention, cells):
        raise InputError(f"intervention={name}: {why}")


def _complaints(intervention: Any, cells: int) -> Iterator[str]:
    state = intervention.state_dict()
    if not isinstance(state, dict):
        yield f"state_dict returns a {type(state).__name__}; must be a dict"
    for key, value in _leaves(state, "state_dict"):
        yield from _stack_complaint(key, value, cells)
    if not state and (held := _generators(intervention)):
        yield (
            f"holds generators ({', '.join(held)}) but state_dict is empty: a resumed run would "
            "draw the same numbers again"
        )
    for i, value in enumerate(intervention.arguments(0)):
        yield from _stack_complaint(f"arguments[{i}]", value, cells)


def _stack_complaint(name: str, value: Any, cells: int) -> Iterator[str]:
    if not isinstance(value, Tensor):
        yield f"{name} is a {type(value).__name__}; must be a tensor (cell, …)"
    elif value.dim() == 0 or len(value) != cells:
        yield f"{name} has shape {tuple(value.shape)}; must be (cell, …), here ({cells}, …)"


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}[{key!r}]")
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            yield from _leaves(inner, f"{name}[{i}]")
    else:
        yield name, value


def _generators(intervention: Any) -> list[str]:
    """Attributes that are generators or hold some."""
    return [
        name
        for name, value in vars(intervention).items()
        if any(isinstance(leaf, torch.Generator) for _, leaf in _leaves(value, name))
    ]
