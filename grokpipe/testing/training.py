"""Train small packs in ways that must not matter, and compare what comes out."""

import contextlib
import copy
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
import pandas as pd
import torch
from rich.console import Console
from torch import Tensor

from grokpipe.cell import Cell
from grokpipe.errors import Interrupted
from grokpipe.store import run_log
from grokpipe.store.run_log import FINAL, RunLog
from grokpipe.testing.cells import STEPS
from grokpipe.training.execution import Execution
from grokpipe.training.loop import train
from grokpipe.training.pack import Pack, initial_network, split_state
from grokpipe.training.programs.step import batch_of
from grokpipe.training.progress import RunProgress

CLOSE = {"rtol": 1e-6, "atol": 1e-9}
"""tolerance in float64 between packs of different widths, whose sums run in another order"""


@dataclass(frozen=True)
class Trained:
    """What training left of one cell."""

    rows: pd.DataFrame
    state: dict[str, Tensor]
    """parameters and buffers by name"""


@contextlib.contextmanager
def global_seed(seed: int) -> Iterator[None]:
    """Seed the global generators of PyTorch, NumPy and Python; afterwards they are as before."""
    of_numpy, of_python = np.random.get_state(), random.getstate()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(of_numpy)
            random.setstate(of_python)


class Stopping(RunProgress):
    """Shows nothing, and requests a stop at a step."""

    def __init__(self, stop: Event, at: int | None):
        super().__init__("", 1, Console(quiet=True), enabled=False)
        self.requested, self.at = stop, at

    def update(self, step: int, active: int) -> None:
        if self.at is not None and step >= self.at:
            self.requested.set()
            self.at = None


def trained(cells: Sequence[Cell], seed: int, stop_at: int | None = None) -> list[Trained]:
    """Train a pack of these cells by the training loop.

    Args:
        cells: in the order of the pack.
        seed: of the global generators, from which nothing may draw.
        stop_at: step at which training stops with a checkpoint; a new pack then resumes from it.
    """
    with tempfile.TemporaryDirectory() as temporary:
        logs = [RunLog(Path(temporary, str(i))) for i in range(len(cells))]
        for cell, log in zip(cells, logs, strict=True):
            log.start({"seed": cell.config.seed}, {})
        for at in [None] if stop_at is None else [stop_at, None]:
            stop = Event()
            with global_seed(seed if at is None else seed + 1), contextlib.suppress(Interrupted):
                pack = Pack(cells)
                train(pack, logs, Path(temporary, "pack.pt"), Stopping(stop, at), stop, Event())
        return [_read(log.folder) for log in logs]


def _read(folder: Path) -> Trained:
    final = torch.load(folder / FINAL, weights_only=True)
    state = {**final["parameters"], **final.get("buffers", {})}
    return Trained(run_log.read_curves(folder), state)


def check_training(cells: Sequence[Cell], label: str) -> None:
    """Check that a pack trains each cell as if alone, and resumes to the bit."""
    whole = trained(cells, seed=1)
    resumed = trained(cells, seed=2, stop_at=STEPS // 2)
    if difference(whole, resumed, exact=True):
        if why := difference(whole, trained(cells, seed=2), exact=True):
            raise AssertionError(
                f"{label}: trained twice, {why}: something draws from a global generator (of "
                "PyTorch, NumPy or Python); use grokpipe.randomness.generator(seed, role)"
            )
        why = difference(whole, resumed, exact=True)
        raise AssertionError(
            f"{label}: stopped at a checkpoint and resumed, {why}: state_dict and load_state_dict "
            "must hold every generator and everything else that changes while training"
        )
    middle = len(cells) // 2
    alone = trained([cells[middle]], seed=1)
    if why := difference(alone, [whole[middle]]):
        raise AssertionError(
            f"{label}: trained alone and in a pack of {len(cells)}, {why}: what a cell draws and "
            "computes must depend on its own configuration only"
        )


def check_narrowing(pack: Pack, label: str) -> None:
    """Check that a cell trains on unchanged when the others leave its pack."""
    middle = len(pack.cells) // 2
    narrowed = Pack([pack.cells[middle]])
    narrowed.load_state_dict(copy.deepcopy(split_state(pack.state_dict(), [middle])))
    for one in (pack, narrowed):
        one.advance(STEPS // 2)
    if why := _state_difference(_state(pack, middle), _state(narrowed, 0), exact=False):
        raise AssertionError(
            f"{label}: after other cells have left its pack, {why}: state_dict must hold tensors "
            "with a leading cell axis, and load_state_dict restore them"
        )


def check_whole_step(cells: Sequence[Cell], label: str) -> None:
    """Check the step as it is compiled, the optimiser's and the intervention's pure functions with
    it, against the plain one."""
    plain, whole = Pack(cells), Pack(cells, execution=Execution(compiled=True))
    (stack,) = whole.stacks
    if not stack.compiled:  # the optimiser has no pure function
        return
    others = len(plain.intervention.arguments(0))
    whole.programs.steps[stack.width] = stack.step_function(others)
    plain = Pack(cells)
    for pack in (plain, whole):
        pack.advance(STEPS)
    for i in range(len(cells)):
        if why := _state_difference(_state(plain, i), _state(whole, i), exact=False):
            raise AssertionError(
                f"{label}: the step as it is compiled and the plain one differ: {why}: update of "
                "an optimiser must compute what step does, from its arguments alone, and "
                "constrained of an intervention may depend on nothing but its arguments"
            )


def check_gradients(pack: Pack, label: str) -> None:
    """Check a new pack's gradients, after some steps, against a plain loop over its cells; and the
    buffers that the step leaves."""
    pack.advance(STEPS // 2)
    (stack,) = pack.stacks
    inputs, labels = stack.batch(torch.cat([stream.take(1) for stream in pack.streams]))
    others = pack.intervention.arguments(pack.step)
    gradients, buffers = stack.gradients_and_buffers(inputs, labels, others)
    for i, cell in enumerate(pack.cells):
        own = [other[i] for other in others]
        plain, held = _plain_gradients(pack, cell, i, inputs[i], labels[i], own)
        mine = dict(zip(stack.buffers, (buffer[i] for buffer in buffers), strict=True))
        if why := _state_difference(held, mine, exact=False):
            raise AssertionError(
                f"{label}: buffers after a step of the pack and of a plain loop differ: {why}: "
                "forward may change buffers in place or assign them anew, as attributes of their "
                "module"
            )
        mine = dict(zip(pack.parameters, (gradient[i] for gradient in gradients), strict=True))
        if why := _state_difference(plain, mine, exact=False):
            raise AssertionError(
                f"{label}: gradients of the pack and of a plain loop differ: {why}: the objective "
                "is traced once, so it may depend on nothing but its arguments, and a shortcut "
                "must compute what the plain network does"
            )


def _plain_gradients(
    pack: Pack, cell: Cell, i: int, inputs: Tensor, labels: Tensor, others: Sequence[Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Gradients by autograd, and the buffers after the forward pass."""
    network = initial_network(cell)
    network.load_state_dict(_state(pack, i))
    logits, features = network(inputs)
    head = network.get_submodule("head")
    weight, bias = head.get_parameter("weight"), dict(head.named_parameters()).get("bias")
    batch = batch_of(cell.config.loss, logits, features, labels, weight, bias)
    pack.intervention.objective(batch, *others).backward()
    gradients = {
        name: torch.zeros_like(p) if p.grad is None else p.grad
        for name, p in network.named_parameters()
    }
    return gradients, dict(network.named_buffers())


def _state(pack: Pack, i: int) -> dict[str, Tensor]:
    """Present parameters and buffers of one member."""
    return {**pack.cell_parameters(i), **pack.cell_buffers(i)}


def difference(
    expected: Sequence[Trained], found: Sequence[Trained], exact: bool = False
) -> str | None:
    """What differs first between two trainings of the same cells; None if nothing does."""
    for i, (one, other) in enumerate(zip(expected, found, strict=True)):
        why = _rows_difference(one.rows, other.rows, exact)
        why = why or _state_difference(one.state, other.state, exact)
        if why:
            return f"{f'cell {i}: ' if len(expected) > 1 else ''}{why}"
    return None


def _rows_difference(one: pd.DataFrame, other: pd.DataFrame, exact: bool) -> str | None:
    if list(one["step"]) != list(other["step"]):
        return "other steps are logged"
    for step, before, after in zip(one["step"], one.iloc, other.iloc, strict=True):
        for column in one:
            a, b = before[column], after[column]
            same = (
                np.array_equal(a, b, equal_nan=True)
                if exact
                else np.isclose(a, b, equal_nan=True, **CLOSE)
            )
            if not same:
                return f"{column} at step {step:.0f} is {a:.9g} or {b:.9g}"
    return None


def _state_difference(one: dict[str, Tensor], other: dict[str, Tensor], exact: bool) -> str | None:
    for name, value in one.items():
        equal = torch.equal if exact else lambda a, b: torch.allclose(a, b, equal_nan=True, **CLOSE)
        if not equal(value, other[name]):
            return f"{name} is off by up to {(value - other[name]).abs().max():.3g}"
    return None
