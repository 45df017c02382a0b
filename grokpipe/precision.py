"""Precision of training: the configuration key `dtype` as PyTorch's type, and data in it."""

from functools import lru_cache

import torch
from torch import Tensor


def dtype_of(name: str) -> torch.dtype:
    """PyTorch's type of floating-point numbers by its name: float32 or float64."""
    dtype: torch.dtype = getattr(torch, name)
    return dtype


@lru_cache(maxsize=2)
def in_precision(inputs: Tensor, dtype: torch.dtype) -> Tensor:
    """Convert inputs of floating-point numbers to `dtype`; tokens stay int64.

    The last results are kept, so that cells that share a table share its conversion.
    """
    return inputs.to(dtype) if inputs.is_floating_point() else inputs
