"""Norms of weights, by hand."""

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
