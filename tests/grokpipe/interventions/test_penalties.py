"""Measures of a batch against loops over samples and classes, Hessians and made features."""

import itertools

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from grokpipe.interventions._penalties import (
    cdnv,
    kappa,
    kappa_squared_error,
    kappa_surrogate,
    uncertainty,
)

DOUBLE = torch.float64


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def curvature(loss, features: Tensor, weight: Tensor) -> float:
    """Σ_{s,s'} ⟨w_s, w_s'⟩ Tr H_{s,s'} with the Hessian of the mean loss, by autograd."""
    hessian = torch.autograd.functional.hessian(lambda w: loss(features @ w.T), weight)
    traces = torch.diagonal(hessian, dim1=1, dim2=3).sum(-1)
    return (traces * (weight @ weight.T)).sum().item()


def test_kappa_is_the_hessians() -> None:
    features, weight, labels = drawn(7, 4), drawn(5, 4, seed=1), torch.arange(7) % 5
    found = kappa(features, features @ weight.T, weight).item()
    expected = curvature(lambda z: functional.cross_entropy(z, labels), features, weight)
    assert found == pytest.approx(expected, rel=1e-12)
    targets = functional.one_hot(labels, 5)
    found = kappa_squared_error(features, weight).item()
    expected = curvature(lambda z: (z - targets).square().sum(1).mean(), features, weight)
    assert found == pytest.approx(expected, rel=1e-12)


def test_kappa_does_not_see_a_common_vector() -> None:
    features, weight, logits = drawn(7, 4), drawn(5, 4, seed=1), drawn(7, 5, seed=2)
    found = kappa(features, logits, weight + 1e3 * drawn(4, seed=3)).item()
    assert found == pytest.approx(kappa(features, logits, weight).item(), rel=1e-9)


@pytest.mark.parametrize("scale", [1, 8, 15, 25])
def test_uncertainty_of_a_certain_network(scale: int) -> None:
    """In float32, where 1 − ‖p‖² has no digit left."""
    logits = scale * drawn(40, 97)
    temperature = torch.tensor(1.0)
    p = logits.softmax(1)
    rest = torch.where(p == p.amax(1, keepdim=True), 0, p)  # 1 − p of the largest, from the others
    top = rest.sum(1)
    expected = top * (2 - top) - rest.square().sum(1)
    found = uncertainty(logits.float(), temperature)
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=0)


def test_the_surrogate_is_a_loop_over_samples() -> None:
    features, weight, logits = drawn(7, 4), drawn(5, 4, seed=1), drawn(7, 5, seed=2)
    for unit in (False, True):
        terms = []
        for z, phi in zip(logits, features, strict=True):
            p = (z / 2).exp() / (z / 2).exp().sum()
            terms.append((1 - (p**2).sum()) * (1 if unit else (phi**2).sum()) * (weight**2).sum())
        found = kappa_surrogate(
            features, logits, weight, torch.tensor(2.0, dtype=DOUBLE), torch.tensor(unit)
        )
        assert found.item() == pytest.approx(torch.stack(terms).mean().item(), rel=1e-12)


def test_cdnv_is_a_loop_over_pairs_of_classes() -> None:
    """Class 3 has one sample and class 5 none: neither counts."""
    labels = torch.tensor([0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 4, 4])
    features = drawn(12, 6) + 3 * drawn(6, 6, seed=1)[labels]
    rows = {c: features[labels == c] for c in (0, 1, 2, 4)}
    variance = {c: r.var(0).sum() for c, r in rows.items()}  # unbiased
    top, bottom = [], []
    for a, b in itertools.permutations(rows, 2):
        distance = (rows[a].mean(0) - rows[b].mean(0)).square().sum()
        noise = variance[a] / len(rows[a]) + variance[b] / len(rows[b])
        top.append((variance[a] + variance[b]) / 2)
        bottom.append(distance - noise)
    expected = torch.stack(top).sum() / torch.stack(bottom).sum()
    assert cdnv(features, labels, 6).item() == pytest.approx(expected.item(), rel=1e-12)


@pytest.mark.parametrize("true", [1.0, 10.0])
def test_cdnv_is_right_with_five_samples_a_class(true: float) -> None:
    """Classes of which the population's ratio of sums is known; the plain mean over pairs would be
    at most 2.1."""
    classes, width, found = 97, 128, []
    means = drawn(classes, width, seed=1)
    apart = torch.pdist(means).square().mean()
    spread = (true * apart / width).sqrt()  # V = width · spread²
    for seed in range(12):
        draws = torch.Generator().manual_seed(seed)
        labels = torch.randint(classes, (512,), generator=draws)
        noise = torch.randn(512, width, generator=draws, dtype=DOUBLE)
        found.append(cdnv(means[labels] + spread * noise, labels, classes))
    assert torch.stack(found).mean().item() == pytest.approx(true, rel=0.1)


def test_cdnv_stays_finite() -> None:
    """Where sampling explains all distances, and where no class or one has two samples."""
    for labels in (torch.arange(30) % 10, torch.arange(30), torch.arange(30).clamp(max=28)):
        features = drawn(30, 4).requires_grad_()
        value = cdnv(features, labels, 30)
        value.backward()
        assert value.isfinite() and features.grad.isfinite().all()
        assert (value == 0) == (labels.max() > 10)
