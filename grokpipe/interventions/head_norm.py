"""The Frobenius norm of the head's weights W, bounded after each step (Han et al. 2025, released
code: the cap; the sphere is its control, on which the norm cannot move)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from grokpipe.config.fields import scientific
from grokpipe.config.schema import Config as CellConfig
from grokpipe.errors import InputError
from grokpipe.interventions import _span

CAP, SPHERE = "cap", "sphere"


@dataclass(frozen=True)
class Config(_span.Config):
    """Configuration of the bound."""

    head: str | None = scientific(choices=(CAP, SPHERE), neutral=None)
    """cap: W ← W·min(1, B/‖W‖); sphere: W ← W·B/‖W‖"""
    bound: float | None = scientific(above=0, per_cell=True, neutral=None)
    """B"""


def check(config: CellConfig) -> None:
    own = config.intervention
    if own.head is None:
        raise InputError(f"intervention.head=null: must be one of {CAP}, {SPHERE}")
    if own.until.release_head:
        raise InputError(
            "intervention.until.release_head=true: all that head_norm ends is the bound; "
            "must be false"
        )
    check_bound(own)


def check_bound(own: Config) -> None:
    """Raise InputError for a bound without its value, a value without its bound, or a span that
    contradicts itself."""
    if own.head is None and own.bound is not None:
        raise InputError(
            f"intervention.bound={own.bound:g}: has no effect with intervention.head=null; add "
            f"intervention.head={CAP} or {SPHERE}"
        )
    if own.head is not None and own.bound is None:
        raise InputError(f"intervention.bound=null: intervention.head={own.head} needs a norm, > 0")
    _span.check(own)


def bounded(weight: Tensor, bound: Tensor, sphere: bool) -> Tensor:
    """Scale weights (classes, d) to the Frobenius norm B = `bound`, (), or only if theirs is above
    it unless `sphere`. NaN leaves them unchanged."""
    # summed in two stages, since PyTorch 2.13 cannot compile the norm of a stack at once
    factor = bound / weight.square().sum(1).sum().sqrt()
    if not sphere:
        factor = factor.clamp(max=1)
    return weight * torch.where(bound.isnan(), 1.0, factor)


class Stacked(_span.Spanned):
    """Bounds the norm of the head's weights in the span."""

    stays = False
    """whether the bound stays when the span ends, unless it is released"""

    def __init__(self, configs: Sequence[CellConfig], shape: tuple[int, int], device: torch.device):
        super().__init__(configs, shape, device)
        own = configs[0].intervention
        self.form, self.released = own.head, own.until.release_head or not self.stays
        self._bounds: dict[tuple[bool, ...], Tensor] = {}

    @property
    def constrains(self) -> bool:
        return self.form is not None

    def bounds(self, step: int) -> list[Tensor]:
        if self.form is None:
            return []
        held = tuple(self.acts(step - 1) if self.released else self.begun(step - 1))
        if held not in self._bounds:  # sent to the device only when they change
            nan = torch.full((len(held),), torch.nan, dtype=self.dtype)
            own = torch.where(torch.tensor(held), self.per_cell("bound").cpu(), nan)
            self._bounds[held] = own.to(self.device)
        return [self._bounds[held]]

    def constrained(self, parameters: list[Tensor], *bounds: Tensor) -> list[Tensor]:
        if not bounds:
            return parameters
        at, sphere = self.names.index("head.weight"), self.form == SPHERE
        scaled = bounded(parameters[at], bounds[0], sphere)
        return [*parameters[:at], scaled, *parameters[at + 1 :]]
