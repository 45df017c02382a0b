"""One evaluation: a network and its task → one row of the curves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from grokpipe import rooms
from grokpipe.config import Config
from grokpipe.losses import PER_SAMPLE
from grokpipe.measures import Outputs, Snapshot
from grokpipe.randomness import generator
from grokpipe.tasks import Task

PROBE = 512  # samples that spectral measures see, as in Truong et al.
SLICE = 1000  # samples of one forward pass


def evaluation_steps(schedule: str, every: int | None, steps: int) -> list[int]:
    """The steps at which a run is evaluated, ascending; `steps` is always the last.

    `published`: every step below 30, every 10 below 150, then every steps // 150 (Sakamoto & Sato,
    released code: 192 points for 100,000 steps, before the last); a run below 150 steps has no
    third part. `regular`: every `every` steps, from 0 on.
    """
    if schedule == "published":
        points = {*range(min(30, steps)), *range(30, min(150, steps), 10)}
        if steps >= 150:
            points |= {step for step in range(0, steps, steps // 150) if step >= 150}
    else:
        assert every is not None
        points = set(range(0, steps, every))
    return sorted(points | {steps})


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
                rooms.module("measures", name, "measures.names").measure
                for name in config.measures.names
            ],
            train_probe=torch.randperm(len(task.train), generator=draws)[:PROBE],
            test_probe=torch.randperm(len(task.test), generator=draws)[:PROBE],
        )

    @torch.no_grad()
    def row(self, network: nn.Module) -> dict[str, float]:
        """Accuracies, mean losses and all measures of `network` now."""
        # One pass over the table, in slices so that the activations stay in the cache.
        parts = [network(part) for part in self.task.inputs.split(SLICE)]
        logits, features = (torch.cat(column) for column in zip(*parts, strict=True))
        train = self._outputs(logits, features, self.task.train)
        test = self._outputs(logits, features, self.task.test)
        snapshot = Snapshot(
            train=train,
            test=test,
            train_probe=train.features[self.train_probe].double(),
            test_probe=test.features[self.test_probe].double(),
            parameters={name: p.double() for name, p in network.named_parameters()},
            classes=self.task.classes,
            loss=self.loss,
        )
        row = {
            "train_accuracy": _accuracy(train),
            "test_accuracy": _accuracy(test),
            "train_loss": PER_SAMPLE[self.loss](train.logits, train.labels).mean().item(),
            "test_loss": PER_SAMPLE[self.loss](test.logits, test.labels).mean().item(),
        }
        for measure in self.measures:
            row |= measure(snapshot)
        return row

    def _outputs(self, logits: Tensor, features: Tensor, rows: Tensor) -> Outputs:
        return Outputs(
            features=features.index_select(0, rows),
            logits=logits.index_select(0, rows).double(),
            labels=self.task.labels[rows],
        )


def _accuracy(outputs: Outputs) -> float:
    return (outputs.logits.argmax(1) == outputs.labels).double().mean().item()
