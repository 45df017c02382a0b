"""Attention on rows by token against attention on rows by sample."""

import itertools

import pytest
import torch
from torch import Tensor, nn

from grokpipe.archs._rows import Rows, attended, through

BATCH, TOKENS, WIDTH, HEADS = 9, 4, 6, 2
KINDS = {"single": 1, "a": TOKENS, "b": TOKENS, "sample": BATCH}


def rows_of(kind: str, wheres: dict[str, Tensor], draws: torch.Generator) -> Rows:
    rows = torch.randn(KINDS[kind], WIDTH, generator=draws, dtype=torch.float64)
    return Rows(rows, wheres.get(kind))


def written_out(query: Tensor, keys: list[Tensor], values: list[Tensor]) -> Tensor:
    """One sample's attention, head by head."""
    mixed = []
    for head in range(HEADS):
        own = slice(head * WIDTH // HEADS, (head + 1) * WIDTH // HEADS)
        scores = torch.stack([query[own] @ key[own] for key in keys]) / (WIDTH / HEADS) ** 0.5
        mixed.append(scores.softmax(0) @ torch.stack([value[own] for value in values]))
    return torch.cat(mixed)


@pytest.mark.parametrize("kinds", [*itertools.product(KINDS, repeat=3)], ids="-".join)
def test_attention_is_that_of_samples(kinds: tuple[str, ...]) -> None:
    """Whatever the query and both keys depend on; a table only where one token decides."""
    draws = torch.Generator().manual_seed(0)
    wheres = {name: torch.randint(TOKENS, (BATCH,), generator=draws) for name in "ab"}
    query, *keys = (rows_of(kind, wheres, draws) for kind in kinds)
    values = [rows_of(kind, wheres, draws) for kind in kinds[1:]]
    found = attended(query, keys, values, HEADS)
    varying = set(kinds) - {"single"}
    tables = varying in ({"a"}, {"b"})
    assert len(found.rows) == (TOKENS if tables else BATCH if varying else 1)
    assert found.where is (wheres[kinds_token(varying)] if tables else None)
    by_sample = [part.by_sample().expand(BATCH, -1) for part in (query, *keys, *values)]
    for i, row in enumerate(found.by_sample().expand(BATCH, -1)):
        q, *others = (part[i] for part in by_sample)
        torch.testing.assert_close(row, written_out(q, others[:2], others[2:]))


def kinds_token(varying: set[str]) -> str:
    (name,) = varying
    return name


def test_a_block_keeps_what_the_mixed_values_are() -> None:
    draws = torch.Generator().manual_seed(1)
    where = {"a": torch.randint(TOKENS, (BATCH,), generator=draws)}
    stream = [rows_of(kind, where, draws) for kind in ("single", "a", "single", "a", "sample")]
    mixed = [rows_of(kind, where, draws) for kind in ("single", "a", "a", "sample", "sample")]
    out = nn.Linear(WIDTH, WIDTH, bias=False).double()
    found = through(stream, mixed, out, lambda x, attention: x + 2 * attention)
    assert [len(part.rows) for part in found] == [1, TOKENS, TOKENS, BATCH, BATCH]
    for part, before, values in zip(found, stream, mixed, strict=True):
        expected = before.by_sample() + 2 * values.by_sample() @ out.weight.T
        torch.testing.assert_close(part.by_sample(), expected.expand_as(part.by_sample()))
