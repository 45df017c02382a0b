"""What is left beside the largest probability, against exact sums."""

import mpmath
import pytest
import torch

from grokpipe.losses import log_probabilities
from grokpipe.measures._distribution import distribution


@pytest.mark.parametrize("scale", [0.1, 1, 15, 100])
def test_rest_and_uncertainty_keep_their_digits(scale: float) -> None:
    draws = torch.Generator().manual_seed(1)
    logits = scale * torch.randn(6, 5, generator=draws, dtype=torch.float64)
    found = distribution(logits.log_softmax(1))
    for row, rest, uncertainty in zip(logits, found.rest, found.uncertainty, strict=True):
        with mpmath.workdps(400):
            weights = [mpmath.exp(value) for value in row.tolist()]
            p = [weight / sum(weights) for weight in weights]
            expected = [float(1 - max(p)), float(1 - sum(x * x for x in p))]
        assert [rest.item(), uncertainty.item()] == pytest.approx(expected, rel=1e-11, abs=0)


def test_known_predictions_change_nothing() -> None:
    log_p = torch.randn(9, 4, generator=torch.Generator().manual_seed(2)).double().log_softmax(1)
    one, other = distribution(log_p), distribution(log_p, log_p.argmax(1))
    assert torch.equal(one.top, other.top)
    assert torch.equal(one.uncertainty, other.uncertainty)


def test_uncertainty_of_one_class_is_0_and_of_infinite_logits_not_a_number() -> None:
    assert distribution(torch.zeros(2, 1).double()).uncertainty.tolist() == [0, 0]
    infinite = torch.tensor([[torch.inf, 0.0, -torch.inf]]).double()
    for loss in ("cross_entropy", "stablemax"):
        assert distribution(log_probabilities(loss, infinite)).uncertainty.isnan().all()
