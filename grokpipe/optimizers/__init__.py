"""Optimisers over a stack of cells, each cell with its own coefficients.

A module here has a dataclass `Config` (its first fields `name`, `lr`, `weight_decay`) and a class
`Stacked(configs, parameters)` with `step(gradients, lr, weight_decay)`, `state_dict()`, which holds
only tensors with a leading cell axis, and `load_state_dict(state)`. Learning rates η and weight
decays λ may change from step to step: those of a step, (cell,) each, in float64 on the CPU, are
arguments, and those of the configurations are not read.

A step is compiled as a whole, the optimiser's update with it, where `Stacked` also has

- `state`: a list of parts, each with a tensor (cell, …) for every parameter; `state_dict` has them;
- `update(parameter, gradient, state, coefficients)`, a pure function of one tensor of one cell that
  returns the new parameter and its new parts of the state;
- `coefficients(lr, weight_decay)`: those of the next updates, given η and λ of each, (steps, cell):
  (steps, cell, k), in the precision of the parameters; they are inputs of the compiled step;
- `advanced(steps)`, which is told that so many such updates were made.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from grokpipe.config.schema import Config

Call = TypeVar("Call")


def rates(configs: Sequence[Config], first: int, steps: int) -> tuple[Tensor, Tensor]:
    """Learning rates, warm-up included, and weight decays that the cells' configurations ask for in
    `steps` steps from number `first` on, counted from 0: (steps, cell) each, in float64 on the
    CPU."""
    settings = [(c.optimizer.lr, c.optimizer.weight_decay, c.lr_warmup) for c in configs]
    lr, weight_decay, warmup = torch.tensor(settings, dtype=torch.float64).T
    numbers = torch.arange(first, first + steps)[:, None]
    risen = torch.where(numbers < warmup, numbers / warmup, 1.0)
    return lr * risen, weight_decay.expand(steps, -1)


class Groups(Generic[Call]):
    """Cells by equal coefficients, which PyTorch's updates take in one call each."""

    def __init__(self, configs: Sequence[Any], call: Callable[[Sequence[int]], Call]):
        """Take the cells' configurations, and what makes a call's tensors of the cells that share
        it."""
        self.configs, self.call = list(configs), call
        self._rates: tuple[list[float], list[float]] | None = None
        self._groups: list[tuple[Any, list[int], Call]] = []

    def at(self, lr: Tensor, weight_decay: Tensor) -> list[tuple[Any, list[int], Call]]:
        """Configurations with η and λ of a step, (cell,) each, in place of their own; with each the
        indices of its cells and their tensors."""
        now = lr.tolist(), weight_decay.tolist()
        if now != self._rates:
            known = {tuple(cells): call for _, cells, call in self._groups}
            changed = [
                replace(config, lr=lr, weight_decay=weight_decay)
                for config, lr, weight_decay in zip(self.configs, *now, strict=True)
            ]
            self._groups = [
                (config, cells, known.get(tuple(cells)) or self.call(cells))
                for config, cells in by_config(changed)
            ]
            self._rates = now
        return self._groups


def by_config(configs: Sequence[Any]) -> Iterator[tuple[Any, list[int]]]:
    """Yield each distinct configuration with the indices of its cells."""
    cells: dict[str, list[int]] = {}
    for cell, config in enumerate(configs):
        cells.setdefault(repr(config), []).append(cell)
    for members in cells.values():
        yield configs[members[0]], members


def sent(rows: Tensor, like: Tensor) -> Tensor:
    """Send numbers from the CPU to the device and precision of `like`, without waiting for it."""
    rows = rows.to(like.dtype)
    return rows.pin_memory().to(like.device, non_blocking=True) if like.is_cuda else rows


def slices(stack: Sequence[Tensor], cells: Sequence[int]) -> list[Tensor]:
    """Views of the given cells' rows of each tensor (cell, …), one cell after the other."""
    rows = [tensor.unbind() for tensor in stack]
    return [tensor[cell] for cell in cells for tensor in rows]
