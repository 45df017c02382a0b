"""A pack: cells of equal shapes, trained together as one stacked program.

Parameters, batches and optimiser state carry a leading cell axis. The network is written for one
cell; `torch.func.vmap` stacks its loss and gradient, and the result is traced (tracing.py), which
makes width 1 as fast as an ordinary autograd loop.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from grokpipe import rooms
from grokpipe.cell import Cell
from grokpipe.losses import training_loss
from grokpipe.randomness import derived_seed, generator
from grokpipe.tracing import Program, traced

Parameters = dict[str, Tensor]


class BatchStream:
    """One cell's batches: rows of the training set in shuffled epochs without replacement.

    Epochs follow one another without a gap, so a batch may take the end of one and the start of
    the next; every sample is seen once an epoch and every batch has the same size.
    """

    def __init__(self, rows: Tensor, batch_size: int, draws: torch.Generator):
        self.rows = rows
        self.batch_size = batch_size
        self.draws = draws
        self.pending = rows[:0]

    def take(self, steps: int) -> Tensor:
        """(steps, batch): the next batches; the same however the steps are cut into calls."""
        while len(self.pending) < steps * self.batch_size:
            order = torch.randperm(len(self.rows), generator=self.draws)
            self.pending = torch.cat([self.pending, self.rows[order]])
        taken = self.pending[: steps * self.batch_size]
        self.pending = self.pending[steps * self.batch_size :]
        return taken.view(steps, self.batch_size)

    def state_dict(self) -> dict[str, Tensor]:
        return {"draws": self.draws.get_state(), "pending": self.pending.clone()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.draws.set_state(state["draws"])
        self.pending = state["pending"]


class Pack:
    """Trains its cells in step. Nothing a cell draws depends on the cells beside it."""

    def __init__(self, cells: Sequence[Cell]):
        self.cells = list(cells)
        self.step = 0
        first = cells[0]
        self.inputs, self.labels = first.task.inputs, first.task.labels
        networks = [initial_network(cell) for cell in cells]
        stacked, buffers = stack_module_state(networks)
        if buffers:
            raise ValueError(f"a pack cannot stack buffers yet: {', '.join(buffers)}")
        self.parameters: Parameters = {name: p.detach() for name, p in stacked.items()}
        self._template = networks[0]
        self.streams = [
            BatchStream(c.task.train, c.config.batch_size, generator(c.config.seed, "batch"))
            for c in cells
        ]
        optimizer = rooms.module("optimizers", first.config.optimizer.name, "optimizer")
        self.optimizer = optimizer.Stacked(
            [cell.config.optimizer for cell in cells], list(self.parameters.values())
        )
        self._gradients: Program | None = None

    def advance(self, steps: int) -> None:
        """Trains every cell for `steps` more steps."""
        for inputs, labels in self._batches(steps):
            arguments = (*self.parameters.values(), inputs, labels)
            if self._gradients is None:
                names, loss = list(self.parameters), self.cells[0].config.loss
                self._gradients = traced(stacked_gradients(self._template, loss, names), *arguments)
            self.optimizer.step(self._gradients(*arguments))
        self.step += steps

    def _batches(self, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
        """`steps` pairs of inputs (cell, batch, …) and labels (cell, batch)."""
        rows = torch.stack([stream.take(steps) for stream in self.streams], 1)
        shape = rows.shape[1:]
        for flat in rows.flatten(1).unbind():
            inputs = self.inputs.index_select(0, flat)
            labels = self.labels.index_select(0, flat)
            yield inputs.view(*shape, *inputs.shape[1:]), labels.view(shape)

    def network(self, cell: int) -> nn.Module:
        """A plain module with that cell's parameters now; valid until the next call."""
        with torch.no_grad():
            for name, parameter in self._template.named_parameters():
                parameter.copy_(self.parameters[name][cell])
        return self._template

    def cell_state(self, cell: int) -> dict[str, Any]:
        """What final.pt holds of one cell: parameters, optimiser state, generators."""
        return {
            "step": self.step,
            "parameters": {name: p[cell].clone() for name, p in self.parameters.items()},
            "optimizer": self.optimizer.cell_state(cell),
            "batches": self.streams[cell].state_dict(),
        }

    def state_dict(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "parameters": self.parameters,
            "optimizer": self.optimizer.state_dict(),
            "streams": [stream.state_dict() for stream in self.streams],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.step = state["step"]
        for name, parameter in self.parameters.items():
            parameter.copy_(state["parameters"][name])
        self.optimizer.load_state_dict(state["optimizer"])
        for stream, saved in zip(self.streams, state["streams"], strict=True):
            stream.load_state_dict(saved)


def initial_network(cell: Cell) -> nn.Module:
    """The cell's network with its initial parameters, drawn from (seed, init)."""
    config = cell.config
    build = rooms.module("archs", config.arch.name, "arch").build
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(config.seed, "init"))
        network: nn.Module = build(config.arch, cell.task.inputs.shape[1:], cell.task.classes)
    return network


def stacked_gradients(network: nn.Module, loss: str, names: Sequence[str]) -> Program:
    """A function of stacked parameters in the order of `names`, inputs and labels, that gives the
    gradients of each cell's training loss, (cell, …) in the same order."""

    def cell_loss(parameters: Parameters, inputs: Tensor, labels: Tensor) -> Tensor:
        logits, _ = functional_call(network, parameters, (inputs,))
        return training_loss(loss, logits, labels)

    def gradients(*arguments: Tensor) -> list[Tensor]:
        *stacked, inputs, labels = arguments
        parameters = dict(zip(names, stacked, strict=True))
        by_name, _ = vmap(grad_and_value(cell_loss))(parameters, inputs, labels)
        return [by_name[name].contiguous() for name in names]

    return gradients


def chunks(start: int, stop: int, size: int) -> Iterator[int]:
    """Lengths that lead from `start` to `stop` in pieces of at most `size`."""
    edges = [*range(start, stop, size), stop]
    yield from (b - a for a, b in pairwise(edges))
