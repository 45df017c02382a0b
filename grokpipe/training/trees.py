"""Nested lists and dictionaries of tensors with a leading cell axis: states of packs."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def select(tree: Any, rows: int | Sequence[int], device: str | None = None) -> Any:
    """Copy rows of every tensor, to `device` if given."""
    if isinstance(tree, Tensor):
        return tree[rows].clone().to(device or tree.device)
    if isinstance(tree, dict):
        return {name: select(value, rows, device) for name, value in tree.items()}
    return [select(value, rows, device) for value in tree]


def stack(trees: Sequence[Any]) -> Any:
    """Stack the tensors of trees of one structure, the inverse of `select` of each row."""
    return _joined(torch.stack, trees)


def concatenate(trees: Sequence[Any]) -> Any:
    """Concatenate the tensors of trees of one structure along the cell axis."""
    return trees[0] if len(trees) == 1 else _joined(torch.cat, trees)


def _joined(join: Any, trees: Sequence[Any]) -> Any:
    first = trees[0]
    if isinstance(first, Tensor):
        return join([*trees])
    if isinstance(first, dict):
        return {name: _joined(join, [tree[name] for tree in trees]) for name in first}
    return [_joined(join, members) for members in zip(*trees, strict=True)]
