"""Optimisers over a stack of cells, each cell with its own coefficients.

A module here has a dataclass `Config` (its first field `name`) and a class `Stacked(configs,
parameters)` with `step(gradients)`, `state_dict()`, which holds only tensors with a leading cell
axis, and `load_state_dict(state)`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor


def by_config(configs: Sequence[Any]) -> Iterator[tuple[Any, list[int]]]:
    """Yield each distinct configuration with the indices of its cells."""
    cells: dict[str, list[int]] = {}
    for cell, config in enumerate(configs):
        cells.setdefault(repr(config), []).append(cell)
    for members in cells.values():
        yield configs[members[0]], members


def slices(stack: Sequence[Tensor], cells: Sequence[int]) -> list[Tensor]:
    """Views of the given cells' rows of each tensor (cell, …), one cell after the other."""
    rows = [tensor.unbind() for tensor in stack]
    return [tensor[cell] for cell in cells for tensor in rows]
