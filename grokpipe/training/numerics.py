"""Numerical settings of a process: TF32 on a GPU, subnormals.

TF32 leaves products in float64 as they are. Subnormal numbers, closer to 0 than the
smallest normal one (1.2e-38 in fp32, 2.2e-308 in float64), may each stall a processor for a hundred
cycles. Once training accuracy is 1 and nothing limits the logits, as without weight decay, a
softmax is full of subnormals, and so is everything multiplied by its output: training then takes
several times longer (benchmarks/subnormals.py).
"""

import contextlib
import ctypes
from collections.abc import Iterator
from functools import lru_cache

import torch


def allow_tf32(allowed: bool) -> None:
    """Allow or forbid a GPU to round the factors of fp32 products, in this process."""
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


SUBNORMAL = 71_362
"""bits of 1e-40 in fp32; written as a number, it would be read as 0 where subnormals are flushed"""
GRAIN = 32_768  # elements of an elementwise operation below which PyTorch starts no further thread
PAUSE = 1  # omp_pause_soft of OpenMP 5.0
FLUSHED, KEPT, MIXED = "flushed", "kept", "flushed in some threads"
"""treatment of subnormals as provenance records it"""


@contextlib.contextmanager
def flushed(wanted: bool = True) -> Iterator[None]:
    """Flush subnormals to zero within the block, where the processor can.

    With `wanted` false subnormals are kept instead. Helper threads that PyTorch starts for this
    thread do the same, however many `threads` asks for; other Python threads are not affected.
    """
    before = are_flushed()
    _flush(wanted)
    try:
        yield
    finally:
        _flush(before)


def _flush(wanted: bool) -> None:
    """Set the treatment of subnormals in this thread and its helper threads.

    A helper thread inherits the treatment of the thread that starts it, and keeps that whatever the
    other does later. So those that exist are ended; the next operation in parallel starts new ones.
    """
    torch.set_flush_denormal(wanted)
    with contextlib.suppress(AttributeError):  # OpenMP before 5.0; `subnormals` tells what remains
        _openmp().omp_pause_resource_all(PAUSE)


@lru_cache
def _openmp() -> ctypes.CDLL:
    """PyTorch's own library, through which the functions of its OpenMP library are found."""
    return ctypes.CDLL(torch._C.__file__)


def subnormals() -> str:
    """Return how this thread and its helper threads treat subnormals now, measured in each."""
    zeros = _are_zero(torch.get_num_threads() * GRAIN)
    if zeros.all():
        return FLUSHED
    return MIXED if zeros.any() else KEPT


def are_flushed() -> bool:
    """Return whether a subnormal product is computed as 0 in this thread."""
    return bool(_are_zero(1))


def _are_zero(count: int) -> torch.Tensor:
    """Compute subnormal products, in parallel if they are many; return which of them are 0."""
    tiny = torch.full((count,), SUBNORMAL, dtype=torch.int32).view(torch.float32)
    product = tiny * torch.ones(1)
    return product.view(torch.int32) == 0  # compare bits: a comparison would flush first
