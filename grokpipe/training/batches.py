"""Batches of one cell: rows of its training set, drawn from its own generator."""

from typing import Any, Protocol

import torch
from torch import Tensor

from grokpipe.config.schema import Config
from grokpipe.randomness import generator


class Stream(Protocol):
    """Draws batches of fixed size; they do not depend on how steps are divided into calls."""

    def take(self, steps: int) -> Tensor:
        """Draw the rows of the next batches, (steps, batch) int64."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class Epochs:
    """Shuffled epochs without replacement.

    Epochs follow one another without a gap, so a batch may take the end of one and the start of
    the next; every sample is seen once an epoch and every batch has the same size.
    """

    def __init__(self, rows: Tensor, batch_size: int, draws: torch.Generator):
        self.rows = rows
        self.batch_size = batch_size
        self.draws = draws
        self.pending = rows[:0]

    def take(self, steps: int) -> Tensor:
        while len(self.pending) < steps * self.batch_size:
            order = torch.randperm(len(self.rows), generator=self.draws)
            self.pending = torch.cat([self.pending, self.rows[order]])
        taken = self.pending[: steps * self.batch_size]
        self.pending = self.pending[steps * self.batch_size :]
        return taken.view(steps, self.batch_size)

    def state_dict(self) -> dict[str, Any]:
        return {"draws": self.draws.get_state(), "pending": self.pending.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.draws.set_state(state["draws"])
        self.pending = state["pending"]


class Replacement:
    """Draws every sample of every batch anew from the whole training set."""

    def __init__(self, rows: Tensor, batch_size: int, draws: torch.Generator):
        self.rows = rows
        self.batch_size = batch_size
        self.draws = draws

    def take(self, steps: int) -> Tensor:
        drawn = torch.randint(len(self.rows), (steps, self.batch_size), generator=self.draws)
        return self.rows[drawn]

    def state_dict(self) -> dict[str, Any]:
        return {"draws": self.draws.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.draws.set_state(state["draws"])


class Full:
    """Gives the whole training set in every step."""

    def __init__(self, rows: Tensor):
        self.rows = rows

    def take(self, steps: int) -> Tensor:
        return self.rows.expand(steps, -1)

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass


def stream(config: Config, rows: Tensor) -> Stream:
    """Build the stream of a cell with training set `rows`, drawn from (seed, batch)."""
    if config.batches == "full":
        return Full(rows)
    assert config.batch_size is not None
    kind = Epochs if config.batches == "epochs" else Replacement
    return kind(rows, config.batch_size, generator(config.seed, "batch"))
