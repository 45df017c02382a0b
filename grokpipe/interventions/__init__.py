"""Interventions: changes to representation, loss or weights during training.

A module here has a dataclass `Config` (its first field `name`; fields that may differ between the
cells of a pack are marked `per_cell`) and a class `Stacked(configs, shape, device)` that acts on a
stack of cells; most derive it from `Plain` and override what they change. It may have
`check(config)`, which raises InputError for a configuration that the intervention cannot act on,
and `check_task(config, task)`, likewise for the two together.

An intervention draws from the generator of (seed, intervention) only. Evaluations are of the
network itself, without the intervention's changes to representation or loss.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from grokpipe.config.schema import Config as CellConfig
from grokpipe.precision import dtype_of


@dataclass(frozen=True)
class Batch:
    """One cell's batch, as passed to its objective: of several supervised positions, the first."""

    logits: Tensor
    """(batch, classes)"""
    features: Tensor
    """(batch, d): input of the head"""
    labels: Tensor
    """(batch,)"""
    head: Callable[[Tensor], Tensor]
    """features (batch, d) → logits (batch, classes), by the cell's own head"""
    weight: Tensor
    """(classes, d): the head's weights; gradients flow into them as into logits and features"""
    loss: "Loss"
    """logits (batch, classes) → the training loss against the labels, or against others that are
    given: `loss(logits, labels)`"""


class Loss(Protocol):
    """The training loss of one cell's batch."""

    def __call__(self, logits: Tensor, labels: Tensor | None = None, /) -> Tensor: ...


class Plain:
    """The intervention on a stack of cells that changes nothing; base of the others."""

    def __init__(self, configs: Sequence[CellConfig], shape: tuple[int, int], device: torch.device):
        """Take one config per cell, in the order of the stack, and the shape (batch, d) of a
        cell's features."""
        self.configs = list(configs)
        self.shape = shape
        self.device = device
        self.dtype = dtype_of(self.configs[0].dtype)
        self.names: list[str] = []
        """of the parameters, in the order in which methods take them; set by the stack"""

    def arguments(self, step: int) -> list[Tensor]:
        """Further arguments of the objective, each (cell, …), for the step after `step`."""
        return []

    def objective(self, batch: Batch, *arguments: Tensor) -> Tensor:
        """Compute the scalar that one cell minimises, from its slices of the arguments.

        The function is traced once, so it must not depend on anything else that changes.
        """
        return batch.loss(batch.logits)

    def rates(self, lr: Tensor, weight_decay: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Learning rates and weight decays of the steps after number `step`, given those that the
        configurations ask for: (steps, cell) each, in float64 on the CPU.

        What evaluations decide cannot change among these steps; it comes before them, in `apply`.
        """
        return lr, weight_decay

    def bounds(self, step: int) -> list[Tensor]:
        """Further arguments of `constrained`, each (cell, …), after the optimiser's step number
        `step`."""
        return []

    @property
    def constrains(self) -> bool:
        """Whether `constrained` is of any effect."""
        return type(self).constrained is not Plain.constrained

    def constrained(self, parameters: list[Tensor], *bounds: Tensor) -> list[Tensor]:
        """Compute one cell's parameters from those after the optimiser's step and its slices of the
        bounds.

        The function is traced once, as a part of the step; so it is like `objective`.
        """
        return parameters

    def update(self, parameters: Sequence[Tensor], step: int) -> None:
        """Change the parameters (cell, …) in place after the optimiser's step number `step`, and
        after `constrained`. Called in Python at each step: for what `constrained` cannot do."""

    def observe(self, cell: int, row: dict[str, float]) -> None:
        """Takes note of an evaluation of one cell of the stack; `apply` comes after it."""

    def apply(self, parameters: Sequence[Tensor]) -> None:
        """Change the parameters (cell, …) in place as the evaluations so far decide; called at
        evaluations only, never between them."""

    def awaited(self, cell: int, step: int) -> list[str]:
        """Settings, as `key=value`, of what one cell still waits for when its training ends at step
        number `step`."""
        return []

    def state_dict(self) -> dict[str, Any]:
        """Tensors with a leading cell axis, on the CPU or the device."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass

    def per_cell(self, name: str) -> Tensor:
        """Collect one number of each cell's configuration, such as alpha: (cell,) in the precision
        of training."""
        values = [float(getattr(config.intervention, name)) for config in self.configs]
        return torch.tensor(values, dtype=self.dtype, device=self.device)
