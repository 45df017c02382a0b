"""The small Transformer of Truong et al. (2026) on pairs of tokens, read out at the last position,
and a module that computes the same with less work."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from grokpipe.archs._checks import check_heads
from grokpipe.archs._rows import Rows, attended, through
from grokpipe.config.fields import scientific
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
    causal: bool = scientific(neutral=False)
    """whether a position attends to itself and earlier ones only, rather than to all"""


class Attention(nn.Module):
    """Multi-head self-attention (Vaswani et al. 2017, section 3.2), masked if `causal`."""

    def __init__(self, width: int, heads: int, causal: bool = False):
        super().__init__()
        self.heads = heads
        self.causal = causal
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
        if self.causal:
            later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=x.device).triu(1)
            scores = scores.masked_fill(later, -torch.inf)
        mixed = scores.softmax(-1) @ v
        return self.out(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention, then a feed-forward network, each with a residual sum and a LayerNorm."""

    def __init__(
        self,
        width: int,
        heads: int,
        feedforward: int,
        norm: str,
        activation: str,
        causal: bool = False,
    ):
        super().__init__()
        self.post_norm = norm == "post"
        self.activation = getattr(functional, activation)
        self.attention = Attention(width, heads, causal)
        self.norm1 = nn.LayerNorm(width)
        self.up = nn.Linear(width, feedforward)
        self.down = nn.Linear(feedforward, width)
        self.norm2 = nn.LayerNorm(width)

    def feedforward(self, x: Tensor) -> Tensor:
        """(…, width) → the same"""
        return self.down(self.activation(self.up(x)))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, width) → the same"""
        return self.finished(x, self.attention(x if self.post_norm else self.norm1(x)))

    def finished(self, x: Tensor, attended: Tensor) -> Tensor:
        """The block's output, (…, width), from its input and the attention's output."""
        if self.post_norm:
            x = self.norm1(x + attended)
            return self.norm2(x + self.feedforward(x))
        x = x + attended
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
        sizes = config.width, config.heads, config.feedforward
        self.blocks = nn.ModuleList(
            Block(*sizes, config.norm, config.activation, config.causal)
            for _ in range(config.layers)
        )
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


class ShortcutTransformer(Transformer):
    """Computes a `Transformer` exactly, without work that never reaches the read-out.

    - What depends on one token alone is computed once for each token, as a table from which the
      batch is looked up: in the first block all queries, keys and values; with a causal mask
      everything at the first position, through all blocks. Of =, there is one row.
    - In the last block only the last position needs a query, an output projection and a
      feed-forward network.

    No term is approximated. The residual stream is a list of `Rows`, one for each position.
    """

    def forward(self, pairs: Tensor) -> tuple[Tensor, Tensor]:
        stream = self._embedded(pairs)
        for depth, block in enumerate(self.blocks, start=1):
            assert isinstance(block, Block)
            first, last = depth == 1, depth == len(self.blocks)
            queries, keys, values = self._projections(block, stream, first, last)
            wanted = range(self.length)[-len(queries) :]
            seen = [slice(i + 1 if block.attention.causal else None) for i in wanted]
            mixed = [
                attended(query, keys[own], values[own], block.attention.heads)
                for query, own in zip(queries, seen, strict=True)
            ]
            residual = [stream[i] for i in wanted]
            stream = through(residual, mixed, block.attention.out, block.finished)
        z = self.norm(stream[-1].rows)
        return self.head(z), z

    def _embedded(self, pairs: Tensor) -> list[Rows]:
        """Embed the tokens: tables, or rows by sample where a batch has fewer rows than a table."""
        rows = self._by_position(self.embedding.weight, self.positions)
        stream = [Rows(table, tokens) for table, tokens in zip(rows, pairs.unbind(1), strict=False)]
        if len(pairs) < self.vocabulary:
            stream = [Rows(part.by_sample()) for part in stream]
        return [*stream, *map(Rows, rows[2:])]

    def _by_position(self, tokens: Tensor, positions: Tensor) -> list[Tensor]:
        """Sum rows by token (operands, then = if there is one) and rows by position."""
        operands, equals = tokens.split([self.vocabulary, len(tokens) - self.vocabulary])
        kinds = [operands, operands, equals]
        return [kind + row for kind, row in zip(kinds, positions.unbind(), strict=False)]

    def _projections(
        self, block: Block, stream: list[Rows], first: bool, last: bool
    ) -> tuple[list[Rows], list[Rows], list[Rows]]:
        """Queries, keys and values by position; in the last block queries of the last one only."""
        weight: Tensor = block.attention.qkv.weight
        bias: Tensor = block.attention.qkv.bias
        width = weight.shape[1]
        if first and block.post_norm and stream[0].where is not None:
            # of a sum of token and position: tokens are multiplied once, whatever their position
            summands = torch.cat([self.embedding.weight, self.positions])
            tokens, positions = functional.linear(summands, weight).tensor_split([-self.length])
            parts = self._by_position(tokens, positions + bias)
        else:
            sizes = [len(part.rows) for part in stream]
            source = torch.cat([part.rows for part in stream])
            source = source if block.post_norm else block.norm1(source)
            if last:
                query = functional.linear(source[-sizes[-1] :], weight[:width], bias[:width])
                weight, bias = weight[width:], bias[width:]
            parts = [*functional.linear(source, weight, bias).split(sizes)]
        by_kind = zip(*(part.split(width, 1) for part in parts), strict=True)
        projections = [
            [Rows(rows, part.where) for rows, part in zip(kind, stream, strict=True)]
            for kind in by_kind
        ]
        if len(projections) == 2:
            projections = [[Rows(query, stream[-1].where)], *projections]
        queries, keys, values = projections
        return queries[-1:] if last else queries, keys, values


def unfit(task: Task) -> str | None:
    """Why this architecture cannot take the task, or None."""
    pairs = task.vocabulary and task.inputs.shape[1:] == (2,)
    return None if pairs else "takes pairs of tokens"


def build(config: Config, task: Task) -> nn.Module:
    """Build the network. Raises InputError if the number of heads does not divide the width."""
    return _built(Transformer, config, task)


def build_shortcut(config: Config, task: Task) -> nn.Module:
    """Build a faster module that computes the same from parameters of the same names."""
    return _built(ShortcutTransformer, config, task)


def _built(kind: type[Transformer], config: Config, task: Task) -> nn.Module:
    check_heads(config.heads, config.width)
    assert task.vocabulary is not None
    return kind(config, task.vocabulary, task.classes)
