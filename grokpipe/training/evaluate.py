"""One evaluation: a network and its task → one row of the curves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from grokpipe.config import registry
from grokpipe.config.schema import Config
from grokpipe.losses import PER_SAMPLE
from grokpipe.measures import Outputs, Snapshot, in_parts, largest
from grokpipe.randomness import generator
from grokpipe.tasks import Task
from grokpipe.training.tracing import Program

PROBE = 512  # samples that spectral measures see, as in Truong et al.
SLICE = 1000  # samples of one forward pass


@dataclass(frozen=True)
class Table:
    """What one network makes of the whole table, in the precision of training, on the CPU."""

    logits: Tensor
    """(n, classes)"""
    features: Tensor
    """(n, d)"""
    parameters: dict[str, Tensor]
    arrived: torch.cuda.Event | None
    """after which the tensors hold their values, if they come from a GPU"""


def forward(network: nn.Module, names: Sequence[str]) -> Program:
    """A function of one network's parameters in the order of `names` and inputs (n, …), that gives
    logits (n, classes) and features (n, d)."""

    def outputs(*arguments: Tensor) -> Sequence[Tensor]:
        *parameters, inputs = arguments
        found: Sequence[Tensor] = functional_call(
            network, dict(zip(names, parameters, strict=True)), (inputs,)
        )
        return found

    return outputs


def slices(inputs: Tensor) -> list[Tensor]:
    """`inputs` in slices of one size, so that the activations stay in the cache and one program
    serves them all; the last begins within the one before if they do not divide."""
    size = min(SLICE, len(inputs))
    rest = len(inputs) % size
    whole = inputs[: len(inputs) - rest].split(size)
    return [*whole, inputs[-size:]] if rest else [*whole]


@torch.no_grad()
def whole_table(program: Program, parameters: dict[str, Tensor], inputs: Tensor) -> Table:
    """All `inputs` in one pass of `program`, a `forward`. Waits for nothing: a GPU goes on with
    what is queued after it."""
    parts = [program(*parameters.values(), part) for part in slices(inputs)]
    if rest := len(inputs) % min(SLICE, len(inputs)):  # the rest is new to the last slice
        parts[-1] = [column[-rest:] for column in parts[-1]]
    logits, features = (torch.cat(column) for column in zip(*parts, strict=True))
    if not inputs.is_cuda:
        return Table(logits, features, {n: p.clone() for n, p in parameters.items()}, None)
    table = Table(
        logits.to("cpu", non_blocking=True),
        features.to("cpu", non_blocking=True),
        {name: p.to("cpu", non_blocking=True) for name, p in parameters.items()},
        torch.cuda.Event(),
    )
    assert table.arrived is not None
    table.arrived.record()
    return table


@dataclass(frozen=True)
class Evaluator:
    """Evaluates networks on one cell's task. Draws nothing after it is made."""

    task: Task
    loss: str
    measures: Sequence[Callable[[Snapshot], dict[str, float]]]
    train_probe: Tensor
    """(m,) positions within the training set"""
    test_probe: Tensor
    """(m,) positions within the test set"""

    @classmethod
    def of(cls, config: Config, task: Task) -> "Evaluator":
        """The probes are drawn from the generator of (seed, probe)."""
        draws = generator(config.seed, "probe")
        return cls(
            task=task,
            loss=config.loss,
            measures=[
                registry.module("measures", name, "measures.names").measure
                for name in config.measures.names
            ],
            train_probe=torch.randperm(len(task.train), generator=draws)[:PROBE],
            test_probe=torch.randperm(len(task.test), generator=draws)[:PROBE],
        )

    def row(self, table: Table) -> dict[str, float]:
        """Accuracies, mean losses and all measures of what a network made of the task."""
        if table.arrived is not None:
            table.arrived.synchronize()
        train = self._outputs(table, self.task.train)
        test = self._outputs(table, self.task.test)
        snapshot = Snapshot(
            train=train,
            test=test,
            train_probe=train.features[self.train_probe].double(),
            test_probe=test.features[self.test_probe].double(),
            parameters={name: p.double() for name, p in table.parameters.items()},
            classes=self.task.classes,
            loss=self.loss,
            train_probe_labels=train.labels[self.train_probe],
            exponents=self.task.exponents,
        )
        row = {
            "train_accuracy": _accuracy(train),
            "test_accuracy": _accuracy(test),
            "train_loss": _mean_loss(self.loss, train),
            "test_loss": _mean_loss(self.loss, test),
        }
        for measure in self.measures:
            row |= measure(snapshot)
        return row

    def _outputs(self, table: Table, rows: Tensor) -> Outputs:
        return Outputs(
            features=table.features.index_select(0, rows),
            logits=table.logits.index_select(0, rows),
            labels=self.task.labels[rows],
        )


def _accuracy(outputs: Outputs) -> float:
    return (largest(outputs.logits) == outputs.labels).double().mean().item()


def _mean_loss(loss: str, outputs: Outputs) -> float:
    losses = [
        PER_SAMPLE[loss](part, outputs.labels[rows]) for rows, part in in_parts(outputs.logits)
    ]
    return torch.cat(losses).mean().item()
