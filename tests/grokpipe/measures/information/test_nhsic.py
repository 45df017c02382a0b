"""nHSIC against dense kernels with the inverse written out, and at the published scales."""

import numpy as np
import pytest
import torch

from grokpipe.measures.information.nhsic import Constants, nhsic
from grokpipe.tasks import mnist


def dense(first: np.ndarray, second: np.ndarray, labels: bool = False) -> float:
    """The released formula: kernels centred on one side, K (K + ε m I)⁻¹, Σ R_a ∘ R_bᵀ."""

    def ratio(points: np.ndarray, linear: bool) -> np.ndarray:
        m = len(points)
        if linear:
            kernel = points @ points.T
        else:
            squares = ((points[:, None] - points[None]) ** 2).sum(2)
            kernel = np.exp(-squares / (2 * 25 * points.shape[1]))
            kernel = kernel @ (np.eye(m) - np.full((m, m), 1 / m))
        return kernel @ np.linalg.inv(kernel + 1e-5 * m * np.eye(m))

    scores = [
        (ratio(a, False) * ratio(b, labels).T).sum()
        for a, b in zip(np.split(first, len(first) // 100), np.split(second, len(second) // 100))
    ]
    return float(np.mean(scores))


@pytest.mark.parametrize("scale", [0.1, 3.0])
def test_agrees_with_the_inverse_written_out(scale: float) -> None:
    draws = np.random.default_rng(0)
    x, noise = draws.normal(size=(2, 200, 6))
    labels = draws.integers(4, size=200)
    z = 20 + 9 * (x[:, :5] + labels[:, None] + 0.3 * noise[:, :5])
    one_hot = np.eye(4)[labels]
    of_x = Constants.of_inputs(torch.from_numpy(x.reshape(200, 2, 3)))
    of_y = Constants.of_labels(torch.from_numpy(labels), 4)
    found = nhsic(torch.from_numpy(z), scale, (of_x, of_y))
    expected = dense(z / scale, x), dense(z / scale, one_hot, labels=True)
    assert found == pytest.approx(expected, abs=1e-4)  # they are centred on one side only
    single = nhsic(torch.from_numpy(z).float(), scale, (of_x, of_y))
    assert single == pytest.approx(found, rel=4e-4)
    more = torch.from_numpy(np.concatenate([z, z[:30] + 5]))  # beyond the last whole batch
    assert nhsic(more, scale, (of_x, of_y)) == found


def test_depends_on_the_scale_as_published() -> None:
    """nHSIC(Z; X) − nHSIC(Z; Y) of one geometry at mean norms 0.1, 1, 10, 100: 0.07, 5, 53, 74."""
    task = mnist.load(mnist.Config("mnist", 1), torch.Generator())
    images, labels = task.inputs[task.test][:1000], task.labels[task.test][:1000]
    weights = torch.randn(784, 200, generator=torch.Generator().manual_seed(0)) / 28
    features = (images.reshape(-1, 784) @ weights).relu()
    features /= features.norm(dim=1).mean()
    both = (Constants.of_inputs(images), Constants.of_labels(labels, 10))
    found = [nhsic(features, 1 / norm, both) for norm in (0.1, 1, 10, 100)]
    differences = [x - y for x, y in found]
    assert differences == pytest.approx([0.07, 5, 53, 74], rel=0.2)
    assert differences[1:] == pytest.approx([5, 53, 74], rel=0.15)


def test_degenerate_features() -> None:
    x = torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    both = (Constants.of_inputs(x), Constants.of_labels(torch.zeros(100, dtype=torch.int64), 2))
    assert nhsic(torch.ones(100, 5), 1.0, both) == pytest.approx((0, 0), abs=1e-9)
    assert nhsic(x, 1.0, both)[1] == pytest.approx(0, abs=1e-9)  # one class
    for found in (nhsic(x[:99], 1.0, both), nhsic(x, 0.0, both), nhsic(x, 1.0, (None, None))):
        assert np.isnan(found).all()
    assert Constants.of_inputs(x[:99]) is None
    assert Constants.of_labels(torch.zeros(99, dtype=torch.int64), 2) is None
