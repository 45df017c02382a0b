"""Shared parts of the modular arithmetic tasks: configuration, table, discrete logarithm."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from grokpipe.config.fields import scientific
from grokpipe.tasks import Task
from grokpipe.tasks._pairs import split_pairs

Operation = Callable[[Tensor, Tensor, int], Tensor]
"""(n,) a, (n,) b, p → (n,) labels in [0, p)"""


@dataclass(frozen=True)
class Config:
    """Configuration of a task modulo p."""

    name: str = scientific()
    p: int = scientific(at_least=2)
    """modulus: tokens and classes are 0 … p − 1"""
    fraction: float = scientific(above=0, below=1)
    """share of all pairs in the training set, rounded down"""


def load(
    config: Config,
    split: torch.Generator,
    operation: Operation,
    exponents: Tensor | None,
    smallest_b: int = 0,
) -> Task:
    """Build the task of all pairs (a, b) of residues, a the slow index, b ≥ `smallest_b`."""
    inputs, labels = _table(operation, config.p, smallest_b)
    return split_pairs(inputs, labels, config.p, config.p, exponents, config.fraction, split)


@cache  # unbounded: every cell of a grid over p keeps its table alive anyway
def _table(operation: Operation, p: int, smallest_b: int) -> tuple[Tensor, Tensor]:
    inputs = torch.cartesian_prod(torch.arange(p), torch.arange(smallest_b, p))
    return inputs, operation(inputs[:, 0], inputs[:, 1], p)


def is_prime(n: int) -> bool:
    """Return whether `n` is prime."""
    return n > 1 and all(n % divisor for divisor in range(2, math.isqrt(n) + 1))


@cache
def discrete_logarithms(p: int) -> Tensor | None:
    """Discrete logarithms modulo p, (p,) int64: e with gᵉ = c mod p for c = 1 … p − 1, −1 for 0.

    g is the smallest primitive root. None for a composite p, whose non-zero residues do not form a
    group under multiplication.
    """
    if not is_prime(p):
        return None
    powers = next(powers for g in range(1, p) if len(powers := _powers(g, p)) == p - 1)
    logarithms = torch.full((p,), -1)
    logarithms[powers] = torch.arange(p - 1)
    return logarithms


def _powers(g: int, p: int) -> list[int]:
    """Powers 1, g, g², … mod p before the first that is 1 again; g and p must be coprime."""
    powers = [1]
    while (following := powers[-1] * g % p) != 1:
        powers.append(following)
    return powers
