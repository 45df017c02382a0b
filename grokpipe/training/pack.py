"""A pack: cells of equal shapes, trained together as one stacked program.

Parameters, batches and optimiser state carry a leading cell axis. The network is written for one
cell; `torch.func.vmap` stacks its loss and gradient, and the result is traced (tracing.py), which
makes width 1 as fast as an ordinary autograd loop, and compiled where that pays (compiling.py).
"""

import threading
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap
from torch.nn import functional

from grokpipe.cell import Cell
from grokpipe.config import registry
from grokpipe.errors import InputError
from grokpipe.interventions import Batch, Plain
from grokpipe.losses import training_loss
from grokpipe.precision import dtype_of
from grokpipe.randomness import derived_seed
from grokpipe.training.batches import stream
from grokpipe.training.compiling import compiled_program
from grokpipe.training.evaluate import NetworkOutputs, forward, network_outputs, slices
from grokpipe.training.execution import Execution
from grokpipe.training.tracing import Program, traced

Parameters = dict[str, Tensor]
PLAIN = Execution()


class Pack:
    """Trains a stack of cells in lockstep. Nothing a cell draws depends on the other cells.

    A cell is identified by its index in `cells`; `members` are those in training, in the order of
    the stack.
    """

    def __init__(self, cells: Sequence[Cell], device: str = "cpu", execution: Execution = PLAIN):
        self.cells = list(cells)
        self.device = torch.device(device)
        self.execution = execution
        self.compiled = execution.compiled
        self.step = 0
        first = cells[0]
        self.tasks = [cell.task for cell in cells]
        if len({task.fingerprint for task in self.tasks}) > 1:
            raise InputError(
                f"task={first.config.task.name}: its table differs between seeds, but cells of a "
                "pack share one; draw only train and test from the generator of the split"
            )
        self.inputs = self.tasks[0].inputs.to(self.device)
        self.labels = self.tasks[0].labels.to(self.device)
        self.template = shortcut_network(first)
        networks = [dict(initial_network(cell).named_parameters()) for cell in cells]
        parameters = {
            name: torch.stack([network[name].detach() for network in networks])
            for name, _ in self.template.named_parameters()
        }
        self.streams = [
            stream(cell.config, task.train) for cell, task in zip(cells, self.tasks, strict=True)
        ]
        self._forward: Program | None = None
        self._stack(range(len(cells)), parameters)

    def _stack(self, members: Sequence[int], parameters: Parameters) -> None:
        """Train `parameters`, a row for each of `members`, from a new optimiser state."""
        self.members = list(members)
        self.parameters = {name: p.to(self.device) for name, p in parameters.items()}
        name = self.cells[0].config.optimizer.name
        self.optimizer = registry.module("optimizers", name, "optimizer").Stacked(
            [self.cells[i].config.optimizer for i in members], list(self.parameters.values())
        )
        self.intervention = stacked_intervention(
            [self.cells[i] for i in members], self.template, self.device
        )
        self._gradients: Program | None = None

    def keep(self, members: Sequence[int]) -> None:
        """Continue with these members only; the state of the others is dropped."""
        rows = [self.members.index(i) for i in members]
        optimizer = select(self.optimizer.state_dict(), rows)
        intervention = select(self.intervention.state_dict(), rows)
        self._stack(members, select(self.parameters, rows))
        self.optimizer.load_state_dict(optimizer)
        self.intervention.load_state_dict(intervention)

    def advance(self, steps: int, stop: threading.Event | None = None) -> None:
        """Train every member for `steps` more steps, or until `stop` is set."""
        before = [self.streams[i].state_dict() for i in self.members]
        first = self.step
        for inputs, labels in self._batches(steps):
            if stop is not None and stop.is_set():
                break
            self.optimizer.step(self.gradients(inputs, labels))
            self.step += 1
            self.intervention.update([*self.parameters.values()], self.step)
        if (done := self.step - first) < steps:  # rewind: batches were drawn for all steps
            for i, state in zip(self.members, before, strict=True):
                self.streams[i].load_state_dict(state)
                self.streams[i].take(done)

    def gradients(self, inputs: Tensor, labels: Tensor) -> Sequence[Tensor]:
        """Gradients of each member's objective on its batch.

        Args:
            inputs: (cell, batch, …).
            labels: (cell, batch).

        Returns:
            (cell, …) each, in the order of `parameters`.
        """
        others = self.intervention.arguments(self.step)
        arguments = (*self.parameters.values(), inputs, labels, *others)
        if self._gradients is None:
            loss = self.cells[0].config.loss
            function = stacked_gradients(
                self.template, loss, list(self.parameters), self.intervention
            )
            self._gradients = traced(function, *arguments)
            if self.compiled:
                self._gradients = compiled_program(self._gradients)
        return self._gradients(*arguments)

    def _batches(self, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Draw `steps` pairs of inputs (cell, batch, …) and labels (cell, batch)."""
        rows = torch.stack([self.streams[i].take(steps) for i in self.members], 1)
        shape = rows.shape[1:]
        if self.device.type == "cuda":
            rows = rows.pin_memory().to(self.device, non_blocking=True)
        for flat in rows.flatten(1).unbind():
            inputs = self.inputs.index_select(0, flat)
            labels = self.labels.index_select(0, flat)
            yield inputs.view(*shape, *inputs.shape[1:]), labels.view(shape)

    def cell_parameters(self, cell: int) -> Parameters:
        """Present parameters of one member, as views that further training changes."""
        row = self.members.index(cell)
        return {name: p[row] for name, p in self.parameters.items()}

    def outputs(self, cell: int) -> NetworkOutputs:
        """Present logits and features of one member on the full data set."""
        parameters = self.cell_parameters(cell)
        if self._forward is None:
            self._forward = forward(self.template, list(parameters))
            if self.compiled:
                example = slices(self.inputs)[0]
                program = traced(self._forward, *parameters.values(), example)
                self._forward = compiled_program(program)
        return network_outputs(self._forward, parameters, self.inputs)

    def cell_state(self, cell: int) -> dict[str, Any]:
        """State of one member for final.pt, on the CPU: parameters, optimiser, generators."""
        row = self.members.index(cell)
        return {
            "step": self.step,
            "parameters": select(self.parameters, row, "cpu"),
            "optimizer": select(self.optimizer.state_dict(), row, "cpu"),
            "intervention": select(self.intervention.state_dict(), row, "cpu"),
            "batches": self.streams[cell].state_dict(),
        }

    def state_dict(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "members": self.members,
            "parameters": self.parameters,
            "optimizer": self.optimizer.state_dict(),
            "intervention": self.intervention.state_dict(),
            "streams": [stream.state_dict() for stream in self.streams],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.step = state["step"]
        self._stack(state["members"], state["parameters"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.intervention.load_state_dict(state["intervention"])
        for mine, saved in zip(self.streams, state["streams"], strict=True):
            mine.load_state_dict(saved)


def split_state(state: dict[str, Any], cells: Sequence[int]) -> dict[str, Any]:
    """Extract from the state of a pack that of a pack of some of its cells, in the given order."""
    kept = [i for i in cells if i in state["members"]]
    rows = [state["members"].index(i) for i in kept]
    return {
        "step": state["step"],
        "members": [cells.index(i) for i in kept],
        "parameters": select(state["parameters"], rows),
        "optimizer": select(state["optimizer"], rows),
        "intervention": select(state["intervention"], rows),
        "streams": [state["streams"][i] for i in cells],
    }


def select(tree: Any, rows: int | Sequence[int], device: str | None = None) -> Any:
    """Copy rows of every tensor in nested lists and dictionaries, to `device` if given."""
    if isinstance(tree, Tensor):
        return tree[rows].clone().to(device or tree.device)
    if isinstance(tree, dict):
        return {name: select(value, rows, device) for name, value in tree.items()}
    return [select(value, rows, device) for value in tree]


def stack(trees: Sequence[Any]) -> Any:
    """Stack the tensors of trees of one structure, the inverse of `select` of each row."""
    first = trees[0]
    if isinstance(first, Tensor):
        return torch.stack([*trees])
    if isinstance(first, dict):
        return {name: stack([tree[name] for tree in trees]) for name in first}
    return [stack(members) for members in zip(*trees, strict=True)]


def step_seconds(cells: Sequence[Cell], device: torch.device) -> float:
    """Time one uncompiled training step of a pack of these cells, in seconds.

    The fastest of a few steps on fixed rows, so that no generator is used.
    """
    pack = Pack(cells, str(device))
    batch = cells[0].config.batch_size or len(pack.tasks[0].train)
    rows = torch.arange(batch).expand(len(cells), -1) % len(pack.inputs)
    inputs, labels = pack.inputs[rows], pack.labels[rows]
    times = []
    for _ in range(4):  # the first one traces
        start = time.perf_counter()
        pack.optimizer.step(pack.gradients(inputs, labels))
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return min(times)


def initial_network(cell: Cell) -> nn.Module:
    """Build the cell's plain network with its initial parameters, drawn from (seed, init) in
    float32 whatever the precision of training."""
    config = cell.config
    build = registry.module("archs", config.arch.name, "arch").build
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(config.seed, "init"))
        network: nn.Module = build(config.arch, cell.task)
    return network.to(dtype_of(config.dtype))


def shortcut_network(cell: Cell) -> nn.Module:
    """Build the fastest module for the cell's network, on the meta device: parameters are passed
    to it."""
    arch, task = registry.module("archs", cell.config.arch.name, "arch"), cell.task
    with torch.device("meta"):
        network: nn.Module = getattr(arch, "build_shortcut", arch.build)(cell.config.arch, task)
    return network.to(dtype_of(cell.config.dtype))


def stacked_intervention(cells: Sequence[Cell], network: nn.Module, device: torch.device) -> Plain:
    """Build the intervention on a stack of these cells, which share its name."""
    config = cells[0].config
    module = registry.module("interventions", config.intervention.name, "intervention")
    batch = config.batch_size or len(cells[0].task.train)
    shape = (batch, network.get_parameter("head.weight").shape[1])
    stacked: Plain = module.Stacked([cell.config for cell in cells], shape, device)
    return stacked


def stacked_gradients(
    network: nn.Module, loss: str, names: Sequence[str], intervention: Plain
) -> Program:
    """Build the function that computes the gradients of each cell's objective.

    Its arguments are the stacked parameters in the order of `names`, inputs, labels and the
    intervention's own arguments; it returns gradients (cell, …) in the order of `names`.
    """

    def cell_objective(
        parameters: Parameters, inputs: Tensor, labels: Tensor, *others: Tensor
    ) -> Tensor:
        logits, features = functional_call(network, parameters, (inputs,))
        head = parameters["head.weight"], parameters.get("head.bias")

        def training(logits: Tensor, others: Tensor | None = None, /) -> Tensor:
            return training_loss(loss, logits, labels if others is None else others)

        batch = Batch(
            logits=logits,
            features=features,
            labels=labels,
            head=lambda z: functional.linear(z, *head),
            loss=training,
        )
        return intervention.objective(batch, *others)

    def gradients(*arguments: Tensor) -> list[Tensor]:
        parameters = dict(zip(names, arguments, strict=False))
        batch = arguments[len(names) :]
        by_name, _ = vmap(grad_and_value(cell_objective))(parameters, *batch)
        return [by_name[name].contiguous() for name in names]

    return gradients


def chunks(start: int, stop: int, size: int) -> Iterator[int]:
    """Yield the lengths of pieces, each at most `size`, that lead from `start` to `stop`."""
    edges = [*range(start, stop, size), stop]
    yield from (b - a for a, b in pairwise(edges))
