"""What a network must have and return."""

import pytest
import torch
from torch import Tensor, nn

from grokpipe.archs import _checks
from grokpipe.errors import InputError
from grokpipe.tasks import Task

ROWS = torch.arange(6)
TASK = Task(torch.rand(6, 2), ROWS % 3, ROWS[:4], ROWS[4:], 3, "hash")


class Network(nn.Module):
    def __init__(self, head: nn.Module, returns: str = "both"):
        super().__init__()
        self.head, self.returns = head, returns

    def forward(self, x: Tensor) -> object:
        logits = self.head(x)
        return {"both": (logits, x), "one": logits, "swapped": (x, logits)}[self.returns]


def with_buffer() -> nn.Module:
    network = Network(nn.Linear(2, 3))
    network.register_buffer("mean", torch.zeros(1))
    return network


def test_a_good_network_passes_and_draws_nothing() -> None:
    network = Network(nn.Sequential(nn.Dropout(), nn.Linear(2, 3))[1])
    before = torch.get_rng_state()
    _checks.check(network, TASK, "x")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("network", "line"),
    [
        (nn.Linear(2, 3), "the last layer must be a torch.nn.Linear in the attribute head"),
        (Network(nn.Linear(2, 4)), "head gives 4 logits; the task has 3 classes"),
        (with_buffer(), "a pack cannot stack buffers: mean; "),
        (Network(nn.Linear(2, 3), "one"), "forward returns a Tensor; must be (logits, features)"),
        (
            Network(nn.Linear(2, 3), "swapped"),
            "logits and features have shapes [(2, 2), (2, 3)]; must be [(2, 3), (2, 2)] for 2 ",
        ),
    ],
)
def test_a_wrong_one_is_one_line(network: nn.Module, line: str) -> None:
    with pytest.raises(InputError) as refusal:
        _checks.check(network, TASK, "x")
    assert str(refusal.value).startswith(f"arch=x: {line}")
