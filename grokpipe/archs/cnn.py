"""The convolutional network of Sakamoto & Sato (2026), from their released code: two convolutions
3 × 3, max-pooling, a hidden layer of 128 units, a linear head."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from grokpipe.archs import _images
from grokpipe.archs._images import unfit
from grokpipe.config.fields import scientific
from grokpipe.errors import InputError
from grokpipe.tasks import Task

__all__ = ["CNN", "Config", "build", "build_shortcut", "unfit"]

GREY, COLOUR = 16, 32  # channels of the first convolution, as released
PART = 128  # most images that go through the convolutions at once, in the shortcut


@dataclass(frozen=True)
class Config:
    """Configuration of the convolutional network."""

    name: str = scientific()
    channels: int | None = scientific(at_least=1)
    """channels of the first convolution, half of the second's; null: 16 for grey images, 32 for
    colour"""
    width: int = scientific(at_least=1)
    """units of the hidden layer, the dimension of the features"""
    init_scale: float = scientific(above=0, per_cell=True)
    """factor on the initial parameters that `scaled` names"""
    scaled: str = scientific(choices=("linear", "all_but_head"))
    """linear: weight and bias of the two linear layers; all_but_head: everything, and the head
    begins at zero"""


class CNN(nn.Module):
    """Two convolutions with ReLU, max-pooling, a hidden layer with ReLU, a linear head.

    The features are the hidden activations.
    """

    def __init__(self, config: Config, size: tuple[int, int, int], classes: int):
        super().__init__()
        inputs, height, width = size
        first = config.channels or (GREY if inputs == 1 else COLOUR)
        self.conv1 = nn.Conv2d(inputs, first, 3, padding=1)
        self.conv2 = nn.Conv2d(first, 2 * first, 3, padding=1)
        flat = 2 * first * (height // 2) * (width // 2)
        self.hidden = nn.ModuleList([nn.Linear(flat, config.width)])
        self.head = nn.Linear(config.width, classes)
        self.scale(config)

    @torch.no_grad()
    def scale(self, config: Config) -> None:
        """Multiply initial parameters as the configuration says, in place."""
        layers = [*self.hidden, self.head] if config.scaled == "linear" else [self]
        for parameter in (p for layer in layers for p in layer.parameters()):
            parameter.mul_(config.init_scale)
        if config.scaled == "all_but_head":
            for parameter in self.head.parameters():
                parameter.zero_()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Compute logits (batch, classes) and features (batch, d) of images (batch, height, width)
        or (batch, channels, height, width)."""
        x = self.conv1(_images.with_channels(images)).relu()
        x = functional.max_pool2d(self.conv2(x).relu(), 2)
        z = self.hidden[0](x.flatten(1)).relu()
        return self.head(z), z


class ShortcutCNN(CNN):
    """Computes a `CNN` exactly, in an order of memory and of operations that is faster on a CPU.

    The channels of a pixel lie beside one another; ReLU comes after pooling, on a quarter of the
    numbers, which changes no value; and large batches are taken in parts that fit into the cache.
    """

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        parts = [self._pooled(part) for part in images.split(PART)]
        z = self.hidden[0](parts[0] if len(parts) == 1 else torch.cat(parts)).relu()
        return self.head(z), z

    def _pooled(self, images: Tensor) -> Tensor:
        """(batch, …) → what the hidden layer takes, (batch, inputs)"""
        x = self.conv2(self.conv1(_images.channels_last(images)).relu())
        return functional.max_pool2d(x, 2).relu().flatten(1)


def build(config: Config, task: Task) -> nn.Module:
    """Build the network. Raises InputError for images that are too small to be pooled."""
    return _built(CNN, config, task)


def build_shortcut(config: Config, task: Task) -> nn.Module:
    """Build a faster module that computes the same from parameters of the same names."""
    return _built(ShortcutCNN, config, task)


def _built(kind: type[CNN], config: Config, task: Task) -> nn.Module:
    size = _images.size(task)
    if min(size[1:]) < 2:
        raise InputError(f"arch=cnn: {_images.shape(task)}; must have at least 2 × 2 pixels")
    return kind(config, size, task.classes)
