"""Estimate the memory that a pack takes, read how much is free, and keep what steps give back.

bytes = table + evaluation + width · (p · (1 + s) + b + a + t), in bytes, with
  p  the parameters of one cell
  b  its buffers, such as running statistics of batch norm
  s  tensors of optimiser state for each (Adam and AdamW 2, SGD 1)
  a  the intermediate results of one training step that are alive at once, gradients included:
     read off the traced program, so it knows of no cache and no allocator's rounding
  t  one queued evaluation: logits, features, parameters, buffers
  table: inputs and labels, shared; evaluation: one cell's outputs in float64, and their copies
"""

import contextlib
import ctypes
import os
from pathlib import Path

import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.fx import Graph
from torch.fx.experimental.proxy_tensor import make_fx

from grokpipe.cell import Cell
from grokpipe.precision import dtype_of
from grokpipe.training.pack import shortcut_network
from grokpipe.training.programs.step import cell_gradients
from grokpipe.training.stack import stacked_intervention

OPTIMIZER_STATES = {"adamw": 2, "adam": 2, "sgd": 1}
SPARE = 0.6  # share of free memory that packs may take: allocators hold up to 1.4 times as much
MALLOC = {-1: 2**30, -3: 2**25}
"""glibc's M_TRIM_THRESHOLD and M_MMAP_THRESHOLD, in bytes; the latter at its maximum"""
COPIES = 4  # copies of the logits in float64 while measures are computed


def pack_bytes(cell: Cell, width: int) -> int:
    """Bytes that a pack of `width` cells like this one takes, by the formula above."""
    shared, per_cell = terms(cell)
    return shared + width * per_cell


def terms(cell: Cell) -> tuple[int, int]:
    """Bytes that the cells of a pack share, and bytes that each cell takes."""
    network, task = shortcut_network(cell), cell.task
    parameters, buffers = (sum(map(_bytes, ts)) for ts in (network.parameters(), network.buffers()))
    states = OPTIMIZER_STATES.get(cell.config.optimizer.name, 2)
    samples, classes = task.labels.numel(), task.classes
    features = next(m.in_features for n, m in network.named_modules() if n == "head")
    size = dtype_of(cell.config.dtype).itemsize
    waiting = size * samples * (features + classes) + parameters + buffers
    shared = _bytes(task.inputs) + _bytes(task.labels)
    evaluation = samples * (8 * COPIES * classes + size * features)
    return shared + evaluation, parameters * (1 + states) + buffers + step_bytes(cell) + waiting


def step_bytes(cell: Cell) -> int:
    """Largest number of bytes alive at once in one cell's training step, batch and gradients
    included."""
    network, task = shortcut_network(cell), cell.task
    batch = cell.config.batch_size or len(task.train)
    named, buffers = dict(network.named_parameters()), dict(network.named_buffers())
    intervention = stacked_intervention([cell], network, torch.device("cpu"))
    arguments = intervention.arguments(0)
    with FakeTensorMode():
        tensors = [
            torch.empty(t.shape, dtype=t.dtype) for t in (*named.values(), *buffers.values())
        ]
        inputs = torch.empty(batch, *task.inputs.shape[1:], dtype=task.inputs.dtype)
        labels = torch.empty(batch, *task.labels.shape[1:], dtype=torch.int64)
        others = [torch.empty(a.shape[1:], dtype=a.dtype) for a in arguments]
    program = cell_gradients(network, cell.config.loss, list(named), intervention, list(buffers))
    graph = make_fx(program, tracing_mode="fake")(*tensors, inputs, labels, *others).graph
    return _bytes(inputs) + _bytes(labels) + peak_bytes(graph)


def peak_bytes(graph: Graph) -> int:
    """Largest number of bytes alive at once in a traced program, without its arguments.

    A storage is alive from its first tensor to the last use of any view of it.
    """
    nodes = list(graph.nodes)
    place = {node: i for i, node in enumerate(nodes)}
    lives: dict[int, tuple[int, int, int]] = {}  # by storage: size, first and last node
    arguments = set()
    for i, node in enumerate(nodes):
        value = node.meta.get("val")
        if not isinstance(value, Tensor):
            continue
        storage = value.untyped_storage()
        identity = storage._cdata
        if node.op == "placeholder":
            arguments.add(identity)
        last = max((place[user] for user in node.users), default=i)
        size, first, before = lives.get(identity, (storage.nbytes(), i, i))
        lives[identity] = (size, first, max(before, last))
    changes = [0] * (len(nodes) + 1)
    for identity, (size, first, last) in lives.items():
        if identity not in arguments:
            changes[first] += size
            changes[last + 1] -= size
    alive = peak = 0
    for change in changes:
        alive += change
        peak = max(peak, alive)
    return peak


def free_bytes(device: torch.device) -> int:
    """Bytes that a process may still take on `device`.

    For the CPU: the memory that Linux calls available, within the control group's limit if there is
    one.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        lines = dict(line.split(":") for line in meminfo.read_text().splitlines())
        free = 1024 * int(lines["MemAvailable"].split()[0])
    limit, used = (Path("/sys/fs/cgroup") / f"memory.{name}" for name in ("max", "current"))
    if limit.exists() and limit.read_text().strip() != "max":
        free = min(free, int(limit.read_text()) - int(used.read_text()))
    return free


def keep_freed() -> None:
    """Keep freed memory in this process for the next step, up to a gigabyte.

    By default the C library may give it back to the system, which then hands out and clears the
    same pages at the next step or evaluation. Does nothing without glibc, or where the environment
    says how it allocates.
    """
    if any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ):
        return
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        for option, size in MALLOC.items():
            mallopt(option, size)


def widest(cell: Cell, free: int) -> int:
    """Number of cells like this one, at least 1, in the widest pack that fits into `free` bytes."""
    shared, per_cell = terms(cell)
    return max(1, int((SPARE * free - shared) // per_cell))


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
