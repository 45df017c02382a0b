"""Choose how a pack's steps are computed, by measurement on this machine.

What was measured is kept in the user's cache folder: the same command on the same machine then
computes the same bits, and a sweep of many packs measures once.
"""

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import pooch
import torch
from torch import Tensor

from grokpipe.cell import Cell
from grokpipe.config.fields import scientific_values
from grokpipe.store import files
from grokpipe.training.device import computing_seconds, generation, processor
from grokpipe.training.evaluate import forward, slices
from grokpipe.training.execution import LOCKSTEP, TURNS, Execution
from grokpipe.training.pack import Pack
from grokpipe.training.programs import products
from grokpipe.training.programs.compiling import worth_compiling
from grokpipe.training.programs.tracing import graph_of

MEASURED_FROM = 500  # steps of a run that are worth the second or so that a choice takes
SHORT = 5e-4  # seconds of a compiled step of one cell below which calls are a visible part of it
STEPS = 3  # timed at once
LENGTH = ("steps", "eval", "stop", "measures")  # scientific keys that do not change a step

Measured = dict[str, Any]
"""order, products and seconds of a step of the pack"""


def chosen(
    cells: Sequence[Cell], device: torch.device, setting: str
) -> tuple[Execution, str | None]:
    """Choose for a pack of these cells.

    On a CPU each shape of product goes to the faster library; the cells take turns, or step in
    lockstep where that is faster, as for networks so small that calls take longer than arithmetic.
    Under `auto` a pack of several cells is compiled only where that is measured as faster:
    convolutions, which stay calls of oneDNN, may lose by it.

    Args:
        cells: of the pack.
        device: where it trains.
        setting: the configuration key `compile`: auto, on or off.

    Returns:
        the choice, and a note for the user if a compiler is missing.
    """
    steps = cells[0].config.steps
    if steps < MEASURED_FROM:
        compiled, note = worth_compiling(setting, 0.0, device)
        return Execution(compiled=compiled), note
    found = uncompiled(cells, device)
    seconds = steps * found["seconds"]
    compiled, note = worth_compiling(setting, seconds, device)
    if not compiled and note is None and setting == "auto":
        compiled, note = worth_compiling(setting, seconds, device, known(cells[0], device))
    if compiled and device.type == "cpu" and len(cells) > 1:
        faster = _kept(cells, device, True, lambda: _compiled(cells, device, found))
        compiled = setting == "on" or faster["seconds"] < found["seconds"]
        found = faster if compiled else found
    return Execution(found["order"], compiled, found["products"]), note


def uncompiled(cells: Sequence[Cell], device: torch.device) -> Measured:
    """What is fastest of uncompiled steps of a pack, as measured now or before."""
    return _kept(cells, device, False, lambda: _plain(cells, device))


def _plain(cells: Sequence[Cell], device: torch.device) -> Measured:
    """Measure uncompiled steps of a pack in both orders."""
    if device.type != "cpu":
        seconds = step_seconds(cells, device, Execution())
        return {"order": LOCKSTEP, "products": {}, "seconds": seconds}
    own = own_products(cells[0])
    found = {
        "order": LOCKSTEP if len(cells) == 1 else TURNS,
        "products": own,
        "seconds": len(cells) * step_seconds(cells[:1], device, Execution(products=own)),
    }
    return found if len(cells) == 1 else _or_lockstep(cells, device, False, found)


def _compiled(cells: Sequence[Cell], device: torch.device, plain: Measured) -> Measured:
    """The same for compiled steps. That in lockstep is compiled only if one cell's is short."""
    own = plain["products"] if plain["order"] == TURNS else own_products(cells[0])
    alone = step_seconds(cells[:1], device, Execution(LOCKSTEP, True, own))
    found = {"order": TURNS, "products": own, "seconds": len(cells) * alone}
    return found if alone > SHORT else _or_lockstep(cells, device, True, found)


def _or_lockstep(
    cells: Sequence[Cell], device: torch.device, compiled: bool, turns: Measured
) -> Measured:
    together = own_products(*cells)
    seconds = step_seconds(cells, device, Execution(LOCKSTEP, compiled, together))
    lockstep = {"order": LOCKSTEP, "products": together, "seconds": seconds}
    return min(turns, lockstep, key=lambda found: found["seconds"])


def _kept(
    cells: Sequence[Cell], device: torch.device, compiled: bool, measure: Callable[[], Measured]
) -> Measured:
    """What was measured on this machine before, else what `measure` returns, which is kept."""
    values = scientific_values(cells[0].config, shared=True)
    shape = {name: value for name, value in values.items() if name not in LENGTH}
    machine = (device.type, processor(), generation(), torch.get_num_threads(), torch.__version__)
    text = json.dumps([cells[0].fingerprint, shape, len(cells), compiled, machine], sort_keys=True)
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    file = pooch.os_cache("grokpipe") / "choices" / f"{name}.json"
    with contextlib.suppress(OSError, ValueError):
        kept: Measured = json.loads(file.read_text())
        return kept
    found = measure()
    with contextlib.suppress(OSError):  # a cache only saves time
        file.parent.mkdir(parents=True, exist_ok=True)
        files.write_json(file, found)
    return found


def step_seconds(cells: Sequence[Cell], device: torch.device, execution: Execution) -> float:
    """Time one step of a stack of these cells in seconds: the fastest of a few, on fixed rows."""
    pack = Pack(cells, str(device), execution)
    rows = _rows(pack).expand(STEPS, -1, -1)
    clock = time.perf_counter if device.type == "cuda" else computing_seconds
    times = []
    for _ in range(4):  # the first one traces and compiles
        begun = clock()
        for stack in pack.stacks:
            stack.step(rows, 0)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append((clock() - begun) / STEPS)
    return min(times)


def known(cell: Cell, device: torch.device) -> bool:
    """Return whether the cell's step was compiled on this machine before."""
    pack = Pack([cell], str(device), Execution(compiled=True))
    (stack,) = pack.stacks
    return stack.compiled and stack.known(_rows(pack))


def own_products(*cells: Cell) -> dict[str, str]:
    """Choose the library of the products in a step and in an evaluation of a stack of cells."""
    pack = Pack(cells)
    (stack,) = pack.stacks
    inputs, labels = stack.batch(_rows(pack)[0])
    network = {**pack.cell_parameters(0), **pack.cell_buffers(0)}
    graphs = [
        stack.gradients_graph(inputs, labels),
        graph_of(
            forward(pack.template, [*network]), *network.values(), slices(pack.data.inputs)[0]
        ),
    ]
    return products.faster([module.graph for module in graphs])


def _rows(pack: Pack) -> Tensor:
    """Rows of the table for one step, (1, cell, batch)."""
    batch = pack.cells[0].config.batch_size or len(pack.tasks[0].train)
    rows = torch.arange(batch, device=pack.device) % len(pack.data.inputs)
    return rows.expand(1, len(pack.cells), -1)
