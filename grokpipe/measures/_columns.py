"""The columns of the curves that a run logs, known before it trains."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import torch

from grokpipe.config import registry
from grokpipe.measures import Outputs, Snapshot, weights
from grokpipe.measures._checks import checked

ALWAYS = ("train_accuracy", "test_accuracy", "train_loss", "test_loss")


def columns(
    names: Sequence[str], classes: int, positions: int = 1, hidden: int = weights.DEPTH
) -> list[str]:
    """The columns of a run with these measures, in the order of its curves, without `step`.

    Args:
        names: of the measures.
        classes: of the task.
        positions: of the task that are supervised.
        hidden: number of fully connected hidden layers (`weights.depth`), of which some measures
            have a column each; by default as many as no network has.
    """
    own = classes, positions, hidden
    return [*ALWAYS, *(column for name in names for column in _of_measure(name, *own))]


def measuring(
    column: str, classes: int, positions: int = 1, hidden: int = weights.DEPTH
) -> str | None:
    """The measure that logs a column, or None. Arguments as of `columns`."""
    names = [name for name, _ in registry.modules("measures", "measures.names")]
    own = classes, positions, hidden
    return next((name for name in names if column in _of_measure(name, *own)), None)


@lru_cache
def _of_measure(name: str, classes: int, positions: int, hidden: int) -> tuple[str, ...]:
    """Column names of a measure, found by applying the measure to a small random network."""
    draws = torch.Generator().manual_seed(0)
    features = torch.randn(4 * classes, 4, generator=draws)
    head = torch.randn(classes, 4, generator=draws)
    labels = torch.arange(4 * classes) % classes
    outputs = Outputs(features, features @ head.T, labels)
    outputs = replace(outputs, further=(outputs,) * (positions - 1))
    snapshot = Snapshot(
        train=outputs,
        test=outputs,
        train_probe=features.double(),
        test_probe=features.double(),
        parameters={
            **{f"hidden.{n}.weight": torch.eye(4).double() for n in range(hidden)},
            "head.weight": head.double(),
            "head.bias": torch.zeros(classes).double(),
        },
        classes=classes,
        loss="cross_entropy",
        train_probe_labels=labels,
    )
    measure = registry.module("measures", name, "measures.names").measure
    return tuple(checked(measure(snapshot), name))
