"""The residual stream of a Transformer's exact shortcut: rows by sample, or by token where a
position depends on one token alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Rows:
    """Rows (n, …), and which of them belongs to each sample of the batch."""

    rows: Tensor
    where: Tensor | None = None
    """(batch,); None: row i belongs to sample i, or the only row to all samples"""

    @property
    def single(self) -> bool:
        """Whether there is one row for all samples."""
        return self.where is None and len(self.rows) == 1

    def by_sample(self) -> Tensor:
        """(batch, …), or (1, …) for a single row"""
        return self.rows if self.where is None else functional.embedding(self.where, self.rows)


def attended(query: Rows, keys: Sequence[Rows], values: Sequence[Rows], heads: int) -> Rows:
    """Mix values (…, width) by the attention of one position, head by head.

    Where all that is not a single row depends on one token, so does the result, and it stays a
    table.
    """
    if len(keys) == 1:
        return values[0]  # the softmax of one score is 1
    varying = [part.where for part in (query, *keys, *values) if not part.single]
    token = varying[0] if varying and all(where is varying[0] for where in varying) else None
    if token is not None:
        query, *others = (Rows(part.rows) for part in (query, *keys, *values))
        keys, values = others[: len(keys)], others[len(keys) :]
    scores = [_scores(query, key, heads) for key in keys]
    scale = (query.rows.shape[1] // heads) ** -0.5
    weights = torch.stack(torch.broadcast_tensors(*scores)).mul(scale).softmax(0)
    terms = [
        weight[..., None] * value.by_sample().unflatten(1, (heads, -1))
        for weight, value in zip(weights, values, strict=True)
    ]
    return Rows(torch.stack(terms).sum(0).flatten(1), token)


def _scores(query: Rows, key: Rows, heads: int) -> Tensor:
    """Products of queries and keys (batch, heads), or (1, heads) of single rows. Where they depend
    on one token, the scores are looked up, not the rows."""
    if not (query.where is key.where or query.single or key.single):
        query, key = Rows(query.by_sample()), Rows(key.by_sample())
    products = (query.rows * key.rows).unflatten(1, (heads, -1)).sum(-1)
    return Rows(products, query.where if key.where is None else key.where).by_sample()


def through(
    stream: Sequence[Rows],
    mixed: Sequence[Rows],
    out: nn.Linear,
    finished: Callable[[Tensor, Tensor], Tensor],
) -> list[Rows]:
    """Apply a block from the mixed values on, at the positions of `stream`.

    Args:
        stream: the residual stream before the block.
        mixed: values that the attention has mixed.
        out: projection of the attention's output.
        finished: the block's function of the residual stream and the attention's output, (n, width)
            each.
    """
    residual = [_residual(part, values) for part, values in zip(stream, mixed, strict=True)]
    x = finished(torch.cat(residual), out(torch.cat([values.rows for values in mixed])))
    parts = x.split([len(values.rows) for values in mixed])
    return [Rows(rows, values.where) for rows, values in zip(parts, mixed, strict=True)]


def _residual(part: Rows, values: Rows) -> Tensor:
    """Rows of the stream, one for each row of the mixed values."""
    if values.where is None:
        return part.by_sample().expand(len(values.rows), -1)
    return part.rows.expand(len(values.rows), -1) if part.single else part.rows
