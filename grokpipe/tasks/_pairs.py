"""Tasks given by the table of all pairs of elements, of which each seed draws its own share."""

import math

import torch
from torch import Tensor

from grokpipe.errors import InputError
from grokpipe.tasks import Task, fingerprint

ROUNDING = 1e-9  # 0.29 · 100 is 28.999999999999996


def split_pairs(
    inputs: Tensor,
    labels: Tensor,
    classes: int,
    vocabulary: int,
    exponents: Tensor | None,
    fraction: float,
    split: torch.Generator,
) -> Task:
    """The table `inputs` (n, 2) int64, `labels` (n,), the first ⌊fraction·n⌋ of its rows in an
    order drawn from `split` for training, the others for testing.

    The fingerprint is the table's: seed and fraction are in the cell's key anyway. Raises
    InputError if a set would be empty.
    """
    n = len(inputs)
    n_train = math.floor(fraction * n + ROUNDING)
    if not 0 < n_train < n:
        empty = "training" if n_train <= 0 else "test"
        raise InputError(
            f"task.fraction={fraction}: leaves no {empty} pair of {n:,}; must be ≥ 1/{n:,} and < 1"
        )
    rows = torch.randperm(n, generator=split)
    return Task(
        inputs=inputs,
        labels=labels,
        train=rows[:n_train],
        test=rows[n_train:],
        classes=classes,
        fingerprint=fingerprint(inputs.numpy(), labels.numpy()),
        vocabulary=vocabulary,
        exponents=exponents,
    )
