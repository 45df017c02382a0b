"""What a measure must return."""

import numpy as np
import pytest
import torch

from grokpipe.errors import InputError
from grokpipe.measures._checks import checked


def test_floats_of_python_and_numpy_pass() -> None:
    row = {"a": 1.0, "b": float("nan"), "c": np.float64(2)}
    assert checked(row, "x", {"train_loss"}) is row


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (torch.ones(()), "returns a Tensor; must be a dict of floats"),
        ({"a": torch.ones(())}, "a is a Tensor; must be a float; use .item()"),
        ({"a": np.float32(1)}, "a is a float32; must be a float; use .item()"),
        ({"a": True}, "a is a bool; must be a float"),
        ({"a": None}, "a is a NoneType; must be a float"),
        ({1: 1.0}, "column 1: the name must be a string"),
        ({"train_loss": 1.0}, "train_loss: another measure has this column"),
        ({"step": 1.0}, "step: another measure has this column"),
    ],
)
def test_anything_else_is_one_line(row: object, line: str) -> None:
    with pytest.raises(InputError) as refusal:
        checked(row, "x", {"train_loss"})
    assert str(refusal.value) == f"measure x: {line}"
