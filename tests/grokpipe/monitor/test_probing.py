"""A probe that leaves training alone, and the entropy of features of any kind."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from grokpipe.errors import InputError
from grokpipe.measures.spectral import spectral_entropy
from grokpipe.monitor.probing import entropy, undisturbed


def features(n: int = 40, d: int = 6) -> torch.Tensor:
    draws = torch.Generator().manual_seed(3)
    return torch.randn(n, d, generator=draws) * torch.arange(1.0, d + 1)


def test_the_entropy_is_that_of_the_measure_and_of_numpy() -> None:
    x = features()
    assert entropy(x, None) == pytest.approx(spectral_entropy(x), abs=1e-9)
    centred = x.numpy().astype(float) - x.numpy().astype(float).mean(0)
    variances = np.linalg.svd(centred, compute_uv=False) ** 2  # no covariance, no eigenvalues
    shares = variances / variances.sum()
    expected = -(shares * np.log(shares)).sum() / math.log(6)
    assert entropy(x, None) == pytest.approx(expected, abs=1e-12)


def test_precision_and_gradients_do_not_matter() -> None:
    x = features().double()
    assert entropy(x.requires_grad_(), None) == entropy(x.detach(), None)
    assert entropy(x.bfloat16(), None) == pytest.approx(entropy(x, None), abs=1e-3)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_features_on_a_gpu() -> None:
    assert entropy(features().cuda(), None) == entropy(features(), None)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (features(6, 6), r"shape \(6, 6\): the probe must have more than 6 samples"),
        (features(5, 6), r"shape \(5, 6\): the probe must have more than 6 samples"),
        (torch.ones(9, 3), "constant over the probe"),
        (torch.full((9, 3), 0.1), "constant over the probe"),
        (features().index_fill(0, torch.tensor([2, 5]), math.nan), "in 2 of 40 samples"),
        (features().index_fill(0, torch.tensor([2]), math.inf), "in 1 of 40 samples"),
        (features().flatten(), r"features: \(240,\): must be a tensor of shape"),
        (features()[None], r"features: \(1, 40, 6\): must be a tensor of shape"),
        (features().numpy(), "features: ndarray: must be a tensor of shape"),
        ((features(), features()), "features: tuple: must be a tensor"),
        (features(40, 1), r"shape \(40, 1\): must have ≥ 2 dimensions"),
        (features(0, 0), "must have ≥ 2 dimensions"),
    ],
)
def test_features_that_have_no_entropy(wrong, text) -> None:
    with pytest.raises(InputError, match=text) as raised:
        entropy(wrong, None)
    assert "\n" not in str(raised.value)


def test_a_capped_probe_is_normalised_by_its_rank() -> None:
    """Against singular values; with more samples than dimensions nothing is capped."""
    z = torch.randn(12, 30, generator=torch.Generator().manual_seed(0)).double()
    z = z * torch.arange(1, 31)
    values = np.linalg.svd(z.numpy() - z.numpy().mean(0), compute_uv=False)[:11] ** 2
    shares = values / values.sum()
    expected = -(shares * np.log(shares)).sum() / np.log(11)
    assert entropy(z, None, capped=True) == pytest.approx(expected, rel=1e-9)
    assert entropy(z.T, None, capped=True) == entropy(z.T, None)
    with pytest.raises(InputError, match="constant"):
        entropy(torch.full((12, 30), 0.1), None, capped=True)


@pytest.mark.parametrize("size", [1e-7, 1e-3, 1e6])
def test_the_scale_of_the_features_does_not_matter(size: float) -> None:
    x = torch.randn(64, 8, generator=torch.Generator().manual_seed(5)).double()
    x = x * torch.arange(1.0, 9) ** -2 + 3
    assert entropy(x * size, None) == pytest.approx(spectral_entropy(x), abs=1e-9)
    assert entropy(x.T * size, None, True) == pytest.approx(entropy(x.T, None, True), abs=1e-9)


@pytest.mark.parametrize("size", [1e-7, 1.0, 1e6])
def test_constant_features_of_any_scale_are_refused(size: float) -> None:
    for shape in ((64, 8), (8, 64)):
        with pytest.raises(InputError, match="constant"):
            entropy(torch.full(shape, 0.1 * size), None, capped=True)
        with pytest.raises(InputError, match="constant"):
            entropy(torch.zeros(shape), None, capped=True)


def test_the_shape_must_stay() -> None:
    with pytest.raises(InputError, match=r"shape \(40, 6\): must be \(41, 6\)"):
        entropy(features(), (41, 6))


class Peculiar(nn.Module):
    """Draws in every forward pass, keeps a part frozen, and does more than usual in train()."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.frozen = nn.Linear(4, 3), nn.BatchNorm1d(3)
        self.frozen.eval()
        self.switches = 0

    def train(self, mode: bool = True):
        self.switches += 1
        return super().train(mode)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z = self.frozen(self.layer(x))
        return z + torch.rand_like(z)


def test_modes_and_generators_are_restored() -> None:
    model, x = Peculiar(), torch.randn(10, 4)
    modes = [module.training for module in model.modules()]
    assert modes == [True, True, False]
    before = torch.get_rng_state()
    with undisturbed(model):
        z = model(x)
        assert not any(module.training for module in model.modules())
        assert not z.requires_grad
    assert torch.equal(torch.get_rng_state(), before)
    assert [module.training for module in model.modules()] == modes
    assert model.switches == 0
    assert model(x).requires_grad


def test_they_are_restored_after_an_error() -> None:
    model, before = Peculiar(), torch.get_rng_state()
    with pytest.raises(RuntimeError), undisturbed(model):
        torch.rand(1)
        model(torch.randn(10, 5))
    assert torch.equal(torch.get_rng_state(), before)
    assert model.training
    assert torch.is_grad_enabled()
