"""Losses against loops over samples and classes."""

import math

import pytest
import torch

from grokpipe.losses import PER_SAMPLE, log_probabilities, stablemax, training_loss

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.0, 3.0]], dtype=torch.float64)
LABELS = [0, 1]


def linear(x: float) -> float:
    return x + 1 if x >= 0 else 1 / (1 - x)


def by_hand(loss: str) -> list[float]:
    found = []
    for row, label in zip(LOGITS.tolist(), LABELS):
        if loss == "squared_error":
            found.append(sum((z - (c == label)) ** 2 for c, z in enumerate(row)))
        elif loss == "stablemax":
            found.append(math.log(sum(map(linear, row))) - math.log(linear(row[label])))
        else:
            found.append(math.log(sum(math.exp(z) for z in row)) - row[label])
    return found


@pytest.mark.parametrize("loss", PER_SAMPLE)
def test_per_sample_and_as_it_is_minimised(loss: str) -> None:
    labels, expected = torch.tensor(LABELS), by_hand(loss)
    assert PER_SAMPLE[loss](LOGITS, labels).tolist() == pytest.approx(expected)
    total = sum(expected) if loss == "squared_error" else sum(expected) / 2
    assert training_loss(loss, LOGITS, labels).item() == pytest.approx(total)


def scattered(seed: int, n: int = 6, classes: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of both signs, some exactly 0, and labels."""
    draws = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(n, classes, generator=draws, dtype=torch.float64)
    logits[0, 0] = logits[1, 2] = 0.0
    return logits, torch.randint(classes, (n,), generator=draws)


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_of_stablemax_is_that_by_hand(seed: int) -> None:
    """∂/∂z_j of log Σs − log s_label is s'_j/Σs − δ_{j,label} s'_j/s_j, with s' = 1 from 0 upwards
    and 1/(1 − z)² below."""
    logits, labels = scattered(seed)
    logits.requires_grad_()
    loss = PER_SAMPLE["stablemax"]
    (found,) = torch.autograd.grad(loss(logits, labels).sum(), logits)
    for row, label, gradient in zip(logits.tolist(), labels.tolist(), found.tolist()):
        total = sum(map(linear, row))
        slopes = [1 if z >= 0 else 1 / (1 - z) ** 2 for z in row]
        expected = [slope / total for slope in slopes]
        expected[label] -= slopes[label] / linear(row[label])
        assert gradient == pytest.approx(expected, rel=1e-12)
    smooth = logits[2:].detach().requires_grad_()  # s'' jumps at 0
    assert torch.autograd.gradcheck(lambda z: loss(z, labels[2:]), smooth)


def test_stablemax_of_huge_and_infinite_logits() -> None:
    """The branch that is not taken neither overflows nor divides by 0, in value and gradient."""
    logits = torch.tensor([[1.0, -1e30, 1e30, -math.inf]], requires_grad=True)
    found = stablemax(logits)
    assert found.tolist()[0] == pytest.approx([2.0, 1e-30, 1e30, 0.0])
    (gradient,) = torch.autograd.grad(found.sum(), logits)
    assert gradient.tolist() == [[1.0, 0.0, 1.0, 0.0]]


@pytest.mark.parametrize("loss", PER_SAMPLE)
def test_probabilities_are_those_of_the_loss(loss: str) -> None:
    log_p = log_probabilities(loss, LOGITS)
    assert log_p.exp().sum(1).tolist() == pytest.approx([1, 1])
    if loss != "squared_error":
        assert (-log_p[[0, 1], LABELS]).tolist() == pytest.approx(by_hand(loss))
