"""Multilayer perceptrons: on images that of Sakamoto & Sato (2026), 784 → 200 → 200 → 10, ReLU,
large initial parameters; on tokens the control of Truong et al. (2026), concatenated embeddings →
MLP."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from grokpipe.archs._activations import ACTIVATIONS
from grokpipe.config.fields import scientific
from grokpipe.errors import InputError
from grokpipe.tasks import Task


@dataclass(frozen=True)
class Config:
    """Configuration of the multilayer perceptron."""

    name: str = scientific()
    width: int = scientific(at_least=1)
    """units of each hidden layer"""
    depth: int = scientific(at_least=1)
    """number of hidden layers"""
    init_scale: float = scientific(above=0, per_cell=True)
    """factor on all parameters, biases included, after PyTorch's default initialisation"""
    feature_width: int | None = scientific(at_least=1, neutral=None)
    """units of the last hidden layer, the dimension of the features; null: `width`"""
    embedding: int | None = scientific(at_least=1, neutral=None)
    """dimension of each token's embedding, initially N(0, 1); null: `width`, or inputs are not
    tokens"""
    activation: str = scientific(choices=tuple(ACTIVATIONS), neutral="relu")
    """of the hidden layers; formulas: grokpipe/archs/_activations.py"""
    widths: list[int] | None = scientific(at_least=1, neutral=None)
    """units of each hidden layer, one by one; `width` and `depth` then have no effect, and
    `feature_width` must be null; null: `depth` layers of `width` units"""

    @property
    def hidden(self) -> list[int]:
        """Units of each hidden layer. Raises InputError where two keys say them."""
        if self.widths is None:
            return [self.width] * (self.depth - 1) + [self.feature_width or self.width]
        if not self.widths:
            raise InputError("arch.widths=[]: must have at least 1 value, or be null")
        if self.feature_width is not None:
            raise InputError(
                f"arch.feature_width={self.feature_width}: must be null with arch.widths="
                f"{[*self.widths]}, whose last value is the width of the features"
            )
        return [*self.widths]


class MLP(nn.Module):
    """Hidden layers, then a linear head; features are the last hidden activations."""

    def __init__(self, sizes: list[int], classes: int, init_scale: float, activation: str = "relu"):
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.head = nn.Linear(sizes[-1], classes)
        self.scale(init_scale)

    def scale(self, factor: float) -> None:
        """Multiply all parameters by `factor`, in place."""
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.mul_(factor)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Compute logits (batch, classes) and features (batch, d) of inputs (batch, …)."""
        z = x.flatten(1)
        for layer in self.hidden:
            z = self.activation(layer(z))
        return self.head(z), z


class TokenMLP(MLP):
    """An MLP on the concatenated embeddings of tokens."""

    def __init__(
        self,
        embedding: nn.Embedding,
        sizes: list[int],
        classes: int,
        init_scale: float,
        activation: str = "relu",
    ):
        super().__init__(sizes, classes, 1.0, activation)
        self.embedding = embedding
        self.scale(init_scale)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        return super().forward(self.embedding(tokens))


def build(config: Config, task: Task) -> nn.Module:
    """Build the network; inputs of any shape are flattened.

    Raises InputError for an embedding on inputs that are not tokens, and for `feature_width`
    together with `widths`.
    """
    inputs, hidden = task.inputs.shape[1:].numel(), config.hidden
    scale, activation = config.init_scale, config.activation
    if task.vocabulary is None:
        if config.embedding is not None:
            raise InputError(f"arch.embedding={config.embedding}: for tokens only; must be null")
        return MLP([inputs, *hidden], task.classes, scale, activation)
    embedding = config.embedding or config.width
    sizes = [inputs * embedding, *hidden]
    table = nn.Embedding(task.vocabulary, embedding)
    return TokenMLP(table, sizes, task.classes, scale, activation)
