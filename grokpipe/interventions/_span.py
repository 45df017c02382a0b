"""The steps in which an intervention acts: from a step or an event on, until another, with at most
one more change there, so that what follows has one cause."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from grokpipe.config.fields import scientific
from grokpipe.config.schema import Config as CellConfig
from grokpipe.errors import InputError
from grokpipe.interventions import Plain
from grokpipe.interventions._moment import Moment, check_event


@dataclass
class Until:
    """The end of an intervention, and what else changes then."""

    step: int | None = scientific(at_least=1, per_cell=True, neutral=None)
    """the optimiser step after which it acts no more; null: it ends at an event, or never"""
    event: str | None = scientific(event=True, neutral=None)
    """the event, or the condition; it ends at the evaluation after the one that shows it"""
    lr_factor: float | None = scientific(above=0, per_cell=True, neutral=None)
    """factor on the learning rate from then on; null: none"""
    weight_decay: float | None = scientific(at_least=0, per_cell=True, neutral=None)
    """λ from then on; null: as before"""
    release_head: bool = scientific(neutral=False)
    """the bound on the head's norm ends too; else it stays"""

    @property
    def changes(self) -> list[str]:
        """Names of the further changes that are set; a decay of 0 is one."""
        names = ("lr_factor", "weight_decay", "release_head")
        return [n for n in names if (v := getattr(self, n)) is not None and v is not False]


@dataclass(frozen=True)
class Config:
    """Configuration of an intervention that acts in a span of steps."""

    name: str = scientific()
    from_step: int | None = scientific(at_least=1, per_cell=True, neutral=None)
    """the optimiser step after which it acts; null: from an event or from the start on"""
    from_event: str | None = scientific(event=True, neutral=None)
    """the event, or the condition ("train_accuracy>=0.9"): it acts from the evaluation after the
    one that shows it; null: from a step or from the start on"""
    until: Until = field(default_factory=Until)
    """when it ends"""


def check(own: Config) -> None:
    """Raise InputError for a span that contradicts itself."""
    until = own.until
    for keys, step, event in (
        ("intervention.from_", own.from_step, own.from_event),
        ("intervention.until.", until.step, until.event),
    ):
        if step is not None and event is not None:
            raise InputError(
                f"{keys}step={step}: contradicts {keys}event={event}; one must be null"
            )
        check_event(f"{keys}event", event)
    if until.step is not None and until.step <= (own.from_step or 0):
        raise InputError(
            f"intervention.until.step={until.step}: must be > intervention.from_step="
            f"{own.from_step}"
        )
    if until.event is not None and until.event == own.from_event:
        raise InputError(
            f"intervention.until.event={until.event}: must differ from intervention.from_event"
        )
    changes = [f"intervention.until.{name}={shown(getattr(until, name))}" for name in until.changes]
    if changes and until.step is None and until.event is None:
        raise InputError(
            f"{changes[0]}: nothing ends at which it could change; set intervention.until.step or "
            "intervention.until.event"
        )
    if len(changes) > 1:
        raise InputError(f"{changes[0]}: {' and '.join(changes[1:])} too; one change at a time")


def shown(value: object) -> str:
    """A value as a user writes it."""
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


class Spanned(Plain):
    """An intervention that acts in a span of steps, for each cell its own."""

    def __init__(self, configs: Sequence[CellConfig], shape: tuple[int, int], device: torch.device):
        super().__init__(configs, shape, device)
        own: list[Config] = [config.intervention for config in configs]
        until = self.until = [one.until for one in own]
        self.begin = Moment("intervention.from_", [one.from_step for one in own], own[0].from_event)
        self.end = Moment("intervention.until.", [one.step for one in until], until[0].event)

    def begun(self, step: int) -> list[bool]:
        """Whether each cell's span has begun in the step after number `step`."""
        own = zip(self.begin.steps, self.begin.past(step), strict=True)
        return [past or (at is None and self.begin.event is None) for at, past in own]

    def acts(self, step: int) -> list[bool]:
        """Whether the step after number `step` lies in each cell's span."""
        both = zip(self.begun(step), self.end.past(step), strict=True)
        return [begun and not ended for begun, ended in both]

    def rates(self, lr: Tensor, weight_decay: Tensor, step: int) -> tuple[Tensor, Tensor]:
        if not any(until.changes for until in self.until):
            return lr, weight_decay
        nan = float("nan")
        ended = torch.tensor([self.end.past(at) for at in range(step, step + len(lr))])
        factor = [1.0 if own.lr_factor is None else own.lr_factor for own in self.until]
        decay = [nan if own.weight_decay is None else own.weight_decay for own in self.until]
        after = torch.tensor([factor, decay], dtype=torch.float64)
        return (
            torch.where(ended, lr * after[0], lr),
            torch.where(ended & ~after[1].isnan(), after[1], weight_decay),
        )

    def observe(self, cell: int, row: dict[str, float]) -> None:
        self.begin.observe(cell, row)
        self.end.observe(cell, row)

    def apply(self, parameters: Sequence[Tensor]) -> None:
        self.begin.apply()
        self.end.apply()

    def awaited(self, cell: int, step: int) -> list[str]:
        return [*self.begin.awaited(cell, step), *self.end.awaited(cell, step)]

    def state_dict(self) -> dict[str, Any]:
        moments = {"from": self.begin, "until": self.end}
        return {name: own.state_dict() for name, own in moments.items() if own.event is not None}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, moment in (("from", self.begin), ("until", self.end)):
            if name in state:
                moment.load_state_dict(state[name])
