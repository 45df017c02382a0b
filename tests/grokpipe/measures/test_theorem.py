"""Theorem 3.2's bound against loops over classes and pairs, on distributions where Cantelli's
inequality is known, and against the error that it bounds."""

import math
from statistics import NormalDist

import numpy as np
import pytest
import torch
from torch import Tensor

from grokpipe.measures import Outputs, Snapshot, theorem


def made(
    seed: int, n: int = 120, d: int = 6, classes: int = 4, noise: float = 1.0
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Features (n, d) about class means, labels of unequal frequency, and a head that mostly points
    at the means."""
    draws = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draws, dtype=torch.float64)

    labels = torch.randint(classes, (n,), generator=draws) * torch.randint(2, (n,), generator=draws)
    means, spread = 2 * normal(classes, d), 0.2 + normal(d).abs()
    features = means[labels] + noise * spread * normal(n, d)
    return features, labels, means + 0.7 * normal(classes, d), normal(classes)


def in_loops(
    features: np.ndarray, labels: np.ndarray, head: np.ndarray, bias: np.ndarray
) -> tuple[float, float]:
    """The statement as it is written, with B_g and unit vectors."""
    largest = max(np.linalg.norm(g) for g in features)  # B_g of Definition 3.1
    isotropic = directional = 0.0
    for c in range(len(head)):
        own = [g / largest for g, y in zip(features, labels) if y == c]
        if not own:
            continue
        mean = sum(own) / len(own)
        for k in range(len(head)):
            if k == c:
                continue
            length = np.linalg.norm(head[c] - head[k])
            unit = (head[c] - head[k]) / length
            towards = mean @ unit + (bias[c] - bias[k]) / (largest * length)
            squared = max(towards, 0) ** 2
            around = sum((g - mean) @ (g - mean) for g in own) / len(own)
            along = sum(((g - mean) @ unit) ** 2 for g in own) / len(own)
            isotropic += len(own) / len(features) / (1 + squared / around)
            directional += len(own) / len(features) / (1 + squared / along)
    return isotropic, directional


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_loops(seed: int) -> None:
    case = made(seed)
    expected = in_loops(*(t.numpy() for t in case))
    assert theorem.bounds(*case) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_the_scale_of_features_cancels(factor: float) -> None:
    features, labels, head, bias = made(1)
    found = theorem.bounds(factor * features, labels, head, factor * bias)
    assert found == pytest.approx(theorem.bounds(features, labels, head, bias), rel=1e-11)


def test_a_small_variance_on_a_large_mean_does_not_cancel() -> None:
    """The bound of collapsed classes: sums are centred before they are squared."""
    draws = torch.Generator().manual_seed(2)
    labels = torch.arange(60) % 3
    eye, bias = torch.eye(3, 5, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    noise = 1e-6 * torch.randn(60, 5, generator=draws, dtype=torch.float64)
    far = torch.tensor([0.0, 0, 0, 1e3, 1e3])  # orthogonal to all weights
    near = theorem.bounds(eye[labels] + noise, labels, eye, bias)
    assert near == pytest.approx(
        in_loops(*map(np.asarray, (eye[labels] + noise, labels, eye, bias)))
    )
    assert 0 < near[1] < near[0] < 1e-10
    assert theorem.bounds(eye[labels] + noise + far, labels, eye, bias) == pytest.approx(
        near, rel=1e-4
    )


def error(features: Tensor, labels: Tensor, head: Tensor, bias: Tensor) -> float:
    """Share of samples whose own logit is not above all others: ties count as errors."""
    logits = features @ head.T + bias
    own = logits.gather(1, labels[:, None])
    others = logits.scatter(1, labels[:, None], -math.inf)
    return (others >= own).any(1).double().mean().item()


def test_the_error_on_the_same_set_is_bounded() -> None:
    """By the theorem for the empirical distribution, whatever the network: heads at random and
    trained ones, two classes and many, collapsed and not, a class with a single sample."""
    told, tight = [], 0
    for seed in range(60):
        draws = np.random.default_rng(seed)
        classes, n = int(draws.integers(2, 12)), int(draws.integers(3, 90))
        noise = 10.0 ** draws.uniform(-2, 1)
        case = made(seed, n, int(draws.integers(1, 8)), classes, noise)
        wrong, (isotropic, directional) = error(*case), theorem.bounds(*case)
        assert wrong <= directional * (1 + 1e-12), f"seed {seed}"
        assert directional <= isotropic * (1 + 1e-12), f"seed {seed}"
        told.append(isotropic)
        tight += directional < 1
    assert 10 < tight < 50  # bounds that say something, and bounds that do not


def test_two_points_attain_it() -> None:
    """Cantelli's extremal distribution: D = 0 with probability q, else one positive value."""
    q = 0.3
    features = torch.zeros(10, 1, dtype=torch.float64)
    features[3:] = 2.0
    labels = torch.zeros(10, dtype=torch.int64)
    head, bias = torch.tensor([[1.0], [-2.0]]).double(), torch.zeros(2).double()
    case = (features, labels, head, bias)
    assert error(*case) == q
    assert theorem.bounds(*case) == pytest.approx((q, q), rel=1e-12)


def test_a_gaussian_has_the_bound_of_its_moments() -> None:
    """Samples whitened to the exact moments of N(μ, Σ): s²/(s² + m²) of each class in closed form,
    above Φ(−m/s), the error of the Gaussian itself."""
    draws = torch.Generator().manual_seed(8)
    n, d = 300, 5
    shares, covariances, means = (0.25, 0.75), [], torch.randn(2, d, generator=draws).double()
    head = torch.randn(2, d, generator=draws).double()
    means[0] += head[0] - head[1]
    means[1] -= head[0] - head[1]
    bias = torch.tensor([0.3, -0.2]).double()
    parts, labels = [], []
    for c, share in enumerate(shares):
        root = torch.randn(d, d, generator=draws).double()
        covariances.append(root @ root.T)
        z = torch.randn(int(share * 4 * n), d, generator=draws).double()
        z = z - z.mean(0)
        white = z @ torch.linalg.inv(torch.linalg.cholesky(z.T @ z / len(z))).T
        parts.append(means[c] + white @ root.T)
        labels += [c] * len(z)
    found = theorem.bounds(torch.cat(parts), torch.tensor(labels), head, bias)
    stated = directional = exact = 0.0
    for c, share in enumerate(shares):
        normal, offset = head[c] - head[1 - c], bias[c] - bias[1 - c]
        m = (normal @ means[c] + offset).item()
        s = (normal @ covariances[c] @ normal).sqrt().item()
        wide = (normal @ normal * covariances[c].trace()).sqrt().item()
        assert m > 0
        stated += share / (1 + (m / wide) ** 2)
        directional += share / (1 + (m / s) ** 2)
        exact += share * NormalDist().cdf(-m / s)
    assert found == pytest.approx((stated, directional), rel=1e-9)
    assert exact < directional < stated


def snapshot(train: Outputs, test: Outputs, parameters: dict[str, Tensor]) -> Snapshot:
    return Snapshot(
        train, test, train.features, test.features, parameters, len(parameters["head.weight"]),
        "squared_error",
    )  # fmt: skip


def outputs(features: Tensor, labels: Tensor, head: Tensor, bias: Tensor) -> Outputs:
    return Outputs(features, features @ head.T + bias, labels)


def test_moments_are_those_of_either_set() -> None:
    """The test set's, the training set's beside; a head without biases has zeros."""
    features, labels, head, bias = made(3)
    other, others, _, _ = made(4)
    sets = [outputs(f, y, head, bias) for f, y in ((other, others), (features, labels))]
    row = theorem.measure(snapshot(*sets, {"head.weight": head, "head.bias": bias}))
    expected = [*theorem.bounds(features, labels, head, bias),
                *theorem.bounds(other, others, head, bias)]  # fmt: skip
    assert row == dict(zip(COLUMNS, expected, strict=True))
    row = theorem.measure(snapshot(*sets, {"head.weight": head}))
    without = theorem.bounds(features, labels, head, torch.zeros_like(bias))
    assert tuple(row[name] for name in COLUMNS[:2]) == without != tuple(expected[:2])


COLUMNS = (
    "theorem/bound",
    "theorem/bound_directional",
    "theorem/bound_train",
    "theorem/bound_directional_train",
)


def test_degenerate_input() -> None:
    features, labels, head, bias = made(5)
    collapsed = torch.stack([features[labels == c].mean(0) for c in range(4)])[labels]
    right = (collapsed @ head.T + bias).argmax(1) == labels
    # without variance: 0 for a class that is right, at least 1 for one that is not
    isotropic, directional = theorem.bounds(collapsed[right], labels[right], head, bias)
    assert isotropic == pytest.approx(0, abs=1e-20) and directional == pytest.approx(0, abs=1e-20)
    assert (
        len(labels[~right]) == 0
        or theorem.bounds(collapsed[~right], labels[~right], head, bias)[1] >= 1 - 1e-12
    )
    # equal weights: the biases decide, and where they are equal too every pair may be wrong
    same, none = torch.ones_like(head), torch.zeros_like(bias)
    assert theorem.bounds(features, labels, same, none) == (3, 3)
    zero = torch.zeros_like(labels)
    assert theorem.bounds(features, zero, same, torch.tensor([1.0, 0, 0, 0]).double()) == (0, 0)
    for bad in (math.nan, math.inf):
        broken = features.clone()
        broken[3, 1] = bad
        assert all(map(math.isnan, theorem.bounds(broken, labels, head, bias)))
        weights = head.clone()
        weights[2, 0] = bad
        assert all(map(math.isnan, theorem.bounds(features, labels, weights, bias)))
