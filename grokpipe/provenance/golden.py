"""The golden run: a few steps of a canonical cell, from which fingerprints are taken."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from grokpipe.cell import Cell
from grokpipe.config import registry
from grokpipe.config.schema import Config
from grokpipe.tasks import Task
from grokpipe.training.evaluate import Evaluator
from grokpipe.training.pack import Pack

STEPS = 4
ROWS = 2000  # rows of each set: few enough to take a second, enough that every class occurs


def columns_added_later(measures: Sequence[str]) -> set[str]:
    """Columns of these measures that were added after the measure's first release."""
    modules = (registry.module("measures", name, "measures.names") for name in measures)
    return {column for module in modules for column in getattr(module, "ADDED", {})}


@dataclass(frozen=True, eq=False)
class Excerpt(Cell):
    """A cell on at most the first 2,000 rows of either set, with images in float64."""

    @property
    def task(self) -> Task:
        """The excerpt of the cell's data."""
        whole = super().task
        train, test = whole.train[:ROWS], whole.test[:ROWS]
        rows = torch.cat([train, test])
        inputs, places = whole.inputs[rows], torch.arange(len(rows))
        return replace(
            whole,
            inputs=inputs.double() if inputs.is_floating_point() else inputs,
            labels=whole.labels[rows],
            train=places[: len(train)],
            test=places[len(train) :],
        )


def evaluations(config: Config) -> list[dict[str, float]]:
    """Evaluate the cell before its first step and after its fourth.

    Computed in float64 on the CPU, not compiled: processors and libraries then agree to about
    twelve digits, which they do not in float32. Weights, split and batches are drawn as in
    training. Raises InputError if configuration and data do not fit, or the data are not available.
    """
    cell = Excerpt.of(config)
    batch_size = config.batch_size and min(config.batch_size, len(cell.task.train))
    pack = Pack([replace(cell, config=replace(config, batch_size=batch_size))])
    state = pack.state_dict()
    for name in {"parameters", "buffers"} & state.keys():  # the optimiser's state follows
        state[name] = {
            n: t.double() if t.is_floating_point() else t for n, t in state[name].items()
        }
    pack.load_state_dict(state)
    evaluator = Evaluator.of(config, pack.tasks[0])
    first = evaluator.row(pack.outputs(0))
    pack.advance(STEPS)
    return [first, evaluator.row(pack.outputs(0))]
