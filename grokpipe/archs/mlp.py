"""The multilayer perceptron of Sakamoto & Sato (2026): 784 → 200 → 200 → 10, ReLU, large initial
parameters."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from grokpipe.schema import scientific


@dataclass(frozen=True)
class Config:
    name: str = scientific()
    width: int = scientific(at_least=1)
    """units of each hidden layer, and so the dimension of the features"""
    depth: int = scientific(at_least=1)
    """hidden layers"""
    init_scale: float = scientific(above=0)
    """factor on all parameters, biases included, after PyTorch's default initialisation"""


class MLP(nn.Module):
    """Hidden layers with ReLU, then a linear head; the features are the last hidden activations."""

    def __init__(self, inputs: int, width: int, depth: int, classes: int, init_scale: float):
        super().__init__()
        sizes = [inputs] + [width] * depth
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.head = nn.Linear(width, classes)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.mul_(init_scale)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        z = x.flatten(1)
        for layer in self.hidden:
            z = layer(z).relu()
        return self.head(z), z


def build(config: Config, inputs: torch.Size, classes: int) -> nn.Module:
    """`inputs` is the shape of one input; it is flattened."""
    return MLP(inputs.numel(), config.width, config.depth, classes, config.init_scale)
