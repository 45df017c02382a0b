"""The equations, their fixed split, and tasks with several supervised positions."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from grokpipe.errors import InputError
from grokpipe.tasks import _checks, equations


def loaded(p: int = 97, fraction: float = 0.5):
    return equations.load(equations.Config("equations", p, fraction), torch.Generator())


def test_the_equations_as_texts() -> None:
    """Written out for p = 97, token by token."""
    task = loaded()
    assert (len(task.inputs), task.classes, task.vocabulary, task.positions) == (9409, 239, 239, 2)
    for row in random.Random(0).sample(range(97 * 97), 50):
        a, b = divmod(row, 97)
        text = [0, 22 + a, 2, 22 + b, 1, 22 + (a + b) % 97]
        assert task.inputs[row].tolist() == text
        assert task.labels[row].tolist() == [text[-1], 0]


def test_the_split_is_the_published_shuffle_for_every_seed() -> None:
    order = [*range(9409)]
    np.random.RandomState(0).shuffle(order)
    task = loaded()
    assert len(task.train) == 4704
    assert torch.cat([task.train, task.test]).tolist() == order
    again = equations.load(equations.Config("equations", 97, 0.2), torch.Generator().manual_seed(7))
    assert again.train.tolist() == order[:1881]


def test_another_modulus_is_another_table() -> None:
    one, other = loaded(5), loaded(7)
    assert one.fingerprint == loaded(5, 0.2).fingerprint != other.fingerprint
    assert (other.classes, len(other.inputs)) == (149, 49)


def test_a_fraction_that_leaves_nothing_is_one_line() -> None:
    with pytest.raises(InputError, match=r"^task.fraction=0.01: leaves no training pairs of 25;"):
        loaded(5, 0.01)


def test_labels_by_position_are_checked() -> None:
    task = loaded(5)
    _checks.check(task, "equations")
    for labels, line in (
        (task.labels[:, None], "labels is torch.int64 of shape (25, 1, 2); must be int64 (n,) or"),
        (task.labels[:, :0], "labels is empty"),
        (task.labels + 140, "labels lie in [140, 166]; must be in [0, 147)"),
    ):
        with pytest.raises(InputError) as raised:
            _checks.check(replace(task, labels=labels), "equations")
        assert str(raised.value).startswith(f"task=equations: {line}")
