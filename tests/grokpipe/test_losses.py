"""Losses against loops over samples and classes."""

import math

import pytest
import torch

from grokpipe.losses import PER_SAMPLE, training_loss

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.0, 3.0]], dtype=torch.float64)
LABELS = [0, 1]


def by_hand(loss: str) -> list[float]:
    found = []
    for row, label in zip(LOGITS.tolist(), LABELS):
        if loss == "squared_error":
            found.append(sum((z - (c == label)) ** 2 for c, z in enumerate(row)))
        else:
            found.append(math.log(sum(math.exp(z) for z in row)) - row[label])
    return found


@pytest.mark.parametrize("loss", PER_SAMPLE)
def test_per_sample_and_as_it_is_minimised(loss: str) -> None:
    labels, expected = torch.tensor(LABELS), by_hand(loss)
    assert PER_SAMPLE[loss](LOGITS, labels).tolist() == pytest.approx(expected)
    total = sum(expected) if loss == "squared_error" else sum(expected) / 2
    assert training_loss(loss, LOGITS, labels).item() == pytest.approx(total)
