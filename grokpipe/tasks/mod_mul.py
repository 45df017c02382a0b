"""Multiplication modulo p: the label of (a, b) is a · b mod p."""

import torch
from torch import Tensor

from grokpipe.tasks import Task, _modular
from grokpipe.tasks._modular import Config


def load(config: Config, split: torch.Generator) -> Task:
    """Load all p² pairs, those with a zero included; with exponents if p is prime."""
    return _modular.load(config, split, _multiply, _modular.discrete_logarithms(config.p))


def _multiply(a: Tensor, b: Tensor, p: int) -> Tensor:
    return a * b % p
