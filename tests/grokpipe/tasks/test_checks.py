"""What a task must return."""

from dataclasses import replace

import pytest
import torch

from grokpipe.errors import InputError
from grokpipe.tasks import Task, _checks

ROWS = torch.arange(6)
GOOD = Task(torch.rand(6, 2), ROWS % 3, ROWS[:4], ROWS[4:], 3, "hash")


def test_a_good_task_passes_with_floats_or_tokens() -> None:
    tokens = replace(GOOD, inputs=torch.arange(12).view(6, 2), vocabulary=12)
    assert _checks.check(GOOD, "x") is None
    assert _checks.check(tokens, "x") is None


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"labels": [1, 2]}, "labels is a list; must be a tensor"),
        (
            {"labels": (ROWS % 3).int()},
            "labels is torch.int32 of shape (6,); must be int64 (n,) or (n, positions)",
        ),
        ({"train": ROWS[:4, None]}, "train is torch.int64 of shape (4, 1); must be int64 (n,)"),
        ({"inputs": torch.rand(5, 2)}, "5 inputs but 6 labels"),
        ({"classes": 2}, "labels lie in [0, 2]; must be in [0, 2)"),
        ({"test": ROWS[4:] + 1}, "test lie in [5, 6]; must be in [0, 6)"),
        ({"test": ROWS[:0]}, "test is empty"),
        ({"test": ROWS[3:]}, "train and test must name each row once, and no row may be in both"),
        ({"inputs": ROWS}, "inputs are torch.int64; must be floats, or tokens with vocabulary set"),
        ({"vocabulary": 3}, "inputs are torch.float32; tokens must be int64"),
        ({"inputs": ROWS, "vocabulary": 3}, "tokens must be in [0, vocabulary=3)"),
        ({"padding": 0}, "padding=0: for tokens only; must be None"),
        (
            {"inputs": ROWS, "vocabulary": 6, "padding": 6},
            "padding=6: must be a token, in [0, 6)",
        ),
        ({"fingerprint": 3}, "fingerprint is a int; must be a string"),
    ],
)
def test_a_wrong_one_is_one_line(changed, line: str) -> None:
    with pytest.raises(InputError) as refusal:
        _checks.check(replace(GOOD, **changed), "x")
    assert str(refusal.value) == f"task=x: {line}"


def test_something_else_is_refused() -> None:
    with pytest.raises(InputError, match=r"^task=x: load returns a tuple; must be a grokpipe\."):
        _checks.check((1, 2), "x")
