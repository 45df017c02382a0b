"""The causal Transformer of Power et al. (2022), as Han et al. (2025) train it on equations, and a
module that computes the same with less work."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from grokpipe.archs._checks import check_heads
from grokpipe.archs._rows import Rows, attended, through
from grokpipe.config.fields import scientific
from grokpipe.tasks import Task

POSITIONS = True


@dataclass(frozen=True)
class Config:
    """Configuration of the causal Transformer."""

    name: str = scientific()
    layers: int = scientific(at_least=1)
    """blocks of attention and feed-forward network"""
    width: int = scientific(at_least=1)
    """dimension d of the residual stream, and so of the features"""
    heads: int = scientific(at_least=1)
    """attention heads; a divisor of the width"""
    feedforward: int = scientific(at_least=1)
    """units of each block's hidden layer"""


class Attention(nn.Module):
    """Multi-head self-attention over a position and those before it, without biases."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, width) → the same"""
        split = (*x.shape[:2], 3, self.heads, -1)
        q, k, v = self.qkv(x).view(split).permute(2, 0, 3, 1, 4)  # (batch, head, token, channel)
        scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=x.device).triu(1)
        mixed = scores.masked_fill(later, -torch.inf).softmax(-1) @ v
        return self.out(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention, then a feed-forward network, each with a residual sum and then a LayerNorm."""

    def __init__(self, config: Config):
        super().__init__()
        self.attention = Attention(config.width, config.heads)
        self.norm1 = nn.LayerNorm(config.width)
        self.up = nn.Linear(config.width, config.feedforward, bias=False)
        self.down = nn.Linear(config.feedforward, config.width, bias=False)
        self.norm2 = nn.LayerNorm(config.width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, width) → the same"""
        return self.finished(x, self.attention(x))

    def finished(self, x: Tensor, attended: Tensor) -> Tensor:
        """The block's output, (…, width), from its input and the attention's output."""
        x = self.norm1(x + attended)
        return self.norm2(x + self.down(self.up(x).relu()))


class CausalTransformer(nn.Module):
    """Embedded tokens, fixed positions, blocks, and a linear head at the supervised positions, the
    last ones of the text.

    The features are the last block's output there: there is no final LayerNorm. Initial weights are
    PyTorch's: N(0, 1) for embeddings, uniform in ±1/√(inputs) for linear layers.
    """

    positions: Tensor
    """(length, width)"""

    def __init__(self, config: Config, task: Task):
        super().__init__()
        assert task.vocabulary is not None
        self.supervised = task.positions
        self.embedding = nn.Embedding(task.vocabulary, config.width)
        self.register_buffer("positions", sinusoidal(task.inputs.shape[1], config.width))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.head = nn.Linear(config.width, task.classes, bias=False)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, length) tokens → logits (batch, positions, classes), features (batch, positions,
        width)"""
        x = self.embedding(tokens) + self.positions
        for block in self.blocks:
            x = block(x)
        z = x[:, -self.supervised :]
        return self.head(z), z


def sinusoidal(length: int, width: int) -> Tensor:
    """Fixed positions (length, width) of Vaswani et al. (2017), section 3.5: sin(i/10000^(j/width))
    in even columns j, the cosine of the same in the odd ones after them."""
    columns = torch.arange(width)
    angles = torch.arange(length)[:, None] / 10_000 ** ((columns - columns % 2) / width)
    return torch.where(columns % 2 == 0, angles.sin(), angles.cos())


class ShortcutCausalTransformer(CausalTransformer):
    """Computes a `CausalTransformer` exactly, without work that never reaches the read-out.

    - A position depends on the tokens up to it alone. While at most one of these varies between
      equations (`eos a +`), the stream is a table by that token through all blocks, from which the
      batch is looked up; where none does, it is one row. In the first block this holds of the
      queries, keys and values of every position.
    - In the last block only the supervised positions need a query, an output projection and a
      feed-forward network.

    No term is approximated. The residual stream is a list of `Rows`, one for each position.
    """

    def __init__(self, config: Config, task: Task):
        super().__init__(config, task)
        lowest, highest = task.inputs.amin(0).tolist(), task.inputs.amax(0).tolist()
        self.spans = [*zip(lowest, highest, strict=True)]
        """lowest and highest token that the task has at each position"""

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        stream = self._embedded(tokens)
        everywhere = range(len(stream))
        for depth, block in enumerate(self.blocks, start=1):
            assert isinstance(block, Block)
            last = depth == len(self.blocks)
            wanted = everywhere[-self.supervised :] if last else everywhere
            queries, keys, values = _projections(block, stream, len(wanted))
            mixed = [
                attended(query, keys[: i + 1], values[: i + 1], block.attention.heads)
                for i, query in zip(wanted, queries, strict=True)
            ]
            residual = [stream[i] for i in wanted]
            stream = through(residual, mixed, block.attention.out, block.finished)
        z = torch.stack([part.by_sample().expand(len(tokens), -1) for part in stream], 1)
        return self.head(z), z

    def _embedded(self, tokens: Tensor) -> list[Rows]:
        """Embed the tokens: a table of those that a position can have, or its only row."""
        tables = [
            self.embedding.weight[low : high + 1] + row
            for (low, high), row in zip(self.spans, self.positions, strict=True)
        ]
        return [
            Rows(table, None if low == high else own - low)
            for table, (low, high), own in zip(tables, self.spans, tokens.unbind(1), strict=True)
        ]


def _projections(
    block: Block, stream: Sequence[Rows], asking: int
) -> tuple[list[Rows], list[Rows], list[Rows]]:
    """Queries of the last `asking` positions, keys and values of all of them."""
    weight = block.attention.qkv.weight
    width = weight.shape[1]
    source = torch.cat([part.rows for part in stream])

    def projected(weight: Tensor, source: Tensor, parts: Sequence[Rows]) -> Sequence[Tensor]:
        return functional.linear(source, weight).split([len(part.rows) for part in parts])

    if asking == len(stream):
        each = [rows.split(width, 1) for rows in projected(weight, source, stream)]
        queries, keys, values = zip(*each, strict=True)
    else:
        own = stream[-asking:]
        tail = source[-sum(len(part.rows) for part in own) :]
        queries = tuple(projected(weight[:width], tail, own))
        each = [rows.split(width, 1) for rows in projected(weight[width:], source, stream)]
        keys, values = zip(*each, strict=True)

    def rows_of(parts: Sequence[Tensor], positions: Sequence[Rows]) -> list[Rows]:
        return [Rows(rows, of.where) for rows, of in zip(parts, positions, strict=True)]

    return rows_of(queries, stream[-asking:]), rows_of(keys, stream), rows_of(values, stream)


def unfit(task: Task) -> str | None:
    """Why this architecture cannot take the task, or None."""
    if task.vocabulary is None or task.positions == 1:
        return "takes tokens with a label at each of several positions"
    return None


def build(config: Config, task: Task) -> nn.Module:
    """Build the network. Raises InputError if the number of heads does not divide the width."""
    return _built(CausalTransformer, config, task)


def build_shortcut(config: Config, task: Task) -> nn.Module:
    """Build a faster module that computes the same from parameters of the same names."""
    return _built(ShortcutCausalTransformer, config, task)


def _built(kind: type[CausalTransformer], config: Config, task: Task) -> nn.Module:
    check_heads(config.heads, config.width)
    return kind(config, task)
