"""Interventions: changes to representation, loss or weights during training.

A module here has a dataclass `Config` (its first field `name`; what may differ between the cells of
a pack is marked `per_cell`) and a class `Stacked(configs, shape, device)` that acts on a stack of
cells; most derive it from `Plain` and change what they change. It may have `check(config)`, which
raises InputError for a configuration that it cannot act on.

What an intervention draws comes from the generator of (seed, intervention), and evaluations see the
network as it is, never the intervention's version of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grokpipe.config.schema import Config as CellConfig


@dataclass(frozen=True)
class Batch:
    """One cell's batch as its objective sees it."""

    logits: Tensor
    """(batch, classes)"""
    features: Tensor
    """(batch, d): what the head sees"""
    labels: Tensor
    """(batch,)"""
    head: Callable[[Tensor], Tensor]
    """features (batch, d) → logits (batch, classes), by the cell's own head"""
    loss: Callable[[Tensor], Tensor]
    """logits (batch, classes) → the training loss against the labels"""


class Plain:
    """Changes nothing; what every intervention can do, over a stack of cells."""

    def __init__(self, configs: Sequence[CellConfig], shape: tuple[int, int], device: torch.device):
        """`configs`: one a cell, in the order of the stack; `shape`: (batch, d) of a cell's
        features."""
        self.configs = list(configs)
        self.shape = shape
        self.device = device

    def arguments(self, step: int) -> list[Tensor]:
        """What the objective takes beside the batch, each (cell, …), for the step after `step`."""
        return []

    def objective(self, batch: Batch, *arguments: Tensor) -> Tensor:
        """The scalar that one cell minimises, from its slices of the arguments. It is traced once:
        it may not depend on anything else that changes."""
        return batch.loss(batch.logits)

    def update(self, parameters: Sequence[Tensor], step: int) -> None:
        """Changes the parameters (cell, …) in place after the optimiser's step number `step`."""

    def observe(self, cell: int, row: dict[str, float]) -> None:
        """Takes note of an evaluation of one cell of the stack; `apply` comes after it."""

    def apply(self, parameters: Sequence[Tensor]) -> None:
        """Changes the parameters (cell, …) in place as the evaluations so far decide; called at
        evaluations only, never between them."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors with a leading cell axis, on the CPU or the device."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass

    def per_cell(self, name: str) -> Tensor:
        """(cell,): one number of each cell's configuration, such as alpha."""
        values = [float(getattr(config.intervention, name)) for config in self.configs]
        return torch.tensor(values, device=self.device)
