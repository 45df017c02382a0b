"""Signed distances between classes against loops and on known distributions."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from grokpipe.measures import Outputs, Snapshot, margins

N, D = 300, 5


def made(classes: int, seed: int = 0) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    draws = torch.Generator().manual_seed(seed)
    labels = torch.arange(N) % classes
    features = torch.randn(N, D, generator=draws) + torch.randn(classes, D, generator=draws)[labels]
    head = torch.randn(classes, D, generator=draws, dtype=torch.float64)
    bias = torch.randn(classes, generator=draws, dtype=torch.float64)
    return features, labels, {"head.weight": head, "head.bias": bias}


def measured(features: Tensor, labels: Tensor, parameters: dict[str, Tensor]) -> dict[str, float]:
    """With the training set half of the test set."""
    outputs = Outputs(features, features, labels)
    half = Outputs(features[: N // 2], features[: N // 2], labels[: N // 2])
    classes = len(parameters["head.weight"])
    return margins.measure(
        Snapshot(half, outputs, features, features, parameters, classes, "squared_error")
    )


def test_agrees_with_loops() -> None:
    features, labels, parameters = made(10)
    row = measured(features, labels, parameters)
    w, b = (parameters[name].numpy() for name in ("head.weight", "head.bias"))
    expected = {}
    for a, other in ((0, 1), (4, 5), (8, 9)):
        for name, n in (("train", N // 2), ("test", N)):
            for c in (a, other):
                distances = [
                    ((w[a] - w[other]) @ g.astype(float) + b[a] - b[other])
                    / math.sqrt(sum((w[a] - w[other]) ** 2))
                    for g, y in zip(features[:n].numpy(), labels[:n].tolist())
                    if y == c
                ]
                place = f"margins/{a}_{other}/{name}/{c}"
                for percent in margins.LADDER:
                    expected[f"{place}/q{percent:g}"] = np.percentile(distances, percent)
                expected[f"{place}/mean"] = np.mean(distances)
                expected[f"{place}/sd"] = np.std(distances)
    assert list(row) == list(expected)
    assert row == pytest.approx(expected, rel=1e-10, abs=1e-12)
    assert "margins/0_1/test/0/q2.5" in row


def test_distances_are_those_to_the_boundary() -> None:
    """A sample that is moved along the normal by its distance has equal logits, and one on the side
    of class a has the larger logit there."""
    features, _, parameters = made(10)
    w, b = parameters["head.weight"], parameters["head.bias"]
    distances = margins.signed_distances(features, w, b, (4, 5))
    unit = (w[4] - w[5]) / (w[4] - w[5]).norm()
    logits = (features.double() - distances[:, None] * unit) @ w.T + b
    torch.testing.assert_close(logits[:, 4], logits[:, 5])
    own = features.double() @ w.T + b
    assert torch.equal(distances > 0, own[:, 4] > own[:, 5])


def test_a_gaussian_has_its_quantiles() -> None:
    draws = torch.Generator().manual_seed(1)
    values = 3 + 2 * torch.randn(200_000, generator=draws, dtype=torch.float64)
    found = dict(zip(margins.NAMES, margins.distribution(values), strict=True))
    assert (found["mean"], found["sd"]) == pytest.approx((3, 2), abs=0.02)
    for name, z in (("q2.5", -1.96), ("q25", -0.6745), ("q50", 0), ("q90", 1.2816)):
        assert found[name] == pytest.approx(3 + 2 * z, abs=0.03)
    assert (found["q0"], found["q100"]) == (values.min().item(), values.max().item())


@pytest.mark.parametrize(
    ("classes", "pairs"), [(1, []), (2, ["0_1"]), (5, ["0_1"]), (6, ["0_1", "4_5"])]
)
def test_only_pairs_that_exist(classes: int, pairs: list[str]) -> None:
    row = measured(*made(classes))
    assert list(dict.fromkeys(name.split("/")[1] for name in row)) == pairs
    assert not any(map(math.isnan, row.values()))


def test_what_is_undefined_is_nan() -> None:
    """A class without samples, classes of one weight, values that are not finite; nothing else."""
    features, labels, parameters = made(10)
    parameters["head.weight"][5] = parameters["head.weight"][4]
    features[labels == 8] = math.inf
    kept = labels != 0
    row = measured(features[kept], labels[kept], parameters)
    undefined = {name.rpartition("/")[0] for name, value in row.items() if math.isnan(value)}
    assert undefined == {
        f"margins/{place}"
        for name in ("train", "test")
        for place in (f"0_1/{name}/0", f"4_5/{name}/4", f"4_5/{name}/5", f"8_9/{name}/8")
    }
