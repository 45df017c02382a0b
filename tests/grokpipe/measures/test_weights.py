"""Norms of weights and the balance of layers, by hand and by independent formulas."""

import numpy as np
import pytest
import torch

from grokpipe.measures import Outputs, Snapshot, weights


def test_norms() -> None:
    parameters = {
        "hidden.weight": torch.tensor([[3.0, 4.0]]).double(),
        "head.weight": torch.tensor([[12.0]]).double(),
    }
    nothing = Outputs(torch.zeros(1, 1), torch.zeros(1, 1), torch.zeros(1, dtype=torch.long))
    snapshot = Snapshot(nothing, nothing, torch.zeros(1, 1), torch.zeros(1, 1), parameters, 1, "")
    assert weights.measure(snapshot) == pytest.approx(
        {"weight_norm": 13.0, "weight_norm_sum": 17.0, "head_norm": 12.0}
    )


def measured(parameters: dict[str, torch.Tensor]) -> dict[str, float]:
    nothing = Outputs(torch.zeros(1, 1), torch.zeros(1, 1), torch.zeros(1, dtype=torch.long))
    probe = torch.zeros(1, 1)
    return weights.measure(Snapshot(nothing, nothing, probe, probe, parameters, 1, ""))


def test_balance_of_each_pair_from_the_head_down() -> None:
    draws = np.random.default_rng(0)
    shapes = {"hidden.0": (5, 7), "hidden.1": (4, 5), "head": (3, 4)}
    layers = {name: draws.normal(size=shape) for name, shape in shapes.items()}
    row = measured({f"{name}.weight": torch.tensor(layer) for name, layer in layers.items()})
    for n, (above, below) in enumerate([("head", "hidden.1"), ("hidden.1", "hidden.0")], start=1):
        a, b = layers[above], layers[below]
        gap = sum(
            (a[:, i] @ a[:, j] - b[i] @ b[j]) ** 2 for i in range(len(b)) for j in range(len(b))
        )
        size = sum((np.linalg.svd(x, compute_uv=False) ** 4).sum() for x in (a, b))
        assert row[f"balance/{n}"] == pytest.approx((gap / size) ** 0.5, rel=1e-12)
    assert "balance/3" not in row


def test_balanced_layers_have_balance_0_and_orthogonal_ones_1() -> None:
    below = torch.diag(torch.tensor([3.0, 4.0])).double()
    rotated = (
        torch.tensor([[0.6, 0.8], [-0.8, 0.6]], dtype=torch.float64) @ below
    )  # RB: (RB)ᵀRB = BᵀB = BBᵀ
    assert weights.balance(rotated, below) == pytest.approx(0.0, abs=1e-14)
    first, second = torch.eye(2).double()
    assert weights.balance(first[None], second[:, None]) == pytest.approx(1.0)
    assert np.isnan(weights.balance(below * 0, below * 0))
