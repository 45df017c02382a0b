"""A pack: cells of equal shapes, trained together in one process from one checkpoint.

Its cells form one stack, which steps in lockstep, or a stack each, which take turns
(execution.py). Networks are written for one cell; stack.py stacks, traces and compiles them.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from grokpipe.cell import Cell
from grokpipe.config import registry
from grokpipe.errors import InputError
from grokpipe.interventions import Plain
from grokpipe.precision import dtype_of
from grokpipe.randomness import derived_seed
from grokpipe.training.batches import stream
from grokpipe.training.evaluate import NetworkOutputs, forward, network_outputs, slices
from grokpipe.training.execution import LOCKSTEP, Execution
from grokpipe.training.programs.compiling import compiled
from grokpipe.training.programs.tracing import Program, traced
from grokpipe.training.stack import Data, Parameters, Programs, Stack
from grokpipe.training.trees import concatenate, select

PLAIN = Execution()
ROUND = 2.0  # seconds between looks at a request to stop, about
TREES = ("parameters", "buffers", "optimizer", "intervention")
"""trees of tensors in a pack's state; `buffers` only where the network has any"""


class Pack:
    """Trains cells together. Nothing a cell draws depends on the other cells.

    A cell is identified by its index in `cells`; `members` are those in training.
    """

    def __init__(self, cells: Sequence[Cell], device: str = "cpu", execution: Execution = PLAIN):
        self.cells = list(cells)
        self.device = torch.device(device)
        self.execution = execution
        self.step = 0
        first = cells[0]
        self.tasks = [cell.task for cell in cells]
        if len({task.fingerprint for task in self.tasks}) > 1:
            raise InputError(
                f"task={first.config.task.name}: its table differs between seeds, but cells of a "
                "pack share one; draw only train and test from the generator of the split"
            )
        table = self.tasks[0]
        self.data = Data(table.inputs.to(self.device), table.labels.to(self.device))
        self.template = shortcut_network(first)
        self.programs = Programs(self.template, first.config.loss, execution)
        networks = [initial_network(cell) for cell in cells]
        parameters = {
            name: torch.stack([network.get_parameter(name).detach() for network in networks])
            for name, _ in self.template.named_parameters()
        }
        buffers = {
            name: torch.stack([network.get_buffer(name) for network in networks])
            for name, _ in self.template.named_buffers()
        }
        self.streams = [
            stream(cell.config, task.train) for cell, task in zip(cells, self.tasks, strict=True)
        ]
        self._forward: Program | None = None
        self._step_seconds = ROUND
        self.stacks = self._stacks(range(len(cells)), parameters, buffers)

    def _stacks(
        self, members: Sequence[int], parameters: Parameters, buffers: Parameters
    ) -> list[Stack]:
        """Stacks that begin from `parameters` and `buffers`, a row for each of `members`."""
        lockstep = self.execution.order == LOCKSTEP
        groups = [[*range(len(members))]] if lockstep else [[row] for row in range(len(members))]
        parameters = {name: p.to(self.device) for name, p in parameters.items()}
        buffers = {name: b.to(self.device) for name, b in buffers.items()}
        return [
            Stack(
                [self.cells[members[row]] for row in rows],
                [members[row] for row in rows],
                parameters if lockstep else select(parameters, rows),
                buffers if lockstep else select(buffers, rows),
                self.data,
                self.programs,
            )
            for rows in groups
        ]

    @property
    def members(self) -> list[int]:
        """Cells in training, in the order of the state's rows."""
        return [cell for stack in self.stacks for cell in stack.members]

    @property
    def parameters(self) -> Parameters:
        """Present parameters (cell, …), a row for each of `members`; those of the only stack where
        there is one, which training goes on to change."""
        return concatenate([stack.parameters for stack in self.stacks])

    @property
    def intervention(self) -> Plain:
        """The intervention of a pack in lockstep."""
        (stack,) = self.stacks
        return stack.intervention

    @property
    def optimizer(self) -> Any:
        """The optimiser of a pack in lockstep."""
        (stack,) = self.stacks
        return stack.optimizer

    def _stack_of(self, cell: int) -> Stack:
        return next(stack for stack in self.stacks if cell in stack.members)

    def keep(self, members: Sequence[int]) -> None:
        """Continue with these members only; the state of the others is dropped."""
        if self.execution.order != LOCKSTEP:
            self.stacks = [self._stack_of(cell) for cell in members]
            return
        rows = [self.members.index(i) for i in members]
        self._load(members, select(self.stacks[0].state_dict(), rows))

    def _load(self, members: Sequence[int], trees: dict[str, Any]) -> None:
        """Continue with these members from a state with a row for each."""
        self.stacks = self._stacks(members, trees["parameters"], trees.get("buffers", {}))
        for stack in self.stacks:
            rows = [members.index(cell) for cell in stack.members]
            stack.load_state_dict(
                {name: select(trees[name], rows) for name in ("optimizer", "intervention")}
            )

    def advance(self, steps: int, stop: threading.Event | None = None) -> None:
        """Train every member for `steps` more steps, or until `stop` is set."""
        before = [self.streams[i].state_dict() for i in self.members]
        first = self.step
        rows = torch.stack([self.streams[i].take(steps) for i in self.members], 1)
        if self.device.type == "cuda":
            rows = rows.pin_memory().to(self.device, non_blocking=True)
        while len(rows) and not (stop is not None and stop.is_set()):
            begun, count = time.monotonic(), max(1, int(ROUND / self._step_seconds))
            self._advance_round(rows[:count])
            rows = rows[count:]
            self._step_seconds = max((time.monotonic() - begun) / count, 1e-3)
        if (done := self.step - first) < steps:  # rewind: batches were drawn for all steps
            for i, state in zip(self.members, before, strict=True):
                self.streams[i].load_state_dict(state)
                self.streams[i].take(done)

    def _advance_round(self, rows: Tensor) -> None:
        """Train on rows (steps, cell, batch): each stack makes all these steps in its turn."""
        widths = [stack.width for stack in self.stacks]
        for stack, own in zip(self.stacks, rows.split(widths, 1), strict=True):
            stack.step(own, self.step)
        self.step += len(rows)

    def gradients(self, inputs: Tensor, labels: Tensor) -> list[Tensor]:
        """Gradients of each member's objective on its batch.

        Args:
            inputs: (cell, batch, …).
            labels: (cell, batch).

        Returns:
            (cell, …) each, in the order of `parameters`.
        """
        widths = [stack.width for stack in self.stacks]
        parts = zip(self.stacks, inputs.split(widths), labels.split(widths), strict=True)
        return concatenate(
            [
                stack.gradients(x, y, stack.intervention.arguments(self.step))
                for stack, x, y in parts
            ]
        )

    def observe(self, cell: int, row: dict[str, float]) -> None:
        """Let the intervention take note of an evaluation of one member."""
        stack = self._stack_of(cell)
        stack.intervention.observe(stack.members.index(cell), row)

    def awaited(self, cell: int) -> list[str]:
        """Settings of what the intervention on one member still waits for."""
        stack = self._stack_of(cell)
        return stack.intervention.awaited(stack.members.index(cell), self.step)

    def intervene(self) -> None:
        """Let the intervention change parameters as the evaluations so far decide."""
        for stack in self.stacks:
            stack.intervention.apply([*stack.parameters.values()])

    def cell_parameters(self, cell: int) -> Parameters:
        """Present parameters of one member, as views that further training changes."""
        stack = self._stack_of(cell)
        row = stack.members.index(cell)
        return {name: p[row] for name, p in stack.parameters.items()}

    def cell_buffers(self, cell: int) -> Parameters:
        """Present buffers of one member, likewise."""
        stack = self._stack_of(cell)
        row = stack.members.index(cell)
        return {name: b[row] for name, b in stack.buffers.items()}

    def outputs(self, cell: int) -> NetworkOutputs:
        """Present logits and features of one member on the full data set."""
        parameters, buffers = self.cell_parameters(cell), self.cell_buffers(cell)
        if self._forward is None:
            self._forward = evaluation_program(
                self.template, {**parameters, **buffers}, self.data.inputs, self.execution
            )
        return network_outputs(self._forward, parameters, self.data.inputs, buffers)

    def cell_state(self, cell: int) -> dict[str, Any]:
        """State of one member for final.pt, on the CPU: parameters, buffers if there are any,
        optimiser, generators."""
        return {
            "step": self.step,
            **self._stack_of(cell).cell_state(cell),
            "batches": self.streams[cell].state_dict(),
        }

    def state_dict(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "members": self.members,
            **concatenate([stack.state_dict() for stack in self.stacks]),
            "streams": [stream.state_dict() for stream in self.streams],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.step = state["step"]
        self._load(state["members"], state)
        for mine, saved in zip(self.streams, state["streams"], strict=True):
            mine.load_state_dict(saved)


def evaluation_program(
    network: nn.Module, tensors: Parameters, inputs: Tensor, execution: Execution
) -> Program:
    """Build the function that `network_outputs` applies, as training computes it; `tensors` are
    parameters and buffers."""
    function, example = forward(network, list(tensors)), slices(inputs)[0]
    arguments = (*tensors.values(), example)
    make = compiled if execution.compiled else traced
    with torch.no_grad():
        return make(function, *arguments, libraries=execution.products)


def split_state(state: dict[str, Any], cells: Sequence[int]) -> dict[str, Any]:
    """Extract from the state of a pack that of a pack of some of its cells, in the given order."""
    kept = [i for i in cells if i in state["members"]]
    rows = [state["members"].index(i) for i in kept]
    return {
        "step": state["step"],
        "members": [cells.index(i) for i in kept],
        **{name: select(state[name], rows) for name in TREES if name in state},
        "streams": [state["streams"][i] for i in cells],
    }


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
    """Build the fastest module for the cell's network, on the meta device: parameters and buffers
    are passed to it."""
    arch, task = registry.module("archs", cell.config.arch.name, "arch"), cell.task
    with torch.device("meta"):
        network: nn.Module = getattr(arch, "build_shortcut", arch.build)(cell.config.arch, task)
    return network.to(dtype_of(cell.config.dtype))


def chunks(start: int, stop: int, size: int) -> Iterator[int]:
    """Yield the lengths of pieces, each at most `size`, that lead from `start` to `stop`."""
    edges = [*range(start, stop, size), stop]
    yield from (b - a for a, b in pairwise(edges))
