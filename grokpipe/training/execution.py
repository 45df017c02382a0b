"""How a pack's steps are computed: chosen at its first training, and fixed with the pack."""

from collections.abc import Mapping
from dataclasses import dataclass, field

LOCKSTEP, TURNS = "lockstep", "turns"


@dataclass(frozen=True)
class Execution:
    """How a pack's steps are computed. Results differ by rounding only."""

    order: str = LOCKSTEP
    """lockstep: one stack of all cells, which step together; turns: one cell makes many steps, then
    the next, so that its weights and moments stay in the processor's cache"""
    compiled: bool = False
    """whether the step is compiled"""
    products: Mapping[str, str] = field(default_factory=dict)
    """library of matrix products by their shape, where it is not PyTorch's default"""
