"""Multilayer perceptrons: on images that of Sakamoto & Sato (2026), 784 → 200 → 200 → 10, ReLU,
large initial parameters; on tokens the control of Truong et al. (2026), concatenated embeddings →
MLP."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

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


class MLP(nn.Module):
    """Hidden layers with ReLU, then a linear head; features are the last hidden activations."""

    def __init__(self, sizes: list[int], classes: int, init_scale: float):
        super().__init__()
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
            z = layer(z).relu()
        return self.head(z), z


class TokenMLP(MLP):
    """An MLP on the concatenated embeddings of tokens."""

    def __init__(self, embedding: nn.Embedding, sizes: list[int], classes: int, init_scale: float):
        super().__init__(sizes, classes, 1.0)
        self.embedding = embedding
        self.scale(init_scale)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        return super().forward(self.embedding(tokens))


def build(config: Config, task: Task) -> nn.Module:
    """Build the network; inputs of any shape are flattened.

    Raises InputError for an embedding on inputs that are not tokens.
    """
    inputs = task.inputs.shape[1:].numel()
    hidden = [config.width] * (config.depth - 1) + [config.feature_width or config.width]
    if task.vocabulary is None:
        if config.embedding is not None:
            raise InputError(f"arch.embedding={config.embedding}: for tokens only; must be null")
        return MLP([inputs, *hidden], task.classes, config.init_scale)
    embedding = config.embedding or config.width
    sizes = [inputs * embedding, *hidden]
    table = nn.Embedding(task.vocabulary, embedding)
    return TokenMLP(table, sizes, task.classes, config.init_scale)
