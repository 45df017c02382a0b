"""κ of exact simplexes against the general closed form, and Proposition 5.3's bound on it."""

import math

import pytest
import torch
from torch import Tensor

from grokpipe.measures import Outputs, Snapshot, simplex
from grokpipe.measures.flatness import kappa_cross_entropy

CLASSES, DIMENSION, SAMPLES = 7, 12, 4


def collapsed(corner: float, scale: float, offset: float = 0.0, noise: float = 0.0) -> Snapshot:
    """A network whose features are the corners of a simplex, turned, about a mean that the head
    does not see, and whose head is `scale` times the corners."""
    draws = torch.Generator().manual_seed(3)
    turn = torch.linalg.qr(torch.randn(DIMENSION, DIMENSION, generator=draws).double()).Q
    corners = torch.eye(CLASSES).double() - 1 / CLASSES
    corners = corner * (corners / corners[0].norm()) @ turn[:CLASSES]
    labels = torch.arange(CLASSES).repeat(SAMPLES)
    features = corners[labels] + offset * turn[-1]
    features = features + noise * torch.randn(features.shape, generator=draws).double()
    head = scale * corners
    return snapshot(features, features @ head.T, labels, head)


def snapshot(features: Tensor, logits: Tensor, labels: Tensor, head: Tensor) -> Snapshot:
    outputs = Outputs(features, logits, labels)
    parameters = {"head.weight": head}
    return Snapshot(outputs, outputs, features, features, parameters, len(head), "cross_entropy")


def kappa(of: Snapshot) -> float:
    return kappa_cross_entropy(of.train.features, of.log_probabilities, of.head)


@pytest.mark.parametrize("offset", [0.0, 2.0])
@pytest.mark.parametrize("scale", [0.01, 0.3, 1.0, 3.0])
def test_the_formula_is_kappa_under_exact_collapse(scale: float, offset: float) -> None:
    of = collapsed(corner=2.0, scale=scale, offset=offset)
    assert simplex.measure(of)["simplex/kappa"] == pytest.approx(kappa(of), rel=1e-9)


@pytest.mark.parametrize("scale", [0.01, 0.3, 1.0, 3.0])
def test_the_bound_holds_without_an_offset(scale: float) -> None:
    of = collapsed(corner=2.0, scale=scale)
    margin = scale * 4 * CLASSES / (CLASSES - 1)
    small = math.exp(-margin)
    stated = scale**2 * CLASSES**3 * 2.0**4 * small / (1 + (CLASSES - 1) * small) ** 2
    assert simplex.measure(of)["simplex/bound"] == pytest.approx(stated, rel=1e-9)
    assert kappa(of) <= stated


def test_uncertainty_of_two_and_of_many_classes() -> None:
    assert simplex.uncertainty(0.0, 97) == pytest.approx(96 / 97)
    p = torch.tensor([5.0, 0, 0, 0], dtype=torch.float64).softmax(0)
    assert simplex.uncertainty(5.0, 4) == pytest.approx(1 - p.square().sum().item(), rel=1e-12)
    assert simplex.uncertainty(60.0, 4) == pytest.approx(6 * math.exp(-60), rel=1e-12)


def test_neither_is_known_before_the_classes_part() -> None:
    nan = pytest.approx(math.nan, nan_ok=True)
    wrong = collapsed(corner=2.0, scale=-1.0)  # the label's logit is the smallest
    assert simplex.measure(wrong) == {"simplex/kappa": nan, "simplex/bound": nan}
    together = collapsed(corner=2.0, scale=1.0)
    features = torch.ones_like(together.train.features)
    logits = together.train.logits
    together = snapshot(features, logits, together.train.labels, together.head)
    assert simplex.measure(together) == {"simplex/kappa": nan, "simplex/bound": nan}


def test_a_network_that_has_not_collapsed_is_off_the_formula() -> None:
    of = collapsed(corner=2.0, scale=1.0, noise=0.3)
    assert simplex.measure(of)["simplex/kappa"] != pytest.approx(kappa(of), rel=0.05)
