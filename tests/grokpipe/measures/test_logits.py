"""Logit summaries against loops."""

import math

import pytest
import torch

from grokpipe.measures import logits


def test_logit_summaries() -> None:
    values = torch.tensor([[2.0, 0.0, 1.0], [0.0, 0.0, 3.0]], dtype=torch.float64)
    labels = torch.tensor([0, 1])
    assert logits.logit_margin(values, labels) == pytest.approx(((2 - 1) + (0 - 3)) / 2)
    squares = [1, 1, 0, 1, 1, 4]
    assert logits.logit_scale(values) == pytest.approx(math.sqrt(sum(squares) / 6))
    uniform = torch.zeros(4, 5, dtype=torch.float64).log_softmax(1)
    assert logits.output_entropy(uniform) == pytest.approx(math.log(5))
    assert logits.output_entropy((100 * values).log_softmax(1)) == pytest.approx(0, abs=1e-12)


def test_classes_of_no_probability_have_no_entropy() -> None:
    log_p = torch.tensor([[0.5, 0.5, 0.0]], dtype=torch.float64).log()
    assert logits.output_entropy(log_p) == pytest.approx(math.log(2))
    assert math.isnan(logits.output_entropy(log_p * math.nan))


def test_margin_of_one_class_is_nan() -> None:
    assert math.isnan(logits.logit_margin(torch.zeros(3, 1), torch.zeros(3, dtype=torch.long)))
