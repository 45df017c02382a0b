"""How numbers are computed: which library multiplies fp32 matrices on the CPU, TF32 on a GPU, and
what becomes of subnormal numbers.

Numbers closer to 0 than the smallest normal one (1.2e-38 in fp32) may each stop a processor for a
hundred cycles. Once training accuracy is 1 and nothing holds the logits down, as without weight
decay, a softmax is full of them, and so is all that is multiplied by it: training then takes
several times longer (benchmarks/subnormals.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch

WORST = 4e-6  # largest error over largest entry of an fp32 product; bf16 has 1e-3


def choose_products(tf32: bool) -> str:
    """Chooses for this process; returns the library on the CPU, for provenance: onednn or default.

    oneDNN has AVX-512 kernels where PyTorch's default library, MKL, takes slower ones (on AMD). The
    switch that leads there allows bf16, which processors with AMX would then use: it is kept only
    where a product against float64 has fp32's error.
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
    """Largest error of fp32 products as they are computed now, over the largest entry."""
    draws = torch.Generator().manual_seed(0)
    worst = 0.0
    for shape in ((1, 512, 128, 512), (4, 100, 784, 200), (2, 97, 512, 128)):
        cells, m, k, n = shape
        a = torch.randn(cells, m, k, generator=draws)
        b = torch.randn(cells, k, n, generator=draws)
        exact = a.double() @ b.double()
        for found, true in ((a @ b, exact), (a[0] @ b[0], exact[0])):
            worst = max(worst, ((found - true).abs().max() / true.abs().max()).item())
    return worst


EXAMPLE = 1e-40
FLUSHED, KEPT = "flushed", "kept"
"""as provenance has it"""


@contextmanager
def flushed(wanted: bool = True) -> Iterator[None]:
    """Within, this thread computes with 0 in their place, where the processor can, or with what
    they are. On a CPU a pack has this one thread unless `threads` asks for more, of which the
    others go on as before."""
    before = are_flushed()
    torch.set_flush_denormal(wanted)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def subnormals() -> str:
    """What this thread does with them now: FLUSHED or KEPT."""
    return FLUSHED if are_flushed() else KEPT


def are_flushed() -> bool:
    """Whether a product that is subnormal comes out as 0 in this thread."""
    product = torch.tensor([EXAMPLE]) * torch.ones(1)
    return not product.view(torch.int32).item()  # its bits: a comparison would flush it first
