"""Matrix products of fp32 on the CPU by the faster of two libraries, shape by shape.

oneDNN has AVX-512 kernels where PyTorch's default library, MKL, uses slower ones (on AMD), but each
of its calls costs some microseconds more, and it copies transposed factors of batched products. The
switch that selects oneDNN also allows bf16, which processors with AMX would then use; so it is used
only if products have the error of fp32, measured against float64.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.fx import Graph, Node

from grokpipe.training.device import computing_seconds

aten = torch.ops.aten
WORST = 4e-6  # accepted error of fp32 products, relative to the largest entry; bf16 has 1e-3
ONEDNN = "onednn"
GAIN = 0.97  # a shape leaves the default library for a time below this share of the default's
SECONDS = 1e-3  # that one measurement of a product takes at least


@contextmanager
def by_onednn() -> Iterator[None]:
    """Compute products by oneDNN within the block."""
    switch = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = switch.fp32_precision
    switch.fp32_precision = "bf16"
    try:
        yield
    finally:
        switch.fp32_precision = before


@lru_cache
def accurate() -> bool:
    """Return whether this machine's products by oneDNN have the error of fp32."""
    with by_onednn():
        return product_error() <= WORST


def product_error() -> float:
    """Measure the largest error of fp32 products as computed now, relative to the largest entry."""
    draws = torch.Generator().manual_seed(0)
    worst = 0.0
    for shape in ((1, 512, 128, 512), (4, 100, 784, 200), (2, 97, 512, 128)):
        cells, m, k, n = shape
        a = torch.randn(cells, m, k, generator=draws)
        b = torch.randn(cells, k, n, generator=draws)
        exact = a.double() @ b.double()
        for product, true in ((a @ b, exact), (a[0] @ b[0], exact[0])):
            worst = max(worst, ((product - true).abs().max() / true.abs().max()).item())
    return worst


def _onednn(product: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def by_the_other_library(*factors: Tensor) -> Tensor:
        with by_onednn():
            return product(*factors)

    return by_the_other_library


BY_ONEDNN = {
    aten.mm.default: _onednn(torch.mm),
    aten.bmm.default: _onednn(torch.bmm),
    aten.addmm.default: _onednn(torch.addmm),
}
"""products by oneDNN, as functions that an uncompiled program calls"""

_library = torch.library.Library("grokpipe", "DEF")
for _name, _plain in (("mm", torch.mm), ("bmm", torch.bmm)):
    _library.define(f"onednn_{_name}(Tensor a, Tensor b) -> Tensor")
    _library.impl(f"onednn_{_name}", _onednn(_plain), "CPU")
    _library.impl(f"onednn_{_name}", _plain, "Meta")

OPERATORS = {
    aten.mm.default: torch.ops.grokpipe.onednn_mm.default,
    aten.bmm.default: torch.ops.grokpipe.onednn_bmm.default,
}
"""the same as operators, which a compiler keeps in its graph"""


def shape_of(node: Node) -> str | None:
    """Shape and layouts of a product in a traced graph, such as `mm 100x784x200 nt`: m × k × n, and
    for each factor whether it is row-major (n) or transposed (t).

    None for other nodes, and for products that have no choice of library.
    """
    if node.target not in BY_ONEDNN:
        return None
    a, b = _factors(node)
    layouts = _layout(a) + _layout(b)
    if a.dtype != torch.float32 or a.device.type != "cpu" or "x" in layouts:
        return None
    name = "mm" if a.dim() == 2 else f"bmm {len(a)} of"
    return f"{name} {a.shape[-2]}x{a.shape[-1]}x{b.shape[-1]} {layouts}"


def _factors(node: Node) -> list[Tensor]:
    """The two factors, without the bias that a product may add."""
    return [argument.meta["val"] for argument in node.args[-2:]]  # type: ignore[union-attr]


def _layout(matrix: Tensor) -> str:
    rows, columns = matrix.shape[-2:]
    if matrix.dim() == 3 and matrix.stride(0) == 0:
        return "x"  # one matrix that a batch shares
    if matrix.stride(-1) == 1 and matrix.stride(-2) >= columns:
        return "n"
    return "t" if matrix.stride(-2) == 1 and matrix.stride(-1) >= rows else "x"


def assign(graph: Graph, libraries: Mapping[str, str], replacements: Mapping[Any, Any]) -> None:
    """Replace the products whose shape `libraries` gives to oneDNN by `replacements`."""
    for node in graph.nodes:
        if libraries.get(shape_of(node) or "") == ONEDNN:
            node.target = replacements[node.target]


def faster(graphs: Sequence[Graph]) -> dict[str, str]:
    """Time each shape of product in the graphs by both libraries, on random numbers.

    Returns the library by shape, for those that should leave the default one.
    """
    if not accurate():
        return {}
    nodes = {shape_of(node): node for graph in graphs for node in graph.nodes}
    return {shape: ONEDNN for shape, node in nodes.items() if shape and _leaves(node)}


def _leaves(node: Node) -> bool:
    factors = [
        torch.empty_strided(value.shape, value.stride()).normal_() for value in _factors(node)
    ]
    plain = torch.mm if factors[0].dim() == 2 else torch.bmm
    onednn = _onednn(plain)
    times: dict[Any, float] = {}
    for _ in range(3):  # in turns, so that other load meets both
        for product in (plain, onednn):
            taken = _seconds(product, factors)
            times[product] = min(times.get(product, taken), taken)
    return times[onednn] < GAIN * times[plain]


def _seconds(product: Any, factors: Sequence[Tensor]) -> float:
    count, begun = 0, computing_seconds()
    while (taken := computing_seconds() - begun) < SECONDS:
        product(*factors)
        count += 1
    return taken / count
