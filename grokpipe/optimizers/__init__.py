"""Optimisers over a stack of cells, each cell with its own coefficients.

A module here has a dataclass `Config` (its first field `name`) and a class `Stacked(configs,
parameters)` with `step(gradients)`, `state_dict()`, which holds only tensors with a leading cell
axis, and `load_state_dict(state)`.

A step is compiled as a whole, the optimiser's update with it, where `Stacked` also has

- `state`: a list of parts, each with a tensor (cell, …) for every parameter; `state_dict` has them;
- `update(parameter, gradient, state, coefficients)`, a pure function of one tensor of one cell that
  returns the new parameter and its new parts of the state;
- `coefficients(steps)`: those of the next `steps` updates, (steps, cell, k), in the precision of
  the parameters; they are inputs of the compiled step, so that rates may change from step to step;
- `advanced(steps)`, which is told that so many such updates were made.
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


def sent(rows: Tensor, like: Tensor) -> Tensor:
    """Send numbers from the CPU to the device and precision of `like`, without waiting for it."""
    rows = rows.to(like.dtype)
    return rows.pin_memory().to(like.device, non_blocking=True) if like.is_cuda else rows


def slices(stack: Sequence[Tensor], cells: Sequence[int]) -> list[Tensor]:
    """Views of the given cells' rows of each tensor (cell, …), one cell after the other."""
    rows = [tensor.unbind() for tensor in stack]
    return [tensor[cell] for cell in cells for tensor in rows]
