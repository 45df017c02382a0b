"""A network that a careless measurement disturbs, and features of a given entropy in a replay."""

import math

import numpy as np
import torch
from torch import nn

from grokpipe.monitor.monitor import SpectralEntropyMonitor
from tests.helpers.cli import ROOT

FOLDER = ROOT / "outputs/reference/entropy/second_beta"
ARM = {"optimizer.betas": "[0.9, 0.98]"}
PROBE = torch.randn(64, 10, generator=torch.Generator().manual_seed(1))


class Network(nn.Module):
    """Everything that a careless measurement disturbs: dropout, running statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3))
        self.head = nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x))


def body(model: Network, x: torch.Tensor) -> torch.Tensor:
    return model.body(x)


def with_entropy(value: float, n: int = 60, d: int = 6) -> torch.Tensor:
    """(n, d) features whose H̃ is `value`: variances that fall geometrically, found by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        ratio = (low + high) / 2
        shares = ratio ** np.arange(d)
        shares /= shares.sum()
        found = -(shares * np.log(np.maximum(shares, 1e-300))).sum() / math.log(d)
        low, high = (ratio, high) if found < value else (low, ratio)
    noise = torch.randn(n, d, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return torch.linalg.qr(noise - noise.mean(0)).Q * torch.from_numpy(shares).sqrt()


def replay(monitor: SpectralEntropyMonitor, entropies, test=None, norm=None, start=0) -> list:
    return [
        monitor.observe(
            start + 100 * number, with_entropy(value), train_accuracy=1, test_accuracy=test,
            norm=norm,
        )
        for number, value in enumerate(entropies)
    ]  # fmt: skip
