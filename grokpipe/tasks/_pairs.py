"""Tasks on the table of all pairs of elements, of which each seed draws its own training pairs."""

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
    """Split a table of pairs: ⌊fraction·n⌋ rows drawn from `split` train, the others test.

    Args:
        inputs: (n, 2) int64.
        labels: (n,) int64.
        classes: number of labels.
        vocabulary: number of tokens.
        exponents: see `Task.exponents`.
        fraction: share of the training rows, in (0, 1).
        split: generator of the split.

    The fingerprint is that of the table alone, since seed and fraction enter the cell's key anyway.
    Raises InputError if a set would be empty.
    """
    n_train = count_training_pairs(fraction, len(inputs))
    rows = torch.randperm(len(inputs), generator=split)
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


def count_training_pairs(fraction: float, n: int) -> int:
    """Number of training pairs, ⌊fraction·n⌋. Raises InputError if a set would be empty."""
    n_train = math.floor(fraction * n + ROUNDING)
    if not 0 < n_train < n:
        empty = "training" if n_train <= 0 else "test"
        raise InputError(
            f"task.fraction={fraction}: leaves no {empty} pairs of {n:,}; must be ≥ 1/{n:,} and < 1"
        )
    return n_train
