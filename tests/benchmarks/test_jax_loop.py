"""The JAX user's networks and optimiser are ours, in float32."""

import numpy as np
import pytest
import torch

pytest.importorskip("jax", reason="JAX is not installed (the extra `bench`)")
pytest.importorskip("optax", reason="optax is not installed (the extra `bench`)")

import jax

from benchmarks.contenders import jax_loop
from benchmarks.contenders.networks import cells
from grokpipe.losses import training_loss
from grokpipe.training.pack import Pack, initial_network


@pytest.mark.parametrize("which", ["mlp", "transformer", "transformer_two_layers"])
def test_loss_and_gradients_are_those_of_the_plain_module(small, which) -> None:
    (cell,) = cells(which, 1)
    task, network = cell.task, initial_network(cell)
    rows = task.train[:20]
    inputs, labels = task.inputs[rows], task.labels[rows]
    ours = training_loss(cell.config.loss, network(inputs)[0], labels)
    ours.backward()
    value_and_grad = jax.value_and_grad(jax_loop.loss_of(cell))
    theirs, gradients = value_and_grad(jax_loop.parameters(cell), inputs.numpy(), labels.numpy())
    assert float(theirs) == pytest.approx(ours.item(), rel=1e-5)
    named = dict(network.named_parameters())
    assert gradients.keys() == named.keys()
    for name, parameter in named.items():
        scale = parameter.grad.abs().max().item()
        np.testing.assert_allclose(
            gradients[name], parameter.grad, rtol=0, atol=1e-5 * scale + 1e-8
        )


def test_steps_are_those_of_a_pack(small) -> None:
    members = cells("mlp", 2)
    pack, trainer = Pack(members), jax_loop.Trainer(members, 3)
    rows = torch.stack([stream.take(3) for stream in Pack(members).streams], 1)
    assert torch.equal(members[0].task.train, torch.arange(64))  # rows count from its start
    trainer.advance(rows.numpy())
    pack.advance(3)
    for name, parameter in pack.parameters.items():
        np.testing.assert_allclose(trainer.state[0][name], parameter, rtol=1e-4, atol=1e-6)
    assert trainer() == 6
