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


class Counting(Network):
    """Counts its forward passes, in evaluation mode too."""

    def forward(self, x: Tensor) -> object:
        self.passes += 1
        return super().forward(x)


def with_buffer(network: nn.Module, name: str, persistent: bool = True) -> nn.Module:
    network.register_buffer(name, torch.zeros(1), persistent)
    return network


def test_a_good_network_passes_and_draws_nothing() -> None:
    network = with_buffer(Network(nn.Linear(2, 3)), "mean")
    before = torch.get_rng_state()
    _checks.check(network, TASK, "x")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("network", "line"),
    [
        (nn.Linear(2, 3), "the last layer must be a torch.nn.Linear in the attribute head"),
        (Network(nn.Linear(2, 4)), "head gives 4 logits; the task has 3 classes"),
        (
            with_buffer(Network(nn.Linear(2, 3)), "mask", persistent=False),
            "buffers that are not stored: mask; must be persistent=True",
        ),
        (
            with_buffer(Counting(nn.Linear(2, 3)), "passes"),
            "forward changes passes in evaluation mode; only if self.training",
        ),
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
