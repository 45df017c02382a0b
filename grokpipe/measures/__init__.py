"""Measures: pure functions of features, labels, logits and weights, computed in float64.

A module or package here has `measure(snapshot: Snapshot) -> dict[str, float]`, column names
included. An undefined value (one class, constant features, …) is NaN, never an invented number or
an exception.

A column added after the measure's first release is declared in its module, with the release:
`ADDED = {"collapse/rnc1_sup": "0.2"}`. Runs without the column then do not count as stale.

A module may also have `unfit(task: Task) -> str | None`, which says why the measure cannot be taken
on a task; without that function the measure can be taken on every task.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self, TypeVar

import torch
from torch import Tensor, nn

from grokpipe.losses import log_probabilities

PART = 1000  # rows at a time: few enough to stay in the cache

Value = TypeVar("Value")


@dataclass(frozen=True)
class Outputs:
    """Logits and features of one network on one set of samples, at one supervised position."""

    features: Tensor
    """(n, d) in the precision of training: the activations before the head"""
    logits: Tensor
    """(n, classes) in the precision of training"""
    labels: Tensor
    """(n,) int64"""
    further: tuple["Outputs", ...] = ()
    """the same at further supervised positions, if the task has several; this is the answer's"""

    @property
    def positions(self) -> tuple["Outputs", ...]:
        """The outputs at all supervised positions, the answer's first."""
        return self, *self.further

    @cached_property
    def predictions(self) -> Tensor:
        """(n,) int64: the class of each sample's largest logit"""
        return largest(self.logits)

    @cached_property
    def squared_lengths(self) -> Tensor:
        """(n,) float64: squared length of each sample's features"""
        return torch.linalg.vector_norm(self.features, dim=1, dtype=torch.float64).square()


class Shared:
    """Base of the input of measures: results that several of them need are computed once."""

    def once(self, function: Callable[[Self], Value]) -> Value:
        """Return function(self), computed at the first call."""
        if function not in self._computed:
            self._computed[function] = function(self)
        value: Value = self._computed[function]
        return value

    @cached_property
    def _computed(self) -> dict[Hashable, Any]:
        return {}


@dataclass(frozen=True, eq=False)
class Inputs(Shared):
    """Inputs of the samples, shared by all snapshots of a cell."""

    table: Tensor
    """(n, *shape) inputs of all samples, as in `Task`"""
    rows: Tensor
    """(n_test,) int64 rows of the test set"""
    train_rows: Tensor | None = None
    """(n_train,) int64 rows of the training set"""

    @cached_property
    def test(self) -> Tensor:
        """(n_test, *shape) inputs of the test set: a view of the table where its rows allow it"""
        first, count = int(self.rows[0]), len(self.rows)
        if torch.equal(self.rows, torch.arange(first, first + count)):
            return self.table[first : first + count]
        return self.table[self.rows]


@dataclass(frozen=True)
class Snapshot(Shared):
    """One network at one step: the input of measures."""

    train: Outputs
    """the whole training set"""
    test: Outputs
    """the whole test set"""
    train_probe: Tensor
    """(m, d) float64: features of min(512, n) fixed training samples"""
    test_probe: Tensor
    """(m, d) float64: features of min(512, n) fixed test samples"""
    parameters: Mapping[str, Tensor]
    """all parameters by name, float64"""
    classes: int
    loss: str
    """squared_error, cross_entropy or stablemax"""
    train_probe_labels: Tensor | None = None
    """(m,) int64: labels of `train_probe`"""
    exponents: Tensor | None = None
    """(classes,) int64: see `Task.exponents`; None if the labels form no cyclic group"""
    inputs: Inputs | None = None
    """None where they are not known"""
    network: nn.Module | None = None
    """the plain module, on the meta device, for measures that call it with `parameters` and
    `buffers`; None where it is not known"""
    buffers: Mapping[str, Tensor] = field(default_factory=dict)
    """what the network holds beside its parameters, by name, float64"""

    @cached_property
    def log_probabilities(self) -> Tensor:
        """(n, classes) float64: log p of the training set, by the loss in use"""
        return log_probabilities(self.loss, self.train.logits.double())

    @property
    def head(self) -> Tensor:
        """(classes, d): weights of the last layer, one row a class"""
        return self.parameters["head.weight"]

    @property
    def bias(self) -> Tensor:
        """(classes,): biases of the last layer; zeros if it has none"""
        zeros = torch.zeros(len(self.head), dtype=torch.float64)
        return self.parameters.get("head.bias", zeros)


def in_parts(values: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Yield slices of rows of values (n, …), each with these rows in float64."""
    for start in range(0, len(values), PART):
        rows = slice(start, start + PART)
        yield rows, values[rows].double()


def largest(values: Tensor) -> Tensor:
    """Index of each row's largest value, (n, m) → (n,): argmax(1) by NumPy, which is faster."""
    return torch.from_numpy(values.numpy(force=True).argmax(1))


def pair_distances(points: Tensor) -> tuple[Tensor, Tensor]:
    """Pairs of points (m, d), as (2, m (m − 1)/2) indices, and their squared distances.

    Distances are computed from differences, since the expanded square would cancel.
    """
    return torch.triu_indices(len(points), len(points), 1), torch.pdist(points).square()
