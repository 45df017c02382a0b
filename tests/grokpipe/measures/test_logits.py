"""Logit summaries against loops and against more digits; zeros against float32 by NumPy."""

import math

import mpmath
import numpy as np
import pytest
import torch

from grokpipe.losses import PER_SAMPLE
from grokpipe.measures import Outputs, logits


def test_logit_summaries() -> None:
    values = torch.tensor([[2.0, 0.0, 1.0], [0.0, 0.0, 3.0]], dtype=torch.float64)
    labels = torch.tensor([0, 1])
    assert logits.logit_margin(values, labels) == pytest.approx(((2 - 1) + (0 - 3)) / 2)
    squares = [1, 1, 0, 1, 1, 4]
    assert logits.logit_scale(values) == pytest.approx(math.sqrt(sum(squares) / 6))
    uniform = torch.zeros(4, 5, dtype=torch.float64).log_softmax(1)
    assert logits.output_entropy(uniform) == pytest.approx(math.log(5))
    assert logits.output_entropy((100 * values).log_softmax(1)) == pytest.approx(0, abs=1e-12)


def test_classes_of_no_probability_have_no_entropy() -> None:
    log_p = torch.tensor([[0.5, 0.5, 0.0]], dtype=torch.float64).log()
    assert logits.output_entropy(log_p) == pytest.approx(math.log(2))
    assert math.isnan(logits.output_entropy(log_p * math.nan))


def test_margin_of_one_class_is_nan() -> None:
    assert math.isnan(logits.logit_margin(torch.zeros(3, 1), torch.zeros(3, dtype=torch.long)))


@pytest.mark.parametrize("scale", [0.1, 1, 8, 15, 40])
def test_entropy_of_confident_outputs_keeps_its_digits(scale: float) -> None:
    draws = torch.Generator().manual_seed(3)
    values = scale * torch.randn(20, 7, generator=draws, dtype=torch.float64)
    for row in values:
        with mpmath.workdps(400):
            weights = [mpmath.exp(z) for z in row.tolist()]
            p = [weight / sum(weights) for weight in weights]
            expected = float(-sum(x * mpmath.log(x) for x in p))
        found = logits.output_entropy(row[None].log_softmax(1))
        assert found == pytest.approx(expected, rel=1e-10, abs=0)


def outputs(values: np.ndarray, label: int = 0) -> Outputs:
    """Outputs with these logits, all of one label."""
    labels = torch.full((len(values),), label)
    return Outputs(torch.zeros(len(values), 1), torch.from_numpy(values), labels)


def margins(gaps: np.ndarray, classes: int, kind: type) -> np.ndarray:
    """Logits in which class 0 leads all others, which are equal, by a gap: a row for each gap."""
    values = np.zeros((len(gaps), classes), dtype=kind)
    values[:, 0] = gaps
    return values


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [2, 3, 11])
def test_cross_entropy_is_0_where_the_label_absorbs_the_others(classes, kind) -> None:
    """Up to which gap 1 + exp(−gap) + … + exp(−gap) is more than 1 in a precision. The order of the
    sum is PyTorch's: at the most the others come one by one, at the least all at once."""
    gaps = np.linspace(0, 60, 601).astype(kind)
    exponential = np.exp(-gaps)
    one_by_one, at_once = np.ones_like(gaps), np.zeros_like(gaps)
    for _ in range(classes - 1):
        one_by_one += exponential
        at_once += exponential
    most, least = (one_by_one == 1).mean(), (kind(1) + at_once == 1).mean()
    assert 0.2 < least <= most < 0.8
    assert most - least < 0.05
    loss, gradient = logits.zero_shares("cross_entropy", outputs(margins(gaps, classes, kind)))
    assert least - 1e-12 <= loss == gradient <= most + 1e-12


def test_float32_hides_what_float64_sees() -> None:
    values = margins(np.full(8, 20.0), 3, np.float64)
    assert logits.zero_shares("cross_entropy", outputs(values)) == (0, 0)
    assert logits.zero_shares("cross_entropy", outputs(values.astype(np.float32))) == (1, 1)
    assert logits.zero_shares("cross_entropy", outputs(values.astype(np.float32), 1)) == (0, 0)


def test_stablemax_absorbs_nothing_where_softmax_does() -> None:
    values = margins(np.array([20.0, 100.0, 1000.0]), 11, np.float32)
    assert logits.zero_shares("cross_entropy", outputs(values)) == (1, 1)
    assert logits.zero_shares("stablemax", outputs(values)) == (0, 0)


def test_squared_error_is_0_at_its_target_alone() -> None:
    """The loss is 0 if all logits are those of the target, the gradient if the label's is 1."""
    values = np.array([[1, 0, 0], [1, 0, 1e-3], [1 + 1e-6, 0, 0], [0, 0, 0]], dtype=np.float32)
    assert logits.zero_shares("squared_error", outputs(values)) == (0.25, 0.5)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("loss", PER_SAMPLE)
def test_zero_gradients_are_those_of_autograd(loss: str, kind: type) -> None:
    """On all gaps up to where every form is 0, on leads by the last digits, and on noise."""
    eps, noise = np.finfo(kind).eps, np.random.default_rng(0).normal(size=(2000, 7))
    last_digits = [eps * 2.0**k for k in range(-3, 6)]
    values = np.concatenate(
        [
            margins(np.linspace(-3, 60, 2001).astype(kind), 7, kind),
            margins(np.array([1 + x for x in last_digits] + last_digits, dtype=kind), 7, kind),
            (10 * noise).astype(kind),
            (30 * noise).astype(kind),
        ]
    )
    one = outputs(values)
    leaf = one.logits.clone().requires_grad_()
    losses = PER_SAMPLE[loss](leaf, one.labels)
    losses.sum().backward()
    zero = (leaf.grad[:, 0] == 0).double().mean().item()
    assert logits.zero_shares(loss, one) == ((losses == 0).double().mean().item(), zero)
    assert loss == "stablemax" or 0 < zero < 1


def test_without_finite_losses_there_are_no_shares() -> None:
    values = np.array([[np.inf, 0.0], [1.0, 0.0]], dtype=np.float32)
    found = logits.zero_shares("cross_entropy", outputs(values))
    assert all(math.isnan(share) for share in found)


def test_shares_leave_the_logits_as_they_are() -> None:
    """Evaluations may run without gradients, and other measures read the same tensor."""
    one = outputs(margins(np.array([1.0, 30.0]), 3, np.float32))
    before = one.logits.clone()
    with torch.no_grad():
        assert logits.zero_shares("cross_entropy", one) == (0.5, 0.5)
    assert torch.equal(one.logits, before)
    assert not one.logits.requires_grad
