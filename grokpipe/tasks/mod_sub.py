"""Subtraction modulo p (Power et al. 2022): the label of (a, b) is a − b mod p."""

import torch
from torch import Tensor

from grokpipe.tasks import Task, _modular
from grokpipe.tasks._modular import Config


def load(config: Config, split: torch.Generator) -> Task:
    """Load all p² pairs. Each class is its own exponent."""
    return _modular.load(config, split, _subtract, exponents=torch.arange(config.p))


def _subtract(a: Tensor, b: Tensor, p: int) -> Tensor:
    return (a - b) % p
