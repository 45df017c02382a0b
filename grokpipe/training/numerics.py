"""Numerical settings of a process: TF32 on a GPU, subnormals.

TF32 leaves products in float64 as they are. Subnormal numbers, closer to 0 than the
smallest normal one (1.2e-38 in fp32, 2.2e-308 in float64), may each stall a processor for a hundred
cycles. Once training accuracy is 1 and nothing limits the logits, as without weight decay, a
softmax is full of subnormals, and so is everything multiplied by its output: training then takes
several times longer (benchmarks/subnormals.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def allow_tf32(allowed: bool) -> None:
    """Allow or forbid a GPU to round the factors of fp32 products, in this process."""
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


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
