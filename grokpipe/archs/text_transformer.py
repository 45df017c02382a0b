"""The one-layer Transformer of Sakamoto & Sato (2026) on sentences, read out at a CLS token, and a
module that computes the same with less work."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from grokpipe.archs._checks import check_heads
from grokpipe.config.fields import scientific
from grokpipe.tasks import Task


@dataclass(frozen=True)
class Config:
    """Configuration of the Transformer on sentences."""

    name: str = scientific()
    width: int = scientific(at_least=1)
    """dimension d of tokens, and so of the features"""
    heads: int = scientific(at_least=1)
    """attention heads; a divisor of the width"""
    feedforward: int = scientific(at_least=1)
    """units of the feed-forward network's hidden layer"""
    init_scale: float = scientific(above=0, per_cell=True)
    """factor on the initial weights and biases of the feed-forward network and the head"""


class TextTransformer(nn.Module):
    """Embedded tokens with positions, one post-norm encoder layer, a linear head at CLS.

    CLS is N(0, 1), as embeddings are, and positions are zero at first. The features are the output
    of the layer at CLS. Padding is not attended to.
    """

    def __init__(self, config: Config, task: Task):
        super().__init__()
        assert task.vocabulary is not None
        width, self.padding = config.width, task.padding
        self.cls = nn.Parameter(torch.randn(width))
        self.positions = nn.Parameter(torch.zeros(1 + task.inputs.shape[1], width))
        self.embedding = nn.Embedding(task.vocabulary, width, padding_idx=task.padding)
        self.layer = nn.TransformerEncoderLayer(
            width, config.heads, config.feedforward, dropout=0.0, batch_first=True
        )
        self.head = nn.Linear(width, task.classes)
        with torch.no_grad():
            for part in (self.layer.linear1, self.layer.linear2, self.head):
                part.weight.mul_(config.init_scale)
                part.bias.mul_(config.init_scale)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, length) tokens → logits (batch, classes), features (batch, width)"""
        cls = self.cls.expand(len(tokens), 1, -1)
        x = torch.cat([cls, self.embedding(tokens)], 1) + self.positions
        z = self.layer(x, src_key_padding_mask=self.padded(tokens))[:, 0]
        return self.head(z), z

    def padded(self, tokens: Tensor) -> Tensor | None:
        """(batch, 1 + length) where keys are padding; never CLS. None if nothing is padded."""
        return None if self.padding is None else functional.pad(tokens == self.padding, (1, 0))


class ShortcutTextTransformer(TextTransformer):
    """Computes a `TextTransformer` exactly, without work that never reaches CLS.

    - Only CLS needs a query, an output projection, a feed-forward network and norms.
    - Its query q depends on no token, so that a key enters by q·W_k x = u·x with u = W_kᵀ q alone:
      scores are a table by token and head, looked up, and a row by position. The bias of the keys
      adds the same to all scores of a head and does not change their softmax: its gradient is 0.
    - Attention weights sum to 1, so that tokens are mixed before they are projected to values.
    - A sum of token and position is never built: each enters the scores and the mix on its own.

    No term is approximated.
    """

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        attention, heads = self.layer.self_attn, self.layer.self_attn.num_heads
        query, key, value = attention.in_proj_weight.unflatten(0, (3, heads, -1))
        bias = attention.in_proj_bias.unflatten(0, (3, heads, -1))
        first = self.cls + self.positions[0]  # CLS at its position
        q = (query @ first + bias[0]) * query.shape[1] ** -0.5  # (head, channel)
        u = torch.einsum("hc,hcd->hd", q, key)

        table = self.embedding.weight
        scores = functional.embedding(tokens, table @ u.T) + self.positions[1:] @ u.T
        if self.padding is not None:
            scores = scores.masked_fill((tokens == self.padding)[..., None], -torch.inf)
        own = (u @ first).expand(len(tokens), 1, -1)
        weights = torch.cat([own, scores], 1).softmax(1).transpose(1, 2)  # (batch, head, …)
        at_cls, at_tokens = weights[..., :1], weights[..., 1:]
        places = at_tokens.flatten(0, 1) @ self.positions[1:]
        x = functional.embedding(tokens, table)  # (batch, length, width)
        mixed = at_tokens @ x + places.unflatten(0, (-1, heads)) + at_cls * first
        values = torch.einsum("bhd,hcd->bhc", mixed, value) + bias[2]

        z = self.layer.norm1(first + attention.out_proj(values.flatten(1)))
        hidden = self.layer.linear1(z).relu()
        z = self.layer.norm2(z + self.layer.linear2(hidden))
        return self.head(z), z


def unfit(task: Task) -> str | None:
    """Why this architecture cannot take the task, or None."""
    return None if task.vocabulary else "takes sentences: sequences of tokens"


def build(config: Config, task: Task) -> nn.Module:
    """Build the network. Raises InputError if the number of heads does not divide the width."""
    return _built(TextTransformer, config, task)


def build_shortcut(config: Config, task: Task) -> nn.Module:
    """Build a faster module that computes the same from parameters of the same names."""
    return _built(ShortcutTextTransformer, config, task)


def _built(kind: type[TextTransformer], config: Config, task: Task) -> nn.Module:
    check_heads(config.heads, config.width)
    return kind(config, task)
