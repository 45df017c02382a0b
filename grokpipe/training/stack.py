"""A stack: cells of a pack that make each step together, as one program of stacked tensors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import GraphModule

from grokpipe import optimizers
from grokpipe.cell import Cell
from grokpipe.config import registry
from grokpipe.interventions import Plain
from grokpipe.training.execution import Execution
from grokpipe.training.programs.compiling import apart, compiled, marker
from grokpipe.training.programs.step import (
    cell_gradients,
    flattened,
    stacked,
    unflattened,
    whole_step,
)
from grokpipe.training.programs.tracing import Program, graph_of, traced
from grokpipe.training.trees import select

Parameters = dict[str, Tensor]


@dataclass(frozen=True)
class Data:
    """The inputs and labels that all cells of a pack share, on its device."""

    inputs: Tensor
    """(n, …)"""
    labels: Tensor
    """(n,), or (n, positions)"""


@dataclass
class Programs:
    """Programs that the stacks of a pack share: traced or compiled at their first use, by width."""

    network: nn.Module
    """the module of one cell, on the meta device"""
    loss: str
    execution: Execution
    gradients: dict[int, Program] = field(default_factory=dict)
    steps: dict[int, Program] = field(default_factory=dict)
    constraints: dict[int, Program] = field(default_factory=dict)


class Stack:
    """Trains cells in lockstep; parameters, optimiser state, batches have a leading cell axis."""

    def __init__(
        self,
        cells: Sequence[Cell],
        members: Sequence[int],
        parameters: Parameters,
        buffers: Parameters,
        data: Data,
        programs: Programs,
    ):
        """Begin from `parameters` and `buffers`, (cell, …) each, with a new optimiser state.

        Args:
            cells: in the order of the stack.
            members: their indices within the pack.
            parameters: by name, in the order of the network's.
            buffers: likewise.
            data: of the pack.
            programs: of the pack.
        """
        self.cells, self.members = [*cells], [*members]
        self.parameters, self.buffers = parameters, buffers
        self.data, self.programs = data, programs
        name = cells[0].config.optimizer.name
        tensors = [*parameters.values()]
        self.optimizer = registry.module("optimizers", name, "optimizer").Stacked(
            [cell.config.optimizer for cell in cells], tensors
        )
        self.intervention = stacked_intervention(cells, programs.network, data.inputs.device)
        self.compiled = programs.execution.compiled and hasattr(self.optimizer, "update")
        self._flat = flattened(tensors)
        if self.compiled:
            self._flat += flattened([t for part in self.optimizer.state for t in part])
            self._flat += flattened([*buffers.values()])

    @property
    def width(self) -> int:
        """Number of cells."""
        return len(self.members)

    def step(self, rows: Tensor, step: int) -> None:
        """Make the steps after number `step` on the batches `rows`, (steps, cell, batch)."""
        advance = self._compiled_steps if self.compiled else self._plain_steps
        with torch.no_grad():
            advance(rows, step)

    def _plain_steps(self, rows: Tensor, step: int) -> None:
        for batch, *rates in zip(rows.unbind(), *self._rates(step, len(rows)), strict=True):
            others = self.intervention.arguments(step)
            gradients, buffers = self.gradients_and_buffers(*self.batch(batch), others)
            self.optimizer.step(gradients, *rates)
            for old, new in zip(self.buffers.values(), buffers, strict=True):
                old.copy_(new)
            step += 1
            self._constrain(step)
            self.intervention.update([*self.parameters.values()], step)

    def _compiled_steps(self, rows: Tensor, step: int) -> None:
        coefficients = self.coefficients(step, len(rows))
        if self.width == 1:
            rows, coefficients = rows[:, 0], coefficients[:, 0]
        for batch, own in zip(rows.unbind(), coefficients.unbind(), strict=True):
            others = self.intervention.arguments(step)
            step += 1
            arguments = self._step_arguments(batch, own, others, self.intervention.bounds(step))
            if self.width not in self.programs.steps:
                self.programs.steps[self.width] = compiled(
                    self.step_function(len(others)),
                    *arguments,
                    libraries=self.programs.execution.products,
                )
            self.programs.steps[self.width](*arguments)
            self.intervention.update([*self.parameters.values()], step)
        self.optimizer.advanced(len(rows))

    def _rates(self, step: int, steps: int) -> tuple[Tensor, Tensor]:
        """Learning rates and weight decays of `steps` steps after number `step`, (steps, cell)
        each."""
        configured = optimizers.rates([cell.config for cell in self.cells], step, steps)
        return self.intervention.rates(*configured, step)

    def coefficients(self, step: int, steps: int) -> Tensor:
        """The optimiser's coefficients of `steps` steps after number `step`: (steps, cell, k)."""
        coefficients: Tensor = self.optimizer.coefficients(*self._rates(step, steps))
        return coefficients

    def _step_arguments(
        self, batch: Tensor, coefficients: Tensor, others: list[Tensor], bounds: list[Tensor]
    ) -> list[Tensor]:
        data = self.data
        own = flattened([*others, *bounds])
        return [data.inputs, data.labels, batch, coefficients, *self._flat, *own]

    def step_function(self, others: int) -> Program:
        """The step that is compiled, as a function; `others` is the number of arguments of the
        intervention's objective."""
        parts = len(self.optimizer.state)
        return whole_step(
            self._cell_gradients(),
            self.optimizer.update,
            self.intervention.constrained,
            (len(self.parameters), parts, len(self.buffers), others),
            self.width,
        )

    def known(self, rows: Tensor) -> bool:
        """Return whether the step on such rows (1, cell, batch) was compiled on this machine
        before."""
        batch, coefficients = flattened([rows[0], self.coefficients(0, 1)[0]])
        others, bounds = self.intervention.arguments(0), self.intervention.bounds(1)
        arguments = self._step_arguments(batch, coefficients, others, bounds)
        return marker(apart(self.step_function(len(others)), *arguments)).exists()

    def _cell_gradients(self) -> Program:
        programs = self.programs
        names, buffers = [*self.parameters], [*self.buffers]
        return cell_gradients(programs.network, programs.loss, names, self.intervention, buffers)

    def gradients(self, inputs: Tensor, labels: Tensor, others: Sequence[Tensor]) -> list[Tensor]:
        """Gradients of each cell's objective.

        Args:
            inputs: (cell, batch, …).
            labels: (cell, batch).
            others: the intervention's arguments, (cell, …) each.

        Returns:
            (cell, …) each, in the order of `parameters`.
        """
        return self.gradients_and_buffers(inputs, labels, others)[0]

    def gradients_and_buffers(
        self, inputs: Tensor, labels: Tensor, others: Sequence[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """The same, and the buffers after the forward pass, in the order of `buffers`."""
        programs, count = self.programs.gradients, len(self.parameters)
        arguments = self._gradient_arguments(inputs, labels, others)
        if self.width not in programs:
            function = stacked(self._cell_gradients(), self.width)
            libraries = self.programs.execution.products
            programs[self.width] = traced(function, *arguments, libraries=libraries)
        results = unflattened(programs[self.width](*arguments), self.width)
        return results[:count], results[count:]

    def _gradient_arguments(
        self, inputs: Tensor, labels: Tensor, others: Sequence[Tensor]
    ) -> list[Tensor]:
        tensors = [*self.parameters.values(), *self.buffers.values()]
        return flattened([*tensors, inputs, labels, *others])

    def gradients_graph(self, inputs: Tensor, labels: Tensor) -> GraphModule:
        """Trace `gradients` for such inputs and labels."""
        arguments = self._gradient_arguments(inputs, labels, self.intervention.arguments(0))
        return graph_of(stacked(self._cell_gradients(), self.width), *arguments)

    def _constrain(self, step: int) -> None:
        if not self.intervention.constrains:
            return
        bounds, tensors = self.intervention.bounds(step), [*self.parameters.values()]
        arguments = flattened([*tensors, *bounds])
        programs = self.programs.constraints
        if self.width not in programs:
            count, constrained = len(tensors), self.intervention.constrained

            def function(*arguments: Tensor) -> list[Tensor]:
                return constrained([*arguments[:count]], *arguments[count:])

            programs[self.width] = traced(stacked(function, self.width), *arguments)
        for old, new in zip(arguments, programs[self.width](*arguments), strict=False):
            old.copy_(new)

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Look up inputs (cell, batch, …) and labels (cell, batch, …) of rows (cell, batch)."""
        flat, table = rows.flatten(), self.data
        inputs = table.inputs.index_select(0, flat)
        labels = table.labels.index_select(0, flat)
        inputs = inputs.view(*rows.shape, *inputs.shape[1:])
        return inputs, labels.view(*rows.shape, *labels.shape[1:])

    def state_dict(self) -> dict[str, Any]:
        """Trees of tensors with a leading cell axis, which training goes on to change; `buffers`
        only if the network has any."""
        return {
            "parameters": self.parameters,
            **({"buffers": self.buffers} if self.buffers else {}),
            "optimizer": self.optimizer.state_dict(),
            "intervention": self.intervention.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore optimiser and intervention; parameters and buffers are given at construction."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.intervention.load_state_dict(state["intervention"])

    def cell_state(self, cell: int) -> dict[str, Any]:
        """Copies of one member's trees, without the cell axis, on the CPU."""
        state: dict[str, Any] = select(self.state_dict(), self.members.index(cell), "cpu")
        return state


def stacked_intervention(cells: Sequence[Cell], network: nn.Module, device: torch.device) -> Plain:
    """Build the intervention on a stack of these cells, which share its name."""
    config = cells[0].config
    module = registry.module("interventions", config.intervention.name, "intervention")
    batch = config.batch_size or len(cells[0].task.train)
    shape = (batch, network.get_parameter("head.weight").shape[1])
    stacked: Plain = module.Stacked([cell.config for cell in cells], shape, device)
    stacked.names = [name for name, _ in network.named_parameters()]
    return stacked
