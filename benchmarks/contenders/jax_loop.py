"""The loop of a JAX user, jit(scan(vmap(grad))) with optax's AdamW, on our networks and data.

Parameters keep the names and the layout (out, in) of our plain modules. On a CPU this layout and
attention one head at a time are faster than (in, out) and one product over all heads.
"""

from collections.abc import Callable, Mapping
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from numpy.typing import NDArray

from grokpipe.archs.transformer import Config as TransformerConfig
from grokpipe.cell import Cell
from grokpipe.training.pack import initial_network

Parameters = Mapping[str, Array]
Loss = Callable[[Parameters, Array, Array], Array]
"""of parameters, inputs (batch, …) and labels (batch,)"""


def linear(p: Parameters, name: str, x: Array) -> Array:
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def layer_norm(p: Parameters, name: str, x: Array) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred * jax.lax.rsqrt(jnp.square(centred).mean(-1, keepdims=True) + 1e-5)
    return scaled * p[f"{name}.weight"] + p[f"{name}.bias"]


def mlp_loss(depth: int, p: Parameters, images: Array, labels: Array) -> Array:
    x = images.reshape(len(images), -1)
    for layer in range(depth):
        x = jax.nn.relu(linear(p, f"hidden.{layer}", x))
    logits = linear(p, "head", x)
    return jnp.square(logits - jax.nn.one_hot(labels, logits.shape[-1])).sum()


def attention(p: Parameters, name: str, heads: int, x: Array) -> Array:
    """(batch, tokens, width) → the same"""
    qkv = jnp.split(linear(p, f"{name}.qkv", x), 3, -1)
    mixed = []
    for q, k, v in zip(*(jnp.split(part, heads, -1) for part in qkv), strict=True):
        scores = q @ k.swapaxes(-1, -2) * q.shape[-1] ** -0.5
        mixed.append(jax.nn.softmax(scores, -1) @ v)
    return linear(p, f"{name}.out", jnp.concatenate(mixed, -1))


def transformer_loss(arch: TransformerConfig, p: Parameters, pairs: Array, labels: Array) -> Array:
    vocabulary = p["embedding.weight"].shape[0] - (arch.tokens - 2)
    tokens = jnp.pad(pairs, ((0, 0), (0, arch.tokens - 2)), constant_values=vocabulary)
    x = p["embedding.weight"][tokens] + p["positions"]
    for block in (f"blocks.{i}" for i in range(arch.layers)):
        x = layer_norm(p, f"{block}.norm1", x + attention(p, f"{block}.attention", arch.heads, x))
        hidden = jax.nn.gelu(linear(p, f"{block}.up", x), approximate=False)
        x = layer_norm(p, f"{block}.norm2", x + linear(p, f"{block}.down", hidden))
    logits = linear(p, "head", layer_norm(p, "norm", x[:, -1]))
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def loss_of(cell: Cell) -> Loss:
    """The loss of the cell's network, as a function of its parameters and a batch."""
    arch = cell.config.arch
    if cell.task.vocabulary is None:
        return partial(mlp_loss, arch.depth)
    if (arch.norm, arch.activation) != ("post", "gelu"):
        raise ValueError(f"arch.norm={arch.norm} arch.activation={arch.activation}: post and gelu")
    return partial(transformer_loss, arch)


def parameters(cell: Cell) -> dict[str, Array]:
    """The initial parameters of the cell's plain module, by name."""
    named = initial_network(cell).named_parameters()
    return {name: jnp.asarray(p.detach().numpy()) for name, p in named}


class Trainer:
    """Trains one network per cell, the steps of a call in one compiled program."""

    def __init__(self, cells: list[Cell], steps: int):
        config, task = cells[0].config, cells[0].task
        self.inputs, self.labels = (
            jnp.asarray(t[task.train].numpy()) for t in (task.inputs, task.labels)
        )
        self.shape = steps, len(cells), config.batch_size or len(self.inputs)
        self.draws = np.random.default_rng(0)
        loss = loss_of(cells[0])
        optimizer = optax.adamw(
            config.lr, *config.optimizer.betas, eps=config.optimizer.eps,
            weight_decay=config.weight_decay,
        )  # fmt: skip

        def step(p, moments, rows, inputs, labels):  # type: ignore[no-untyped-def]
            gradients = jax.grad(loss)(p, inputs[rows], labels[rows])
            updates, moments = optimizer.update(gradients, moments, p)
            return optax.apply_updates(p, updates), moments

        @partial(jax.jit, donate_argnums=0)
        def train(state, rows, inputs, labels):  # type: ignore[no-untyped-def]
            stacked = jax.vmap(step, (0, 0, 0, None, None))
            return jax.lax.scan(lambda s, r: (stacked(*s, r, inputs, labels), None), state, rows)[0]

        networks = [parameters(cell) for cell in cells]
        stack = {name: jnp.stack([network[name] for network in networks]) for name in networks[0]}
        self.train = train
        self.state = stack, jax.vmap(optimizer.init)(stack)

    def advance(self, rows: NDArray[np.int64]) -> None:
        """Train a step on each batch of rows of the training set, (steps, cells, batch)."""
        self.state = self.train(self.state, rows, self.inputs, self.labels)

    def __call__(self) -> int:
        """Train on rows drawn with replacement, wait, and return the number of seed-steps."""
        self.advance(self.draws.integers(0, len(self.inputs), self.shape))
        jax.block_until_ready(self.state)
        return self.shape[0] * self.shape[1]
