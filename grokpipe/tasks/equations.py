"""The equations a + b = c modulo p of Power et al. (2022), as Han et al. (2025) train on them.

Texts of six tokens, of which the last two are supervised.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from grokpipe.config.fields import scientific
from grokpipe.tasks import Task, fingerprint
from grokpipe.tasks._pairs import count_training_pairs

EOS, EQUALS, PLUS = 0, 1, 2
NUMBERS = 22
"""token of the number 0: after the end of sequence, =, and 20 operators, of which + is one"""
PERMUTATIONS = 120
"""tokens after the numbers: the permutations of five, of which no sum has any"""
ORDER_SEED = 0


@dataclass(frozen=True)
class Config:
    """Configuration of the equations."""

    name: str = scientific()
    p: int = scientific(at_least=2)
    """modulus; the vocabulary has 142 tokens more"""
    fraction: float = scientific(above=0, below=1)
    """share of all equations in the training set, rounded down"""


def load(config: Config, split: torch.Generator) -> Task:
    """Load all p² equations `eos a + b = c`, with a label for each of the last two tokens.

    The labels are the next tokens: c, the answer, at `=`, and the end of sequence at c. The split
    is the same for every seed, as published: the equations in the order to which NumPy's
    `RandomState(0)` shuffles them. Nothing is drawn from `split`.
    """
    inputs, labels, order = _table(config.p)
    n_train = count_training_pairs(config.fraction, len(order))
    return Task(
        inputs=inputs,
        labels=labels,
        train=order[:n_train],
        test=order[n_train:],
        classes=NUMBERS + config.p + PERMUTATIONS,
        fingerprint=fingerprint(inputs.numpy(), labels.numpy()),
        vocabulary=NUMBERS + config.p + PERMUTATIONS,
    )


@cache
def _table(p: int) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs (p², 6), labels (p², 2), and the rows in the order of the split (p²,)."""
    a, b = torch.cartesian_prod(torch.arange(p), torch.arange(p)).unbind(1)
    c = (a + b) % p
    eos, plus, equals = (torch.full_like(a, token) for token in (EOS, PLUS, EQUALS))
    inputs = torch.stack([eos, NUMBERS + a, plus, NUMBERS + b, equals, NUMBERS + c], 1)
    order = np.random.RandomState(ORDER_SEED).permutation(p * p)
    return inputs, torch.stack([NUMBERS + c, eos], 1), torch.from_numpy(order)
