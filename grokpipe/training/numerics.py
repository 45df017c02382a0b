"""Numerical settings: the library for fp32 matrix products on the CPU, TF32 on a GPU, subnormals.

The first two leave products in float64 as they are. Subnormal numbers, closer to 0 than the
smallest normal one (1.2e-38 in fp32, 2.2e-308 in float64), may each stall a processor for a hundred
cycles. Once training accuracy is 1 and nothing limits the logits, as without weight decay, a
softmax is full of subnormals, and so is everything multiplied by its output: training then takes
several times longer (benchmarks/subnormals.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch

WORST = 4e-6  # accepted error of fp32 products, relative to the largest entry; bf16 has 1e-3


def choose_products(tf32: bool) -> str:
    """Choose TF32 and the CPU's matrix library for this process; return the library's name.

    oneDNN has AVX-512 kernels where PyTorch's default library, MKL, uses slower ones (on AMD). The
    switch that selects oneDNN also allows bf16, which processors with AMX would then use; so the
    switch is kept only if products have the error of fp32, measured against float64.

    Returns:
        onednn or default, for provenance.
    """
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32
    return _library()


@lru_cache
def _library() -> str:
    switch = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = switch.fp32_precision
    switch.fp32_precision = "bf16"
    if product_error() <= WORST:
        return "onednn"
    switch.fp32_precision = before
    return "default"


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


SUBNORMAL = 1e-40  # an example
FLUSHED, KEPT = "flushed", "kept"
"""treatment of subnormals as provenance records it"""


@contextmanager
def flushed(wanted: bool = True) -> Iterator[None]:
    """Flush subnormals to zero in this thread within the block, where the processor can.

    With `wanted` false subnormals are kept instead. Only this thread is affected: the one thread of
    a pack on a CPU, unless `threads` asks for more.
    """
    before = are_flushed()
    torch.set_flush_denormal(wanted)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def subnormals() -> str:
    """Return how this thread treats subnormals now: FLUSHED or KEPT."""
    return FLUSHED if are_flushed() else KEPT


def are_flushed() -> bool:
    """Return whether a subnormal product is computed as 0 in this thread."""
    product = torch.tensor([SUBNORMAL]) * torch.ones(1)
    return not product.view(torch.int32).item()  # compare bits: a comparison would flush first
