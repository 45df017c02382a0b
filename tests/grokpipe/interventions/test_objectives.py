"""What each intervention makes of the loss, against formulas written out on the plain module."""

import pytest
import torch
from torch.nn import functional

from grokpipe.interventions._penalties import entropy
from grokpipe.interventions.mixing import mixed
from grokpipe.interventions.noise import noisy
from grokpipe.measures.spectral import spectrum
from grokpipe.randomness import generator
from grokpipe.training.pack import Pack, initial_network
from tests.helpers.training import next_batch

ALPHA, BETA = 0.3, -0.2


def by_hand(cell, rows) -> dict[str, torch.Tensor]:
    """The gradient of one cell's objective on these rows, by autograd on the plain module."""
    network, task, own = initial_network(cell), cell.task, cell.config.intervention
    labels = task.labels[rows]
    logits, z = network(task.inputs[rows])
    plain = functional.cross_entropy(logits, labels)
    if own.name == "none":
        loss = plain
    elif own.name == "regularise":
        centred = z - z.mean(0)
        covariance = centred.T @ centred / (len(z) - 1)
        ratio = covariance.trace() ** 2 / (covariance @ covariance).trace()
        loss = plain + own.beta * ratio.log() / torch.tensor(float(z.shape[1])).log()
    else:
        before = torch.stack([z[i - 1] for i in range(len(z))])  # z[-1] before the first
        if own.name == "mixing":
            other = (1 - own.alpha) * z + own.alpha * before
        else:
            draws = torch.randn(z.shape, generator=generator(cell.config.seed, "intervention"))
            size = (before - z).detach().pow(2).mean().sqrt()
            other = z + own.alpha * size * draws
        loss = (plain + functional.cross_entropy(network.head(other), labels)) / 2
    loss.backward()
    return {name: p.grad for name, p in network.named_parameters()}


@pytest.mark.parametrize(
    "overrides",
    [
        ("intervention=none",),
        ("intervention=mixing", f"intervention.alpha={ALPHA}"),
        ("intervention=noise", f"intervention.alpha={ALPHA}"),
        ("intervention=regularise", f"intervention.beta={BETA}"),
    ],
    ids=lambda overrides: overrides[0].partition("=")[2],
)
def test_gradients_are_those_of_the_formula(token_cell, overrides) -> None:
    cells = [token_cell(*overrides, f"seed={seed}") for seed in range(3)]
    pack = Pack(cells)
    inputs, labels = next_batch(pack)
    found = dict(zip(pack.parameters, pack.gradients(inputs, labels)))
    for i, cell in enumerate(cells):
        rows = Pack([cell]).streams[0].take(1)[0]
        for name, expected in by_hand(cell, rows).items():
            torch.testing.assert_close(found[name][i], expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", ["mixing", "noise", "regularise"])
def test_it_differs_from_the_baseline_and_not_at_strength_zero(token_cell, name) -> None:
    strength = "beta" if name == "regularise" else "alpha"
    base = Pack([token_cell()])
    inputs, labels = next_batch(base)
    plain = base.gradients(inputs, labels)
    for value, same in ((0.0, True), (0.4, False)):
        cell = token_cell(f"intervention={name}", f"intervention.{strength}={value}")
        found = Pack([cell]).gradients(inputs, labels)
        close = [torch.allclose(a, b, rtol=1e-4, atol=1e-7) for a, b in zip(found, plain)]
        assert all(close) is same


@pytest.mark.parametrize("name", ["mixing", "noise", "regularise", "norm_freeze"])
def test_runs_stay_paired_and_evaluations_clean(token_cell, name) -> None:
    """Split, first weights and batches are the baseline's, and what is evaluated is the network."""
    base, other = Pack([token_cell("seed=4")]), Pack([token_cell("seed=4", f"intervention={name}")])
    assert torch.equal(base.tasks[0].train, other.tasks[0].train)
    for key, parameter in base.parameters.items():
        assert torch.equal(parameter, other.parameters[key])
    assert torch.equal(base.outputs(0).logits, other.outputs(0).logits)
    assert torch.equal(base.outputs(0).features, other.outputs(0).features)
    other.advance(3)
    base.advance(3)
    assert torch.equal(base.streams[0].take(2), other.streams[0].take(2))


def test_strengths_of_a_pack_are_each_cells_own(token_cell) -> None:
    cells = [token_cell("intervention=mixing", f"intervention.alpha={a}") for a in (0.1, 0.5)]
    assert cells[0].shared == cells[1].shared and cells[0].key != cells[1].key
    together = Pack(cells)
    together.advance(4)
    for i, cell in enumerate(cells):
        alone = Pack([cell])
        alone.advance(4)
        for name, parameter in alone.parameters.items():
            if not name.endswith("qkv.bias"):  # a key's bias has no gradient but rounding
                torch.testing.assert_close(
                    together.parameters[name][i], parameter[0], rtol=1e-3, atol=1e-5
                )


def test_mixing_written_out() -> None:
    z = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 8.0]])
    expected = torch.tensor([[1.0, 2.75], [1.5, 2.5], [3.5, 6.75]])
    assert torch.equal(mixed(z, torch.tensor(0.25)), expected)


def test_noise_is_as_large_as_mixing() -> None:
    draws = torch.Generator().manual_seed(0)
    z = torch.randn(4000, 8, generator=draws) * torch.arange(1, 9)
    alpha = torch.tensor(0.3)
    noise = noisy(z, alpha, torch.randn(4000, 8, generator=draws)) - z
    mixing = mixed(z, alpha) - z
    assert noise.square().mean().item() == pytest.approx(mixing.square().mean().item(), rel=0.02)


@pytest.mark.parametrize("shape", [(200, 12), (8, 12)], ids=["more samples", "fewer"])
def test_entropy_is_the_renyi_entropy_of_the_spectrum(shape) -> None:
    draws = torch.Generator().manual_seed(1)
    z = torch.randn(shape, generator=draws, dtype=torch.float64) * torch.arange(1, 13)
    shares = torch.linalg.eigvalsh(torch.cov(z.T)).clamp(min=0)
    shares = shares / shares.sum()
    expected = -shares.square().sum().log() / torch.tensor(12.0).log()
    assert entropy(z).item() == pytest.approx(expected.item(), rel=1e-6)
    if (p := spectrum(z)) is not None:  # the order 2 never exceeds the order 1
        assert entropy(z) <= torch.special.entr(p).sum() / torch.tensor(12.0).log()


@pytest.mark.parametrize("beta, sign", [(0.5, -1), (-0.5, 1)])
def test_regularising_moves_the_entropy_the_stated_way(token_cell, beta, sign) -> None:
    base = Pack([token_cell("steps=60")])
    pushed = Pack([token_cell("steps=60", "intervention=regularise", f"intervention.beta={beta}")])
    base.advance(60)
    pushed.advance(60)
    difference = entropy(pushed.outputs(0).features) - entropy(base.outputs(0).features)
    assert sign * difference > 0.01
