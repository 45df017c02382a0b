"""Adam with coupled decay against torch.optim, and every optimiser without decay."""

import pytest
import torch
from torch import Tensor

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


def plain(name: str, lr: float, decay: float, start: list[Tensor], gradients) -> list[Tensor]:
    """Parameters after all steps of the optimiser of torch.optim, one tensor after the other."""
    parameters = [p.clone().requires_grad_() for p in start]
    own = {"momentum": 0.9} if name == "sgd" else {"betas": (0.8, 0.95), "eps": 1e-8}
    optimizer = PLAIN[name](
        parameters, lr=lr, weight_decay=decay, foreach=False, fused=False, **own
    )
    for step in gradients:
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


def assert_plain(name: str, settings, found: list[Tensor], start, gradients) -> None:
    for cell, (lr, decay) in enumerate(settings):
        own = [[g[cell] for g in step] for step in gradients]
        expected = plain(name, lr, decay, [p[cell] for p in start], own)
        for mine, theirs in zip(found, expected, strict=True):
            torch.testing.assert_close(mine[cell], theirs, rtol=1e-12, atol=1e-14)


def test_fused_steps_are_torch_optims() -> None:
    start, gradients = drawn(len(SETTINGS))
    parameters = [p.clone() for p in start]
    optimizer = adam.Stacked([config("adam", *own) for own in SETTINGS], parameters)
    for step in gradients:
        optimizer.step(step)
    assert_plain("adam", SETTINGS, parameters, start, gradients)


def updated(name: str, settings, start, gradients) -> list[Tensor]:
    """Parameters after all steps by the pure function that is compiled, from a state dictionary
    after half of the steps."""
    module = registry.module("optimizers", name, "optimizer")
    configs = [config(name, *own) for own in settings]
    parameters = [p.clone() for p in start]
    optimizer = module.Stacked(configs, parameters)
    half = STEPS // 2
    for steps in (gradients[:half], gradients[half:]):
        resumed = module.Stacked(configs, parameters)
        resumed.load_state_dict(optimizer.state_dict())
        optimizer = resumed
        for step, rows in zip(steps, optimizer.coefficients(len(steps)), strict=True):
            for i, gradient in enumerate(step):
                for cell, row in enumerate(rows):
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
    found = updated("adam", SETTINGS, start, gradients)
    assert_plain("adam", SETTINGS, found, start, gradients)


@pytest.mark.parametrize("name", PLAIN)
def test_without_decay(name: str) -> None:
    """λ = 0, where Adam and AdamW are one."""
    settings = [(0.01, 0.0), (0.003, 0.0)]
    start, gradients = drawn(2)
    found = updated(name, settings, start, gradients)
    assert_plain(name, settings, found, start, gradients)
    if name == "adam":
        other = updated("adamw", settings, start, gradients)
        assert all(torch.equal(a, b) for a, b in zip(found, other, strict=True))


def test_decay_is_rescaled_with_the_gradient() -> None:
    """Without a gradient, Adam moves by η whatever λ is, AdamW by ηλ."""
    moved = {}
    for name in ("adam", "adamw"):
        for decay in (0.1, 1.0):
            parameters = [torch.ones(1, 3, dtype=torch.float64)]
            module = registry.module("optimizers", name, "optimizer")
            module.Stacked([config(name, 0.01, decay)], parameters).step(
                [torch.zeros(1, 3).double()]
            )
            moved[name, decay] = 1 - parameters[0][0, 0].item()
    assert moved == pytest.approx(
        {("adam", 0.1): 0.01, ("adam", 1.0): 0.01, ("adamw", 0.1): 0.001, ("adamw", 1.0): 0.01},
        rel=1e-5,
    )
