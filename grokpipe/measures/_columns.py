"""The columns of the curves that a run logs, known before it trains."""

from collections.abc import Sequence
from functools import lru_cache

import torch

from grokpipe.config import registry
from grokpipe.measures import Outputs, Snapshot, weights
from grokpipe.measures._checks import checked

ALWAYS = ("train_accuracy", "test_accuracy", "train_loss", "test_loss")


def columns(names: Sequence[str]) -> list[str]:
    """The columns of a run with these measures, in the order of its curves, without `step`."""
    return [*ALWAYS, *(column for name in names for column in _of_measure(name))]


def measuring(column: str) -> str | None:
    """The measure that logs a column, or None."""
    names = [name for name, _ in registry.modules("measures", "measures.names")]
    return next((name for name in names if column in _of_measure(name)), None)


@lru_cache
def _of_measure(name: str) -> tuple[str, ...]:
    """Column names of a measure, found by applying the measure to a small random network."""
    draws = torch.Generator().manual_seed(0)
    features = torch.randn(12, 4, generator=draws)
    head = torch.randn(3, 4, generator=draws)
    labels = torch.arange(12) % 3
    outputs = Outputs(features, features @ head.T, labels)
    snapshot = Snapshot(
        train=outputs,
        test=outputs,
        train_probe=features.double(),
        test_probe=features.double(),
        parameters={
            **{f"hidden.{n}.weight": torch.eye(4).double() for n in range(weights.DEPTH)},
            "head.weight": head.double(),
            "head.bias": torch.zeros(3).double(),
        },
        classes=3,
        loss="cross_entropy",
        train_probe_labels=labels,
    )
    measure = registry.module("measures", name, "measures.names").measure
    return tuple(checked(measure(snapshot), name))
