"""The small bidirectional Transformer of Truong et al. (2026) on pairs of tokens, read out at the
last position."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from grokpipe.config.fields import scientific
from grokpipe.errors import InputError
from grokpipe.tasks import Task


@dataclass(frozen=True)
class Config:
    """Configuration of the Transformer."""

    name: str = scientific()
    layers: int = scientific(at_least=1)
    """blocks of attention and feed-forward network"""
    width: int = scientific(at_least=1)
    """dimension d of the residual stream, and so of the features"""
    heads: int = scientific(at_least=1)
    """attention heads; a divisor of the width"""
    feedforward: int = scientific(at_least=1)
    """units of each block's hidden layer"""
    tokens: int = scientific(at_least=2, below=4)
    """2: [a, b]; 3: [a, b, =]"""
    norm: str = scientific(choices=("post", "pre"))
    """LayerNorm after each residual sum, or before each sublayer"""
    activation: str = scientific(choices=("gelu", "relu"))
    """activation of the feed-forward network; GELU is the exact form"""
    embedding: str = scientific(choices=("unit", "scaled"))
    """initial embeddings of tokens and positions: N(0, 1) or N(0, 1/d)"""
    init_scale: float = scientific(above=0, per_cell=True)
    """factor on all initial parameters"""


class Attention(nn.Module):
    """Multi-head self-attention without a mask (Vaswani et al. 2017, section 3.2)."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.qkv.weight)
        nn.init.zeros_(self.qkv.bias)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, width) → the same"""
        split = (*x.shape[:2], 3, self.heads, -1)
        q, k, v = self.qkv(x).view(split).permute(2, 0, 3, 1, 4)  # (batch, head, token, channel)
        scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
        mixed = scores.softmax(-1) @ v
        return self.out(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention, then a feed-forward network, each with a residual sum and a LayerNorm."""

    def __init__(self, config: Config):
        super().__init__()
        self.post_norm = config.norm == "post"
        self.activation = getattr(functional, config.activation)
        self.attention = Attention(config.width, config.heads)
        self.norm1 = nn.LayerNorm(config.width)
        self.up = nn.Linear(config.width, config.feedforward)
        self.down = nn.Linear(config.feedforward, config.width)
        self.norm2 = nn.LayerNorm(config.width)

    def feedforward(self, x: Tensor) -> Tensor:
        """(…, width) → the same"""
        return self.down(self.activation(self.up(x)))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, width) → the same"""
        if self.post_norm:
            x = self.norm1(x + self.attention(x))
            return self.norm2(x + self.feedforward(x))
        x = x + self.attention(self.norm1(x))
        return x + self.feedforward(self.norm2(x))


class Transformer(nn.Module):
    """Learned positions, blocks, a final LayerNorm, a linear head at the last position.

    The features are the output of the final LayerNorm there.
    """

    def __init__(self, config: Config, vocabulary: int, classes: int):
        super().__init__()
        self.vocabulary = vocabulary
        self.length = config.tokens
        with_equals = config.tokens == 3
        self.embedding = nn.Embedding(vocabulary + with_equals, config.width)
        self.positions = nn.Parameter(torch.randn(config.tokens, config.width))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, classes)
        with torch.no_grad():
            if config.embedding == "scaled":
                self.embedding.weight.mul_(config.width**-0.5)
                self.positions.mul_(config.width**-0.5)
            for parameter in self.parameters():
                parameter.mul_(config.init_scale)

    def forward(self, pairs: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, 2) tokens → logits (batch, classes), features (batch, width)"""
        # the token = comes after the operands, in the vocabulary as in the text
        tokens = functional.pad(pairs, (0, self.length - 2), value=self.vocabulary)
        x = self.embedding(tokens) + self.positions
        for block in self.blocks:
            x = block(x)
        z = self.norm(x[:, -1])
        return self.head(z), z


class OneLayerTransformer(Transformer):
    """Computes a one-layer `Transformer` exactly, without work that never reaches the read-out.

    With one layer, keys, values and queries depend only on (token, position), so that they are
    tables from which a batch is looked up. Only the last position needs a query, an output
    projection and a feed-forward network. No term is approximated.
    """

    def forward(self, pairs: Tensor) -> tuple[Tensor, Tensor]:
        block = self.blocks[0]
        assert isinstance(block, Block)
        attention, heads = block.attention, block.attention.heads
        operands, equals = self.embedding.weight.split(
            [self.vocabulary, len(self.embedding.weight) - self.vocabulary]
        )
        rows = [operands + self.positions[0], operands + self.positions[1]]
        where = [pairs[:, 0], pairs[:, 1]]
        if self.length == 3:
            rows.append(equals + self.positions[2])
            where.append(torch.zeros_like(where[0]))
        table = torch.cat(rows)  # the residual stream by (position, token)
        last = len(rows[-1])
        source = table if block.post_norm else block.norm1(table)
        width = table.shape[1]
        w_q, w_kv = attention.qkv.weight.split([width, 2 * width])
        b_q, b_kv = attention.qkv.bias.split([width, 2 * width])
        q = functional.linear(source[-last:], w_q, b_q)
        q = functional.embedding(where[-1], q).unflatten(1, (heads, -1))
        keys_values = functional.linear(source, w_kv, b_kv).split([len(part) for part in rows])
        looked_up = [
            functional.embedding(at, part).unflatten(1, (2, heads, -1)).unbind(1)
            for part, at in zip(keys_values, where, strict=True)
        ]  # by position: keys and values (batch, head, channel)
        scores = torch.stack([(q * k).sum(-1) for k, _ in looked_up]) * q.shape[-1] ** -0.5
        mixed = sum(
            weight[..., None] * v
            for weight, (_, v) in zip(scores.softmax(0), looked_up, strict=True)
        )
        x = functional.embedding(where[-1], table[-last:])
        attended = attention.out(mixed.flatten(1))
        if block.post_norm:
            x = block.norm1(x + attended)
            x = block.norm2(x + block.feedforward(x))
        else:
            x = x + attended
            x = x + block.feedforward(block.norm2(x))
        z = self.norm(x)
        return self.head(z), z


def unfit(task: Task) -> str | None:
    """Why this architecture cannot take the task, or None."""
    return None if task.vocabulary else "takes pairs of tokens"


def build(config: Config, task: Task) -> nn.Module:
    """Build the network. Raises InputError if the number of heads does not divide the width."""
    return _built(Transformer, config, task)


def build_shortcut(config: Config, task: Task) -> nn.Module:
    """Build a faster module that computes the same from parameters of the same names."""
    return _built(OneLayerTransformer if config.layers == 1 else Transformer, config, task)


def _built(kind: type[Transformer], config: Config, task: Task) -> nn.Module:
    if config.width % config.heads:
        raise InputError(f"arch.heads={config.heads}: must divide arch.width={config.width}")
    assert task.vocabulary is not None
    return kind(config, task.vocabulary, task.classes)
