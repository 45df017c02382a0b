"""Composition of permutations against sympy and against loops, and the laws of a group."""

import math
from itertools import permutations

import pytest
import torch
from sympy.combinatorics import Permutation

from grokpipe.config.fields import check
from grokpipe.errors import InputError
from grokpipe.tasks import Task, symmetric


def load(n: int, fraction: float = 0.1, seed: int = 0) -> Task:
    config = symmetric.Config("symmetric", n, fraction)
    return symmetric.load(config, torch.Generator().manual_seed(seed))


def table(n: int) -> torch.Tensor:
    """(n!, n!) labels by (σ₁, σ₂)"""
    return load(n).labels.view(math.factorial(n), -1)


@pytest.mark.parametrize("n", [3, 4])
def test_agrees_with_a_loop(n: int) -> None:
    elements = list(permutations(range(n)))
    task = load(n)
    for (i, j), label in zip(task.inputs.tolist(), task.labels.tolist()):
        first, second = elements[i], elements[j]
        assert elements[label] == tuple(first[second[x]] for x in range(n))


@pytest.mark.parametrize("n", [4, 5])
def test_agrees_with_sympy(n: int) -> None:
    """sympy's p * q lets p act first, ours is x ↦ σ₁(σ₂(x)); its rank is the lexicographic one."""
    elements = [Permutation(list(values)) for values in permutations(range(n))]
    assert [element.rank() for element in elements] == list(range(len(elements)))
    pairs = load(n).inputs
    chosen = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(1))[:1500]
    expected = [(elements[j] * elements[i]).rank() for i, j in pairs[chosen].tolist()]
    assert load(n).labels[chosen].tolist() == expected


@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_every_row_and_column_is_a_permutation(n: int) -> None:
    labels = table(n)
    elements = torch.arange(len(labels)).expand_as(labels)
    assert labels.sort(0).values.T.equal(elements)
    assert labels.sort(1).values.equal(elements)
    assert labels[0].equal(elements[0]) and labels[:, 0].equal(elements[0])


@pytest.mark.parametrize("n", [3, 4, 5])
def test_is_associative(n: int) -> None:
    labels = table(n)
    draws = torch.Generator().manual_seed(2)
    a, b, c = torch.randint(len(labels), (3, 5000), generator=draws)
    assert labels[labels[a, b], c].equal(labels[a, labels[b, c]])


@pytest.mark.parametrize("n, conjugacy_classes", [(3, 3), (4, 5), (5, 7), (6, 11)])
def test_share_of_commuting_pairs(n: int, conjugacy_classes: int) -> None:
    """It is the number of conjugacy classes over the order: 7/120 in S5."""
    labels = table(n)
    commuting = int((labels == labels.T).sum())
    assert commuting == conjugacy_classes * math.factorial(n)


def test_sizes_of_s5() -> None:
    task = load(5)
    assert task.inputs.shape == (14_400, 2)
    assert (len(task.train), len(task.test)) == (1440, 12_960)
    assert task.classes == task.vocabulary == 120
    assert task.exponents is None
    assert (task.labels.bincount() == 120).all()
    assert task.inputs.dtype == task.labels.dtype == torch.int64
    i, j = task.inputs.T
    assert (120 * i + j).equal(torch.arange(14_400))


def test_cells_share_the_table_and_draw_their_own_rows() -> None:
    one, again, other = load(5), load(5), load(5, seed=1)
    assert one.inputs.data_ptr() == other.inputs.data_ptr()
    assert one.labels.data_ptr() == other.labels.data_ptr()
    assert one.fingerprint == other.fingerprint != load(4).fingerprint
    assert one.train.equal(again.train)
    assert not one.train.equal(other.train)
    assert torch.cat([one.train, one.test]).sort().values.equal(torch.arange(14_400))


@pytest.mark.parametrize("n, why", [(2, "≥ 3"), (7, "< 7")])
def test_size_of_the_group_is_bounded(n: int, why: str) -> None:
    with pytest.raises(InputError, match=f"^n={n}: must be {why}$"):
        check(symmetric.Config("symmetric", n, 0.5))
