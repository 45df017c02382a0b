"""The Transformer on image patches of Sakamoto & Sato (2026), from their released code, read out at
a CLS token, and a module that computes the same with less work."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from grokpipe.archs import _images
from grokpipe.archs._checks import check_heads
from grokpipe.archs._images import unfit
from grokpipe.archs.transformer import Block
from grokpipe.config.fields import scientific
from grokpipe.errors import InputError
from grokpipe.tasks import Task

__all__ = ["Config", "ImageTransformer", "build", "build_shortcut", "unfit"]


@dataclass(frozen=True)
class Config:
    """Configuration of the Transformer on image patches."""

    name: str = scientific()
    layers: int = scientific(at_least=1)
    """encoder layers, each with a LayerNorm after each residual sum"""
    width: int = scientific(at_least=1)
    """dimension d of the tokens, and so of the features"""
    heads: int = scientific(at_least=1)
    """attention heads; a divisor of the width"""
    feedforward: int = scientific(at_least=1)
    """units of each layer's hidden layer"""
    patch: int = scientific(at_least=1)
    """pixels along a side of a patch; a divisor of the images' height and width"""
    init_scale: float = scientific(above=0, per_cell=True)
    """factor on the initial weights and biases of the feed-forward networks and of the head"""


class ImageTransformer(nn.Module):
    """Projected patches behind a CLS token, learned positions, encoder layers, a head at CLS.

    CLS begins as N(0, 1), positions as zeros. There is no final norm: the features are the output
    of the last layer at CLS.
    """

    def __init__(self, config: Config, size: tuple[int, int, int], classes: int):
        super().__init__()
        channels, height, width = size
        tokens = 1 + (height // config.patch) * (width // config.patch)
        self.patches = nn.Conv2d(channels, config.width, config.patch, stride=config.patch)
        self.cls = nn.Parameter(torch.randn(config.width))
        self.positions = nn.Parameter(torch.zeros(tokens, config.width))
        # as PyTorch's TransformerEncoderLayer is by default, which the released code uses
        sizes = config.width, config.heads, config.feedforward
        self.blocks = nn.ModuleList(Block(*sizes, "post", "relu") for _ in range(config.layers))
        self.head = nn.Linear(config.width, classes)
        self.scale(config.init_scale)

    @torch.no_grad()
    def scale(self, factor: float) -> None:
        """Multiply the parameters of feed-forward networks and head by `factor`, in place."""
        scaled = [self.head]
        for block in self.blocks:
            assert isinstance(block, Block)
            scaled += [block.up, block.down]
        for parameter in (p for layer in scaled for p in layer.parameters()):
            parameter.mul_(factor)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Compute logits (batch, classes) and features (batch, d) of images (batch, height, width)
        or (batch, channels, height, width)."""
        patches = self.patches(_images.with_channels(images)).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(images), 1, -1), patches], 1) + self.positions
        for block in self.blocks:
            x = block(x)
        z = x[:, 0]
        return self.head(z), z


class ShortcutImageTransformer(ImageTransformer):
    """Computes an `ImageTransformer` of one layer exactly, without work that never reaches CLS.

    - Only CLS needs a query, an output projection, a feed-forward network and norms.
    - The query q of CLS depends on no image. Token t is P p_t + r_t, a linear map of its raw pixels
      p_t and a row r_t of bias and position; so scores are p_t · Pᵀu + r_t · u with u = W_kᵀ q, and
      no key is computed. The bias of the keys adds the same to all scores of a head and does not
      change their softmax: its gradient is 0.
    - Values are linear, too: the weights mix raw pixels first, and one table of values, a row for
      each pixel of a patch and each r_t, multiplies mixed pixels and weights together.

    No term is approximated.
    """

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        (block,) = self.blocks
        assert isinstance(block, Block) and self.patches.bias is not None
        attention, projection = block.attention, self.patches
        heads = attention.heads
        query, key, value = attention.qkv.weight.chunk(3)
        of_query, _, of_value = attention.qkv.bias.chunk(3)

        # rows of CLS, of positions, of pixels: what a token is the sum of
        first = self.cls + self.positions[0]
        rows = self.positions[1:] + self.patches.bias
        table = torch.cat([first[None], rows, projection.weight.flatten(1).T])
        positions = len(self.positions)

        q = functional.linear(first, query, of_query) * (len(first) // heads) ** -0.5
        u = (q[:, None] * key).unflatten(0, (heads, -1)).sum(1)  # (head, width)
        by_position, by_pixel = (table @ u.T).split([positions, len(table) - positions])

        pixels = _images.patches(_images.with_channels(images), projection.stride[0])
        scores = (pixels @ by_pixel).transpose(1, 2)  # (batch, head, patch)
        weights = (functional.pad(scores, (1, 0)) + by_position.T).softmax(2)
        mixed = torch.cat([weights, weights[..., 1:] @ pixels], 2)

        values = functional.linear(table, value).unflatten(1, (heads, -1))
        x = torch.einsum("bhr,rhc->bhc", mixed, values).flatten(1) + of_value
        x = block.norm1(first + attention.out(x))
        z = block.norm2(x + block.feedforward(x))
        return self.head(z), z


def build(config: Config, task: Task) -> nn.Module:
    """Build the network.

    Raises InputError if the number of heads does not divide the width, or the side of a patch the
    size of the images.
    """
    return _built(ImageTransformer, config, task)


def build_shortcut(config: Config, task: Task) -> nn.Module:
    """Build a faster module that computes the same from parameters of the same names; for several
    layers, the plain one."""
    kind = ShortcutImageTransformer if config.layers == 1 else ImageTransformer
    return _built(kind, config, task)


def _built(kind: type[ImageTransformer], config: Config, task: Task) -> nn.Module:
    check_heads(config.heads, config.width)
    size = _images.size(task)
    if any(side % config.patch for side in size[1:]):
        raise InputError(
            f"arch.patch={config.patch}: must divide height and width of the images, "
            f"{size[1]} × {size[2]}"
        )
    return kind(config, size, task.classes)
