"""The bare matrix products of a training step, the limit of any program that computes them: cell by
cell or in stacks of cells, each by the faster of two libraries."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from grokpipe.cell import Cell
from grokpipe.training.programs.products import accurate

Shape = tuple[int, int, int]
"""(m, k, n) of a product (m, k) @ (k, n)"""
LAYOUTS = {"cell by cell": 1, "stacks of 4": 4}
"""cells in one product"""
LIBRARIES = {"default": "none", "onednn": "bf16"}
"""values of PyTorch's switch, by the library that it selects (programs/products.py)"""
TRIALS, TRIAL_SECONDS = 12, 0.002


@dataclass(frozen=True)
class Layer:
    """The product of a layer's forward pass, with its two of the backward pass."""

    rows: int
    inputs: int
    outputs: int
    first: bool = False
    """whether its inputs are data, which need no gradient"""

    @property
    def forward(self) -> Shape:
        return self.rows, self.inputs, self.outputs

    @property
    def of_weights(self) -> Shape:
        return self.inputs, self.rows, self.outputs

    @property
    def of_inputs(self) -> Shape | None:
        return None if self.first else (self.rows, self.outputs, self.inputs)


def layers(cell: Cell) -> list[Layer]:
    """List the layers of a cell's step: of the MLP as they are, of a Transformer with norms after
    the sums those of the exact shortcut (docs/packs.md)."""
    config, arch, task = cell.config, cell.config.arch, cell.task
    batch = config.batch_size or len(task.train)
    if task.vocabulary is None:
        sizes = [task.inputs.shape[1:].numel(), *[arch.width] * arch.depth, task.classes]
        return [Layer(batch, a, b, not i) for i, (a, b) in enumerate(pairwise(sizes))]
    d, hidden, p = arch.width, arch.feedforward, task.vocabulary
    # the first block multiplies the rows of tokens, = among them where there are three, and those
    # of positions, and adds the products
    table = Layer(p + (arch.tokens - 2) + arch.tokens, d, 3 * d)
    read_out = [Layer(batch, d, d), Layer(batch, d, hidden), Layer(batch, hidden, d)]
    head = Layer(batch, d, task.classes)
    if arch.layers == 1:
        return [table, *read_out, head]
    every = batch * arch.tokens
    whole = [Layer(every, d, d), Layer(every, d, hidden), Layer(every, hidden, d)]
    between = [Layer(every, d, 3 * d), *whole] * (arch.layers - 2)
    ends = [Layer(every, d, 2 * d), Layer(batch, d, d), *read_out, head]
    return [table, *whole, *between, *ends]


def products(cell: Cell) -> list[Shape]:
    """List the products of one cell's step, forward and backward."""
    shapes = [(layer.forward, layer.of_weights, layer.of_inputs) for layer in layers(cell)]
    return [shape for of_layer in shapes for shape in of_layer if shape is not None]


def arithmetic(cell: Cell) -> int:
    """Count the floating-point operations of one seed-step's products."""
    return sum(2 * m * k * n for m, k, n in products(cell))


@contextmanager
def library(name: str) -> Iterator[None]:
    """Compute products by a library within the block."""
    switch = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = switch.fp32_precision
    switch.fp32_precision = LIBRARIES[name]
    try:
        yield
    finally:
        switch.fp32_precision = before


def faster_library(call: Callable[[], object], trials: int = TRIALS) -> str:
    """Name the library that makes a call faster, of those whose products have the error of fp32
    here.

    They take turns, and the fastest trial of each counts, as the machine may be busy.
    """
    exact = [*LIBRARIES] if accurate() else ["default"]
    times: dict[str, list[float]] = {name: [] for name in exact}
    repeats = 1
    for trial in range(1 + trials):
        for name, of_library in times.items():
            with library(name):
                begun = time.perf_counter()
                for _ in range(repeats):
                    call()
                of_library.append((time.perf_counter() - begun) / repeats)
        if trial == 0:  # not counted: it warms up, and tells how often to repeat
            repeats = max(1, round(TRIAL_SECONDS / min(of[0] for of in times.values())))
    return min(times, key=lambda name: min(times[name][1:]))


class Bare:
    """All products of a step into preallocated memory, of `count` cells together."""

    def __init__(self, cell: Cell, count: int):
        self.count = count
        stack = (count,) if count > 1 else ()
        product = torch.bmm if count > 1 else torch.mm
        self.outputs: list[Tensor] = []
        self.calls: list[tuple[str, Callable[[], Tensor]]] = []
        """value of the switch and product, in the order of `products`"""
        for m, k, n in products(cell):
            a, b = torch.randn(*stack, m, k), torch.randn(*stack, k, n)
            self.outputs.append(torch.empty(*stack, m, n))
            call = partial(product, a, b, out=self.outputs[-1])
            self.calls.append((LIBRARIES[faster_library(call)], call))

    def __call__(self) -> int:
        switch = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
        before = switch.fp32_precision
        for value, call in self.calls:
            switch.fp32_precision = value
            call()
        switch.fp32_precision = before
        return self.count

    def __str__(self) -> str:
        by = sum(value == LIBRARIES["onednn"] for value, _ in self.calls)
        return f"{by} of {len(self.calls)} by onednn"


class WithAdamW:
    """The products of a step and PyTorch's fused AdamW on as many parameters, nothing else."""

    def __init__(self, cell: Cell, count: int):
        self.products = Bare(cell, count)
        of_weights = {layer.of_weights for layer in layers(cell)}
        shapes = zip(products(cell), self.products.outputs, strict=True)
        gradients = [out for shape, out in shapes if shape in of_weights]
        rest = cell.parameters - sum(g.numel() for g in gradients) // count  # biases
        self.gradients = [*gradients, torch.randn(count, rest)]
        self.parameters = [torch.randn_like(g) for g in self.gradients]
        self.first = [torch.zeros_like(g) for g in self.gradients]
        self.second = [torch.zeros_like(g) for g in self.gradients]
        self.steps = [torch.zeros(()) for _ in self.gradients]

    def __call__(self) -> int:
        count = self.products()
        adamw(
            self.parameters, self.gradients, self.first, self.second, [], self.steps, fused=True,
            amsgrad=False, beta1=0.9, beta2=0.999, lr=1e-3, weight_decay=0.1, eps=1e-8,
            maximize=False,
        )  # fmt: skip
        return count

    def __str__(self) -> str:
        return str(self.products)
