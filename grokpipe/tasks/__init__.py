"""Tasks: a table of inputs with labels, split into training and test rows.

A module here has a dataclass `Config` (its first field `name`) and
`load(config, split: torch.Generator) -> Task`. It may have `resolved(config) -> Config`, which
fills in values before the cell's key is made, such as the hash of a file.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from torch import Tensor


@dataclass(frozen=True)
class Task:
    """The data of one cell. Cells of a pack share the table; each has its own rows."""

    inputs: Tensor
    """(n, *shape) every input, of both sets: int64 for tokens; for images float32 as they are
    loaded, in a cell the precision of training"""
    labels: Tensor
    """(n,) int64 in [0, classes); or (n, positions) of sequences with a label at each of their last
    positions, the answer's first. Measures and interventions see the answer; the loss is the mean
    over the positions, and a prediction is right if it is so at all of them"""
    train: Tensor
    """(n_train,) int64 rows of the training set"""
    test: Tensor
    """(n_test,) int64 rows of the test set"""
    classes: int
    fingerprint: str
    """hash of the raw data, part of the cell's key"""
    vocabulary: int | None = None
    """number of distinct tokens if inputs are tokens (int64), None for other inputs"""
    exponents: Tensor | None = None
    """(classes,) int64: exponent of each class in the cyclic group that the labels form: c itself
    for sums and differences, the discrete logarithm for products and quotients, −1 for a class
    outside the group (zero); None if the labels form no such group"""
    padding: int | None = None
    """token that fills sequences up to one length, which architectures leave out of account; None
    if all have one length"""

    @property
    def positions(self) -> int:
        """Number of supervised positions: labels of a sample."""
        return self.labels.shape[1] if self.labels.dim() > 1 else 1


def fingerprint(*arrays: np.ndarray) -> str:
    """Hash shapes, types and contents of the raw arrays: 16 hexadecimal digits of SHA-256."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
