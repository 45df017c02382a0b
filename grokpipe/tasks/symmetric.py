"""Composition in the symmetric group S_n (Power et al. 2022): the label of (σ₁, σ₂) is σ₁∘σ₂."""

from dataclasses import dataclass
from functools import cache
from itertools import permutations

import torch
from torch import Tensor

from grokpipe.config.fields import scientific
from grokpipe.tasks import Task
from grokpipe.tasks._pairs import split_pairs


@dataclass(frozen=True)
class Config:
    """Configuration of composition in S_n."""

    name: str = scientific()
    n: int = scientific(at_least=3, below=7)
    """the group has the n! permutations of n elements"""
    fraction: float = scientific(above=0, below=1)
    """share of all pairs in the training set, rounded down"""


def load(config: Config, split: torch.Generator) -> Task:
    """Load all (n!)² pairs, σ₁ the slow index. σ₁∘σ₂ is x ↦ σ₁(σ₂(x)): σ₂ acts first.

    Tokens and classes number the permutations of 0 … n − 1 in lexicographic order of their values
    (σ(0), …, σ(n − 1)); 0 is the identity. The group is not cyclic, so there are no exponents.
    """
    inputs, labels, order = _table(config.n)
    return split_pairs(inputs, labels, order, order, None, config.fraction, split)


@cache
def _table(n: int) -> tuple[Tensor, Tensor, int]:
    elements = torch.tensor(list(permutations(range(n))))  # (n!, n), row σ holds σ(0) … σ(n − 1)
    order = len(elements)
    inputs = torch.cartesian_prod(torch.arange(order), torch.arange(order))
    composed = elements[:, elements]  # (n!, n!, n): σ₁ at σ₂(0) … σ₂(n − 1)
    # Values read as the digits of a number: ascending where permutations are in lexicographic order
    digits = n ** torch.arange(n - 1, -1, -1)
    labels = torch.searchsorted(elements @ digits, composed @ digits)
    return inputs, labels.flatten(), order
