"""Division modulo a prime p (Power et al. 2022): the label of (a, b) is a · b⁻¹ mod p, b ≠ 0."""

from itertools import count

import torch
from torch import Tensor

from grokpipe.errors import InputError
from grokpipe.tasks import Task, _modular
from grokpipe.tasks._modular import Config, is_prime


def load(config: Config, split: torch.Generator) -> Task:
    """Load all p (p − 1) pairs. Raises InputError for a composite p, which lacks inverses."""
    p = config.p
    if not is_prime(p):
        below = next(filter(is_prime, range(p, 1, -1)))
        above = next(filter(is_prime, count(p)))
        raise InputError(f"task.p={p}: must be prime for mod_div; nearest: {below}, {above}")
    return _modular.load(config, split, _divide, _modular.discrete_logarithms(p), smallest_b=1)


def _divide(a: Tensor, b: Tensor, p: int) -> Tensor:
    inverses = torch.tensor([0] + [pow(residue, -1, p) for residue in range(1, p)])
    return a * inverses[b] % p
