"""Collapse measures against loops over samples and classes, and on exact geometry."""

import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch

from grokpipe import measures
from grokpipe.measures import Outputs, Snapshot, collapse
from grokpipe.measures.collapse import class_statistics


def clusters(seed: int, n: int = 90, d: int = 7, classes: int = 4) -> tuple[torch.Tensor, ...]:
    """Features (n, d) about class means, labels of unequal frequency, a head with bias."""
    draws = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (n,), generator=draws).clamp(max=classes - 1)
    means = torch.randn(classes, d, generator=draws, dtype=torch.float64)
    features = means[labels] + 0.3 * torch.randn(n, d, generator=draws, dtype=torch.float64)
    head = torch.randn(classes, d, generator=draws, dtype=torch.float64)
    return features, labels, head


def simplex(classes: int) -> torch.Tensor:
    """(C, C): a centred simplex of unit vectors, cosines −1/(C − 1)."""
    centred = torch.eye(classes, dtype=torch.float64) - 1 / classes
    return centred / centred.norm(dim=1, keepdim=True)


def brute_force(features: np.ndarray, labels: np.ndarray, head: np.ndarray) -> dict[str, float]:
    classes, n = sorted(set(labels)), len(labels)
    mean = {c: np.mean([z for z, y in zip(features, labels) if y == c], axis=0) for c in classes}
    overall = np.mean(features, axis=0)
    within = sum(np.outer(z - mean[y], z - mean[y]) for z, y in zip(features, labels)) / n
    between = sum(np.outer(mean[y] - overall, mean[y] - overall) for y in labels) / n
    length = np.mean([math.sqrt(z @ z) for z in features])
    variance = {
        c: np.mean([(z - mean[c]) @ (z - mean[c]) for z, y in zip(features, labels) if y == c])
        for c in classes
    }
    stacked = np.array([mean[c] for c in classes])
    centred = stacked - overall
    norms = [math.sqrt(m @ m) for m in centred]
    nearest = [min(classes, key=lambda c: (z - mean[c]) @ (z - mean[c])) for z in features]
    pairs = list(permutations(classes, 2))
    return {
        "rnc1": np.trace(within) / length**2,
        "rnc1_sup": np.trace(within) / max(np.linalg.norm(z) for z in features) ** 2,
        "nc1": np.trace(within) / np.trace(between),
        "nc1_pinv": np.trace(within @ np.linalg.pinv(between, rcond=1e-10)) / len(classes),
        "cdnv": np.mean(
            [(variance[a] + variance[b]) / (2 * np.sum((mean[a] - mean[b]) ** 2)) for a, b in pairs]
        ),
        "nc2_cond": math.sqrt(np.linalg.cond(stacked @ stacked.T)),
        "equinorm": np.std(norms) / np.mean(norms),
        "equiangular": np.mean(
            [
                abs(centred[a] @ centred[b] / norms[a] / norms[b] + 1 / (len(classes) - 1))
                for a, b in pairs
            ]
        ),
        "nc3": np.linalg.norm(head / np.linalg.norm(head) - centred / np.linalg.norm(centred)),
        "nc4": np.mean([int(c != np.argmax(head @ z)) for c, z in zip(nearest, features)]),
    }


def ours(features: torch.Tensor, labels: torch.Tensor, head: torch.Tensor) -> dict[str, float]:
    s = class_statistics(features, labels)
    return {
        "rnc1": collapse.rnc1(s),
        "rnc1_sup": collapse.rnc1_sup(s),
        "nc1": collapse.nc1(s),
        "nc1_pinv": collapse.nc1_pinv(s, features),
        "cdnv": collapse.cdnv(s),
        "nc2_cond": collapse.nc2_cond(s),
        "equinorm": collapse.equinorm(s),
        "equiangular": collapse.equiangular(s),
        "nc3": collapse.nc3(s, head),
        "nc4": collapse.nc4(s, features, features.double() @ head.T),
    }


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_loops(seed: int) -> None:
    features, labels, head = clusters(seed)
    expected = brute_force(features.numpy(), labels.numpy(), head.numpy())
    assert ours(features, labels, head) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    "kind, apart",
    [
        *((torch.float32, apart) for apart in (1.0, 1e-4, 1e-6, 1e-8, 0.0)),
        *((torch.float64, apart) for apart in (1.0, 1e-4)),
    ],
)
def test_the_nearest_mean_is_that_of_float64(kind: torch.dtype, apart: float) -> None:
    """Means so close that float32 cannot tell them apart are compared in float64."""
    draws = torch.Generator().manual_seed(5)
    labels = torch.arange(600) % 6
    means = 5 + apart * torch.randn(6, 9, generator=draws, dtype=torch.float64)
    noise = torch.randn(600, 9, generator=draws, dtype=torch.float64)
    features = (means[labels] + 0.5 * apart * noise).to(kind)
    # the head also chooses class 7, of which there are no samples
    logits = torch.randn(600, 8, generator=draws) + 3 * torch.eye(8)[labels]
    statistics = class_statistics(features, labels)
    near = features.double() @ statistics.means.T - statistics.means.square().sum(1) / 2
    expected = (near.argmax(1) != logits.argmax(1)).double().mean().item()
    assert 0 < expected < 1
    assert collapse.nc4(statistics, features, logits) == expected
    _, doubtful = collapse._compare(statistics, features, logits.argmax(1))
    if kind == torch.float32:
        assert (len(doubtful) > 0) == (apart < 1)


def test_features_beyond_float32s_squares_have_nearest_means() -> None:
    features, labels, head = clusters(6)
    large = 1e25 * features.float()
    statistics = class_statistics(large, labels)
    expected = collapse.nc4(class_statistics(features.float(), labels), features, features @ head.T)
    assert collapse.nc4(statistics, large, features @ head.T) == expected


@pytest.mark.parametrize("smallest", [1.0, 1e-6, 1e-13, 3e-15, 1e-16])
def test_nc1_pinv_at_nearly_dependent_means(smallest: float) -> None:
    """By QR where its bounds show full rank, else by singular values; NaN below their rounding."""
    draws = torch.Generator().manual_seed(7)
    labels = torch.arange(60) % 4
    basis = torch.linalg.qr(torch.randn(8, 3, generator=draws, dtype=torch.float64)).Q.T
    frame = torch.linalg.qr(torch.ones(4, 1, dtype=torch.float64), "complete").Q[:, 1:]
    scale = torch.tensor([1.0, 1.0, smallest], dtype=torch.float64)
    noise = torch.randn(60, 8, generator=draws, dtype=torch.float64)
    statistics = replace(class_statistics(noise, labels), means=(frame * scale) @ basis)
    found = collapse.nc1_pinv(statistics, noise)
    if smallest < statistics.rounding:
        assert math.isnan(found)
        return
    weighted = statistics.shares.sqrt()[:, None] * statistics.centred_means
    _, s, vt = np.linalg.svd(weighted.numpy())
    deviations = (noise - statistics.means[labels]).numpy()
    expected = np.square(deviations @ vt[:3].T / s[:3]).sum() / 60 / 4
    assert found == pytest.approx(expected, rel=max(1e-10, 1e-14 / smallest))


def test_parts_of_the_cache_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels, head = clusters(3)
    whole = ours(features, labels, head)
    monkeypatch.setattr(measures, "PART", 11)
    assert ours(features, labels, head) == pytest.approx(whole, rel=1e-12)


def test_exact_simplex_is_fully_collapsed() -> None:
    means = simplex(5)
    labels = torch.arange(5).repeat(6)
    values = ours(means[labels], labels, head=3 * means)
    assert values.pop("nc2_cond") == math.inf  # centred class means are linearly dependent
    assert values == pytest.approx(dict.fromkeys(values, 0.0), abs=1e-12)


def test_orthonormal_class_means_have_condition_one() -> None:
    labels = torch.arange(5).repeat(3)
    statistics = class_statistics(torch.eye(5, 8, dtype=torch.float64)[labels], labels)
    assert collapse.nc2_cond(statistics) == pytest.approx(1)


def test_more_classes_than_dimensions_have_infinite_condition() -> None:
    features, labels, _ = clusters(0, d=3, classes=4)
    assert collapse.nc2_cond(class_statistics(features, labels)) == math.inf


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("classes", [2, 3, 10, 97])
@pytest.mark.parametrize("spread", [0.0, 0.1])
def test_a_centred_simplex_has_infinite_condition_in_each_precision(classes, kind, spread) -> None:
    """A simplex equiangular tight frame in more dimensions, rotated and scaled, is rank C − 1 up to
    the rounding of its own precision; the same simplex about a mean of its own has full rank."""
    draws = torch.Generator().manual_seed(classes)
    d = classes + 5
    rotation = torch.linalg.qr(torch.randn(d, d, generator=draws, dtype=torch.float64)).Q
    frame = 7 * simplex(classes) @ rotation[:classes]
    labels = torch.arange(classes).repeat_interleave(8)
    noise = spread * torch.randn(len(labels), d, generator=draws, dtype=torch.float64)
    for label in range(classes):  # within-class variance that leaves the means where they are
        noise[labels == label] -= noise[labels == label].mean(0)
    centred = class_statistics((frame[labels] + noise).to(kind), labels)
    assert collapse.nc2_cond(centred) == math.inf
    about = frame + 3 * rotation[-1]  # orthogonal to the frame
    apart = class_statistics((about[labels] + noise).to(kind), labels)
    radius = 7 * math.sqrt(classes / (classes - 1))
    lengths = (radius, 3 * math.sqrt(classes))  # the singular values of `about`
    assert collapse.nc2_cond(apart) == pytest.approx(max(lengths) / min(lengths), rel=1e-5)
    assert not math.isnan(collapse.nc1_pinv(apart, (about[labels] + noise).to(kind)))


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_means_that_differ_by_rounding_coincide(kind) -> None:
    labels = torch.arange(4).repeat_interleave(5)
    draws = torch.Generator().manual_seed(0)
    point = torch.randn(9, generator=draws, dtype=torch.float64) + 3
    last_digit = 1 + torch.finfo(kind).eps * torch.randint(-1, 2, (20, 9), generator=draws)
    features = (point * last_digit).to(kind)
    values = ours(features, labels, torch.ones(4, 9, dtype=torch.float64))
    undefined = {name for name, value in values.items() if math.isnan(value)}
    assert undefined == NAN_FOR["constant"]
    assert values["nc2_cond"] == math.inf


def test_small_variance_on_a_large_mean_does_not_cancel() -> None:
    """The one-pass form Σ‖z‖² − n‖μ‖² would lose every digit here."""
    features, labels, _ = clusters(1)
    near = class_statistics(features, labels)
    far = class_statistics(features * 1e-5 + 1000.0, labels)
    assert far.within == pytest.approx(near.within * 1e-10, rel=1e-5)


def test_float32_features_are_computed_in_float64() -> None:
    features, labels, head = clusters(2)
    rounded = features.float()
    assert ours(rounded.double(), labels, head)["rnc1"] == collapse.rnc1(
        class_statistics(rounded, labels)
    )


def test_noise_without_classes_is_not_collapsed() -> None:
    draws = torch.Generator().manual_seed(0)
    features = torch.randn(4000, 20, generator=draws, dtype=torch.float64)
    labels = torch.randint(10, (4000,), generator=draws)
    statistics = class_statistics(features, labels)
    assert collapse.rnc1(statistics) == pytest.approx(1, abs=0.05)
    assert collapse.nc1(statistics) > 100


NAN_FOR = {
    "one class": {"nc1", "nc1_pinv", "cdnv", "nc2_cond", "equinorm", "equiangular", "nc3", "nc4"},
    "constant": {"nc1", "nc1_pinv", "cdnv", "equinorm", "equiangular", "nc3"},
    "zero": {
        "rnc1", "rnc1_sup", "nc1", "nc1_pinv", "cdnv", "nc2_cond", "equinorm", "equiangular", "nc3",
    },
    "missing class": {"nc3"},
    "one sample a class": set(),
}  # fmt: skip


@pytest.mark.parametrize("case", NAN_FOR)
def test_undefined_is_nan(case: str) -> None:
    features, labels, head = clusters(4)
    if case == "one class":
        labels = torch.zeros_like(labels)
    elif case == "constant":
        features = torch.full_like(features, 0.1)
    elif case == "zero":
        features = torch.zeros_like(features)
    elif case == "missing class":
        features, labels = features[labels != 2], labels[labels != 2]
    elif case == "one sample a class":
        features, labels = features[:4], torch.arange(4)
    values = ours(features, labels, head)
    assert {name for name, value in values.items() if math.isnan(value)} == NAN_FOR[case]
    if case == "one sample a class":
        assert values["rnc1"] == values["nc1"] == values["cdnv"] == 0


def test_nan_features_give_nan_everywhere() -> None:
    features, labels, head = clusters(0)
    features[3, 2] = math.nan
    outputs = Outputs(features, features @ head.T, labels)
    snapshot = Snapshot(
        train=outputs,
        test=outputs,
        train_probe=features,
        test_probe=features,
        parameters={"head.weight": head},
        classes=4,
        loss="squared_error",
    )
    values = collapse.measure(snapshot)
    assert list(values) == list(collapse.COLUMNS)
    assert all(math.isnan(value) for value in values.values())
