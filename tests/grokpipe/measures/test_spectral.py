"""Spectral entropy on known spectra and on degenerate features."""

import math

import pytest
import torch

from grokpipe.measures.spectral import effective_rank, spectral_entropy


def with_spectrum(variances: list[float], n: int = 64) -> torch.Tensor:
    """(n, d) features whose covariance has exactly these eigenvalues, in a rotated basis."""
    d = len(variances)
    draws = torch.Generator().manual_seed(0)
    noise = torch.randn(n, d, generator=draws, dtype=torch.float64)
    white = torch.linalg.qr(noise - noise.mean(0)).Q * math.sqrt(n - 1)
    rotation = torch.linalg.qr(torch.randn(d, d, generator=draws, dtype=torch.float64)).Q
    return white @ torch.diag(torch.tensor(variances, dtype=torch.float64).sqrt()) @ rotation + 5


@pytest.mark.parametrize("variances", [[1.0] * 6, [4.0, 2.0, 1.0, 0.5], [3.0, 1e-3, 1e-6]])
def test_known_spectrum(variances: list[float]) -> None:
    shares = [v / sum(variances) for v in variances]
    entropy = -sum(p * math.log(p) for p in shares)
    features = with_spectrum(variances)
    assert spectral_entropy(features) == pytest.approx(entropy / math.log(len(variances)))
    assert effective_rank(features) == pytest.approx(math.exp(entropy))


def test_rank_one_has_no_entropy() -> None:
    line = torch.linspace(-1, 1, 50)[:, None] * torch.tensor([[1.0, 2.0, 3.0]])
    assert spectral_entropy(line) == pytest.approx(0, abs=1e-9)
    assert effective_rank(line) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    "features",
    [
        torch.randn(8, 8),  # no more samples than dimensions
        torch.full((20, 3), 0.1),
        torch.zeros(20, 3),
        torch.randn(20, 1),
        torch.tensor([[1.0, 2.0], [math.nan, 1.0], [0.0, 1.0]]),
    ],
    ids=["too few", "constant", "zero", "one dimension", "nan"],
)
def test_undefined_is_nan(features: torch.Tensor) -> None:
    assert math.isnan(spectral_entropy(features))
    assert math.isnan(effective_rank(features))
