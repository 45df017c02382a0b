"""ResNet-18 (He et al. 2016), by default for small images: a 3×3 stem, no first pooling."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from grokpipe.archs import _images
from grokpipe.archs._images import unfit
from grokpipe.config.fields import scientific
from grokpipe.errors import InputError
from grokpipe.tasks import Task

__all__ = ["Config", "ResNet", "build", "unfit"]


@dataclass(frozen=True)
class Config:
    """Configuration of the residual network."""

    name: str = scientific()
    width: int = scientific(at_least=1)
    """channels of the first stage; each further stage has twice as many"""
    blocks: list[int] = scientific(at_least=1)
    """residual blocks of each stage; each stage but the first halves height and width"""
    init_scale: float = scientific(above=0, per_cell=True)
    """factor on the initial weight and bias of the head, the only layer that no batch norm
    follows"""
    stem: str = scientific(choices=("small", "large"), neutral="small")
    """small: a 3×3 convolution; large, as published for images of 224 pixels: a 7×7 convolution and
    a pooling that each halve height and width"""


class BasicBlock(nn.Module):
    """Two 3×3 convolutions with batch norm, added to their input.

    Where the shape changes, the input passes a 1×1 convolution with batch norm.
    """

    def __init__(self, before: int, channels: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or before != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(before, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels before, height, width) → (batch, channels, height/stride, …)"""
        z = self.norm1(self.conv1(x)).relu()
        z = self.norm2(self.conv2(z))
        return (z + self.shortcut(x)).relu()


class ResNet(nn.Module):
    """A stem, stages of residual blocks, an average over pixels, a linear head.

    The features are the average of the last stage's channels.
    """

    def __init__(self, channels: int, config: Config, classes: int):
        super().__init__()
        width = config.width
        large = config.stem == "large"
        size, stride = (7, 2) if large else (3, 1)
        self.stem = nn.Conv2d(channels, width, size, stride, padding=size // 2, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1) if large else nn.Identity()
        blocks = [BasicBlock(width, width, stride=1) for _ in range(config.blocks[0])]
        for count in config.blocks[1:]:
            blocks.append(BasicBlock(width, 2 * width, stride=2))
            width *= 2
            blocks += [BasicBlock(width, width, stride=1) for _ in range(count - 1)]
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(width, classes)
        with torch.no_grad():
            for parameter in self.head.parameters():
                parameter.mul_(config.init_scale)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, channels, height, width), or (batch, height, width) for one channel → logits
        (batch, classes), features (batch, d)"""
        x = self.stem(_images.with_channels(images))
        x = self.pool(self.norm(x).relu())
        z = self.blocks(x).mean((2, 3))
        return self.head(z), z


def build(config: Config, task: Task) -> nn.Module:
    """Build the network with PyTorch's own initialisation.

    Raises InputError if there is no stage.
    """
    if not config.blocks:
        raise InputError("arch.blocks=[]: must be the blocks of each stage, such as [2, 2, 2, 2]")
    channels, *_ = _images.size(task)
    return ResNet(channels, config, task.classes)
