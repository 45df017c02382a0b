"""What the four tasks of modular arithmetic share: configuration, table, discrete logarithm."""

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
    """All pairs (a, b) of residues, a the slow index, b from `smallest_b` on."""
    inputs, labels = _table(operation, config.p, smallest_b)
    return split_pairs(inputs, labels, config.p, config.p, exponents, config.fraction, split)


@cache  # without a bound: every cell of a grid over p holds its table as long as it lives
def _table(operation: Operation, p: int, smallest_b: int) -> tuple[Tensor, Tensor]:
    inputs = torch.cartesian_prod(torch.arange(p), torch.arange(smallest_b, p))
    return inputs, operation(inputs[:, 0], inputs[:, 1], p)


def is_prime(n: int) -> bool:
    return n > 1 and all(n % divisor for divisor in range(2, math.isqrt(n) + 1))


@cache
def discrete_logarithms(p: int) -> Tensor | None:
    """(p,) int64: e with gᵉ = c mod p for c = 1 … p − 1, g the smallest primitive root; −1 for 0.

    None for a composite p, whose non-zero residues are no group under multiplication.
    """
    if not is_prime(p):
        return None
    powers = next(found for g in range(1, p) if len(found := _powers(g, p)) == p - 1)
    logarithms = torch.full((p,), -1)
    logarithms[powers] = torch.arange(p - 1)
    return logarithms


def _powers(g: int, p: int) -> list[int]:
    """1, g, g², … mod p, up to the first that is 1 again; g and p coprime."""
    powers = [1]
    while (following := powers[-1] * g % p) != 1:
        powers.append(following)
    return powers
