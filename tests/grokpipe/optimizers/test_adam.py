"""Optimisers against torch.optim: Adam with coupled decay, all without decay and with rates that
change from step to step."""

import pytest
import torch
from torch import Tensor

from grokpipe import optimizers
from grokpipe.config import registry
from grokpipe.optimizers import adam, adamw, sgd

STEPS = 25
SHAPES = ((4, 3), (5,))
SETTINGS = [(0.01, 0.0), (0.01, 0.7), (0.003, 20.0), (0.01, 0.7)]
"""η and λ of each cell; two share a call of the fused update"""
PLAIN = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}


def config(name: str, lr: float, decay: float) -> adam.Config | adamw.Config | sgd.Config:
    if name == "sgd":
        return sgd.Config(name, lr, decay, 0.9)
    return registry.module("optimizers", name, "optimizer").Config(
        name, lr, decay, [0.8, 0.95], 1e-8
    )


def plain(name: str, lr: Tensor, decay: Tensor, start: list[Tensor], gradients) -> list[Tensor]:
    """Parameters after all steps of the optimiser of torch.optim, one tensor after the other, at η
    and λ of each step."""
    parameters = [p.clone().requires_grad_() for p in start]
    own = {"momentum": 0.9} if name == "sgd" else {"betas": (0.8, 0.95), "eps": 1e-8}
    optimizer = PLAIN[name](parameters, lr=1.0, weight_decay=0.0, foreach=False, fused=False, **own)
    for step, rate, strength in zip(gradients, lr.tolist(), decay.tolist(), strict=True):
        optimizer.param_groups[0].update(lr=rate, weight_decay=strength)
        for parameter, gradient in zip(parameters, step, strict=True):
            parameter.grad = gradient.clone()
        optimizer.step()
    return [p.detach() for p in parameters]


def drawn(cells: int) -> tuple[list[Tensor], list[list[Tensor]]]:
    """Parameters (cell, …), and gradients of each step, in float64."""
    draws = torch.Generator().manual_seed(3)

    def stack() -> list[Tensor]:
        return [torch.randn(cells, *s, generator=draws, dtype=torch.float64) for s in SHAPES]

    return stack(), [stack() for _ in range(STEPS)]


def constant(settings, steps: int) -> tuple[Tensor, Tensor]:
    """η and λ of each step and cell."""
    lr, decay = torch.tensor(settings, dtype=torch.float64).T
    return lr.expand(steps, -1), decay.expand(steps, -1)


def assert_plain(name: str, rates, found: list[Tensor], start, gradients) -> None:
    for cell, (lr, decay) in enumerate(zip(*(rate.unbind(1) for rate in rates), strict=True)):
        own = [[g[cell] for g in step] for step in gradients]
        expected = plain(name, lr, decay, [p[cell] for p in start], own)
        for mine, theirs in zip(found, expected, strict=True):
            torch.testing.assert_close(mine[cell], theirs, rtol=1e-12, atol=1e-14)


def test_fused_steps_are_torch_optims() -> None:
    start, gradients = drawn(len(SETTINGS))
    parameters = [p.clone() for p in start]
    optimizer = adam.Stacked([config("adam", *own) for own in SETTINGS], parameters)
    rates = constant(SETTINGS, STEPS)
    for step, lr, decay in zip(gradients, *rates, strict=True):
        optimizer.step(step, lr, decay)
    assert_plain("adam", rates, parameters, start, gradients)


def updated(name: str, settings, rates, start, gradients) -> list[Tensor]:
    """Parameters after all steps by the pure function that is compiled, from a state dictionary
    after half of the steps."""
    module = registry.module("optimizers", name, "optimizer")
    configs = [config(name, *own) for own in settings]
    parameters = [p.clone() for p in start]
    optimizer = module.Stacked(configs, parameters)
    half = STEPS // 2
    for rows in (slice(None, half), slice(half, None)):
        steps, given = gradients[rows], [rate[rows] for rate in rates]
        resumed = module.Stacked(configs, parameters)
        resumed.load_state_dict(optimizer.state_dict())
        optimizer = resumed
        for step, coefficients in zip(steps, optimizer.coefficients(*given), strict=True):
            for i, gradient in enumerate(step):
                for cell, row in enumerate(coefficients):
                    state = [part[i][cell] for part in optimizer.state]
                    new, new_state = optimizer.update(
                        parameters[i][cell], gradient[cell], state, row
                    )
                    parameters[i][cell] = new
                    for old, part in zip(state, new_state, strict=True):
                        old.copy_(part)
        optimizer.advanced(len(steps))
    return parameters


def test_the_pure_update_is_torch_optims() -> None:
    start, gradients = drawn(len(SETTINGS))
    rates = constant(SETTINGS, STEPS)
    found = updated("adam", SETTINGS, rates, start, gradients)
    assert_plain("adam", rates, found, start, gradients)


@pytest.mark.parametrize("name", PLAIN)
def test_without_decay(name: str) -> None:
    """λ = 0, where Adam and AdamW are one."""
    settings = [(0.01, 0.0), (0.003, 0.0)]
    start, gradients = drawn(2)
    rates = constant(settings, STEPS)
    found = updated(name, settings, rates, start, gradients)
    assert_plain(name, rates, found, start, gradients)
    if name == "adam":
        other = updated("adamw", settings, rates, start, gradients)
        assert all(torch.equal(a, b) for a, b in zip(found, other, strict=True))


@pytest.mark.parametrize("name", PLAIN)
def test_rates_that_change_from_step_to_step(name: str) -> None:
    """Each cell's own, whether the update is fused or pure: a warm-up, a fall, another decay; two
    cells share coefficients in some steps only."""
    start, gradients = drawn(len(SETTINGS))
    lr, decay = (rate.clone() for rate in constant(SETTINGS, STEPS))
    lr[:10, 0] *= torch.arange(10) / 10
    lr[7:, 1] *= 0.1
    decay[11:, 3] = 0.05
    found = updated(name, SETTINGS, (lr, decay), start, gradients)
    assert_plain(name, (lr, decay), found, start, gradients)
    parameters = [p.clone() for p in start]
    module = registry.module("optimizers", name, "optimizer")
    optimizer = module.Stacked([config(name, *own) for own in SETTINGS], parameters)
    for step, *now in zip(gradients, lr, decay, strict=True):
        optimizer.step(step, *now)
    assert_plain(name, (lr, decay), parameters, start, gradients)


def test_a_warm_up_is_linear_from_nought(compose) -> None:
    """As torch.optim's LinearLR would have it, but for the first step at exactly 0."""
    cells = [compose(f"lr_warmup={n}", "lr=0.3", "weight_decay=0.2") for n in (0, 1, 4)]
    lr, decay = optimizers.rates(cells, 0, 6)
    assert decay.eq(0.2).all()
    expected = [[1, 1, 1, 1, 1, 1], [0, 1, 1, 1, 1, 1], [0, 0.25, 0.5, 0.75, 1, 1]]
    torch.testing.assert_close(lr.T, 0.3 * torch.tensor(expected, dtype=torch.float64))
    assert (lr[4:] == 0.3).all()  # to the bit
    later, _ = optimizers.rates(cells, 2, 3)
    assert torch.equal(later, lr[2:5])


def test_decay_is_rescaled_with_the_gradient() -> None:
    """Without a gradient, Adam moves by η whatever λ is, AdamW by ηλ."""
    moved = {}
    for name in ("adam", "adamw"):
        for decay in (0.1, 1.0):
            parameters = [torch.ones(1, 3, dtype=torch.float64)]
            module = registry.module("optimizers", name, "optimizer")
            module.Stacked([config(name, 0.01, decay)], parameters).step(
                [torch.zeros(1, 3).double()], *(own[0] for own in constant([(0.01, decay)], 1))
            )
            moved[name, decay] = 1 - parameters[0][0, 0].item()
    assert moved == pytest.approx(
        {("adam", 0.1): 0.01, ("adam", 1.0): 0.01, ("adamw", 0.1): 0.001, ("adamw", 1.0): 0.01},
        rel=1e-5,
    )
