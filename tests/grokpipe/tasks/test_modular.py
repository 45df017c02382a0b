"""Modular arithmetic against loops over residues and sympy's number theory; splits of all pairs."""

import re
from importlib import import_module

import numpy as np
import pytest
import torch
from sympy import ntheory

from grokpipe.errors import InputError
from grokpipe.tasks import Task, _modular, fingerprint

OPERATIONS = {
    "mod_add": lambda a, b, p: (a + b) % p,
    "mod_sub": lambda a, b, p: (a - b) % p,
    "mod_mul": lambda a, b, p: (a * b) % p,
    "mod_div": lambda a, b, p: (a * pow(b, -1, p)) % p,
}


def load(name: str, p: int, fraction: float = 0.5, seed: int = 0) -> Task:
    module = import_module(f"grokpipe.tasks.{name}")
    return module.load(module.Config(name, p, fraction), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("p", [2, 3, 11, 97])
def test_table_is_that_of_a_loop(name: str, p: int) -> None:
    task = load(name, p)
    pairs = [(a, b) for a in range(p) for b in range(p) if b > 0 or name != "mod_div"]
    assert task.inputs.tolist() == [list(pair) for pair in pairs]
    assert task.labels.tolist() == [OPERATIONS[name](a, b, p) for a, b in pairs]
    assert task.inputs.dtype == task.labels.dtype == torch.int64
    assert task.classes == task.vocabulary == p


@pytest.mark.parametrize("name", ["mod_add", "mod_sub", "mod_mul"])
@pytest.mark.parametrize("p", [4, 15])
def test_composite_moduli(name: str, p: int) -> None:
    task = load(name, p)
    assert task.labels.tolist() == [OPERATIONS[name](a, b, p) for a in range(p) for b in range(p)]
    assert (task.exponents is None) == (name == "mod_mul")


@pytest.mark.parametrize("name", ["mod_add", "mod_sub"])
@pytest.mark.parametrize("p", [12, 13])
def test_every_row_and_column_is_a_permutation(name: str, p: int) -> None:
    table = load(name, p).labels.view(p, p)
    residues = torch.arange(p).expand(p, p)
    assert table.sort(0).values.T.equal(residues)
    assert table.sort(1).values.equal(residues)


@pytest.mark.parametrize("name", ["mod_mul", "mod_div"])
def test_non_zero_residues_form_a_group(name: str) -> None:
    p = 13
    table = load(name, p).labels.view(p, -1)[1:, -(p - 1) :]
    residues = torch.arange(1, p).expand(p - 1, p - 1)
    assert table.sort(0).values.T.equal(residues)
    assert table.sort(1).values.equal(residues)


def test_division_undoes_multiplication() -> None:
    p = 31
    division = load("mod_div", p)
    a, b = division.inputs.T
    assert (division.labels * b % p).equal(a)


@pytest.mark.parametrize("p", [2, 3, 5, 41, 97, 113])
def test_discrete_logarithms_are_sympys(p: int) -> None:
    root = ntheory.primitive_root(p)
    found = _modular.discrete_logarithms(p)
    assert found is not None
    expected = [ntheory.discrete_log(p, c, root) for c in range(1, p)]
    assert found.tolist() == [-1, *expected]


@pytest.mark.parametrize("name", OPERATIONS)
def test_exponents_turn_the_operation_into_addition(name: str) -> None:
    p = 17
    task = load(name, p)
    exponents, (a, b) = task.exponents, task.inputs.T
    sign = -1 if name in ("mod_sub", "mod_div") else 1
    inside = (exponents[a] >= 0) & (exponents[b] >= 0)
    order = int((exponents >= 0).sum())
    expected = (exponents[a] + sign * exponents[b]) % order
    assert exponents[task.labels][inside].equal(expected[inside])
    assert (exponents[task.labels][~inside] == -1).all()


def test_primes_are_sympys() -> None:
    assert [n for n in range(2000) if _modular.is_prime(n)] == list(ntheory.primerange(2000))


@pytest.mark.parametrize(
    "p, nearest", [(96, "89, 97"), (4, "3, 5"), (98, "97, 101"), (121, "113, 127")]
)
def test_division_needs_a_prime(p: int, nearest: str) -> None:
    message = f"task.p={p}: must be prime for mod_div; nearest: {nearest}"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load("mod_div", p)


@pytest.mark.parametrize(
    "name, fraction, n_train, n", [("mod_add", 0.2, 1881, 9409), ("mod_div", 0.5, 4656, 9312)]
)
def test_sizes_at_97(name: str, fraction: float, n_train: int, n: int) -> None:
    task = load(name, 97, fraction)
    assert (len(task.train), len(task.inputs)) == (n_train, n)


@pytest.mark.parametrize("fraction, n_train", [(0.29, 29), (0.07, 7), (0.999, 99), (0.01, 1)])
def test_size_is_rounded_down_but_not_below_an_integer(fraction: float, n_train: int) -> None:
    assert len(load("mod_add", 10, fraction).train) == n_train


def test_split_is_a_partition_drawn_from_the_generator() -> None:
    task, again, other = (load("mod_sub", 23, 0.3, seed) for seed in (5, 5, 6))
    assert torch.cat([task.train, task.test]).sort().values.equal(torch.arange(23 * 23))
    assert task.train.equal(again.train) and task.test.equal(again.test)
    assert not task.train.equal(other.train)
    assert set(task.train.tolist()) != set(other.train.tolist())


def test_training_rows_of_a_smaller_fraction_are_among_those_of_a_larger() -> None:
    small, large = load("mod_add", 23, 0.2), load("mod_add", 23, 0.5)
    assert large.train[: len(small.train)].equal(small.train)


def test_cells_share_the_table() -> None:
    one, other = load("mod_mul", 29, 0.3, 0), load("mod_mul", 29, 0.6, 1)
    assert one.inputs.data_ptr() == other.inputs.data_ptr()
    assert one.labels.data_ptr() == other.labels.data_ptr()


def test_fingerprint_is_that_of_the_table_alone() -> None:
    one, other = load("mod_add", 19, 0.3, 0), load("mod_add", 19, 0.6, 1)
    a, b = np.divmod(np.arange(19 * 19), 19)
    assert one.fingerprint == other.fingerprint == fingerprint(np.stack([a, b], 1), (a + b) % 19)
    tasks = [load(name, p) for name in OPERATIONS for p in (19, 23)]
    assert len({task.fingerprint for task in tasks}) == len(tasks)


@pytest.mark.parametrize("fraction, empty", [(0.0001, "training"), (1.0, "test")])
def test_empty_sets_are_refused(fraction: float, empty: str) -> None:
    message = (
        f"task.fraction={fraction}: leaves no {empty} pairs of 9,409; must be ≥ 1/9,409 and < 1"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load("mod_add", 97, fraction)
