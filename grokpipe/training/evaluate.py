"""Evaluate one network on its task: one row of the curves."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.func import functional_call

from grokpipe.config import registry
from grokpipe.config.schema import Config
from grokpipe.losses import PER_SAMPLE
from grokpipe.measures import Inputs, Outputs, Snapshot, in_parts
from grokpipe.measures._checks import checked
from grokpipe.randomness import generator
from grokpipe.schedule import evaluation_steps, snapshot_count, sparse_steps
from grokpipe.tasks import Task
from grokpipe.training.programs.tracing import Program

PROBE = 512  # samples that spectral measures use, as in Truong et al.
SLICE = 1000  # most samples of a forward pass
STEP = 16  # single-precision numbers in a vector register


@dataclass(frozen=True)
class NetworkOutputs:
    """Logits and features of one network on the full data set, in training precision.

    The tensors lie on the CPU.
    """

    logits: Tensor
    """(n, classes); or (n, positions, classes), as of features"""
    features: Tensor
    """(n, d)"""
    parameters: dict[str, Tensor]
    arrived: torch.cuda.Event | None
    """event after which the copies from a GPU are complete; None on a CPU"""
    buffers: dict[str, Tensor] = field(default_factory=dict)
    """what the network holds beside its parameters, such as running statistics of batch norm"""

    @property
    def state(self) -> dict[str, Tensor]:
        """Parameters and buffers by name, as the module's own `state_dict` has them."""
        return {**self.parameters, **self.buffers}


def forward(network: nn.Module, names: Sequence[str]) -> Program:
    """Build a function of one network's parameters and buffers, in the order of `names`, and inputs
    (n, …).

    It returns logits (n, …, classes) and features (n, …, d), computed in evaluation mode.
    """

    def outputs(*arguments: Tensor) -> Sequence[Tensor]:
        *tensors, inputs = arguments
        network.eval()
        result: Sequence[Tensor] = functional_call(
            network, dict(zip(names, tensors, strict=True)), (inputs,)
        )
        return result

    return outputs


def slices(inputs: Tensor) -> list[Tensor]:
    """Cut `inputs` into as few slices as possible of one size, at most SLICE.

    Activations then stay in the cache, and one traced program fits all slices. If the size does not
    divide, the last slice overlaps the one before.
    """
    size = _slice_size(len(inputs))
    whole, rest = inputs[: len(inputs) // size * size], len(inputs) % size
    return [*whole.split(size), inputs[-size:]] if rest else [*whole.split(size)]


def _slice_size(rows: int) -> int:
    """Rows of each slice: those of even slices, rounded up to a multiple of STEP where one fits."""
    even = -(-rows // -(-rows // SLICE))
    return min(rows, SLICE, -(-even // STEP) * STEP)


@torch.no_grad()
def network_outputs(
    program: Program,
    parameters: dict[str, Tensor],
    inputs: Tensor,
    buffers: Mapping[str, Tensor] | None = None,
) -> NetworkOutputs:
    """Run `program`, built by `forward`, on all `inputs`. On a GPU the call does not wait."""
    buffers = buffers or {}
    parts = [program(*parameters.values(), *buffers.values(), part) for part in slices(inputs)]
    if rest := len(inputs) % _slice_size(len(inputs)):  # drop what the last slice repeats
        parts[-1] = [column[-rest:] for column in parts[-1]]
    logits, features = (torch.cat(column) for column in zip(*parts, strict=True))
    if not inputs.is_cuda:
        own, others = ({n: t.clone() for n, t in ts.items()} for ts in (parameters, buffers))
        return NetworkOutputs(logits, features, own, None, others)
    outputs = NetworkOutputs(
        logits.to("cpu", non_blocking=True),
        features.to("cpu", non_blocking=True),
        {name: p.to("cpu", non_blocking=True) for name, p in parameters.items()},
        torch.cuda.Event(),
        {name: b.to("cpu", non_blocking=True) for name, b in buffers.items()},
    )
    assert outputs.arrived is not None
    outputs.arrived.record()
    return outputs


class InFloat64(Mapping[str, Tensor]):
    """Tensors by name, each converted to float64 when it is first read."""

    def __init__(self, tensors: Mapping[str, Tensor]):
        self._tensors = tensors
        self._converted: dict[str, Tensor] = {}

    def __getitem__(self, name: str) -> Tensor:
        if name not in self._converted:
            self._converted[name] = self._tensors[name].double()
        return self._converted[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)


@dataclass(frozen=True)
class Evaluator:
    """Evaluates networks on one cell's task. Draws random numbers at construction only."""

    task: Task
    loss: str
    measures: Mapping[str, Callable[[Snapshot], dict[str, float]]]
    """by name, in the order of their columns"""
    train_probe: Tensor
    """(m,) positions within the training set"""
    test_probe: Tensor
    """(m,) positions within the test set"""
    inputs: Inputs
    network: nn.Module | None = None
    """the plain module, on the meta device"""
    sparse: Mapping[str, Set[int]] = field(default_factory=dict)
    """steps of the evaluations at which a measure is taken, for those not taken at all"""

    @classmethod
    def of(cls, config: Config, task: Task) -> "Evaluator":
        """Build the evaluator of a cell; its probes are drawn from (seed, probe)."""
        draws = generator(config.seed, "probe")
        return cls(
            task=task,
            loss=config.loss,
            measures={
                name: registry.module("measures", name, "measures.names").measure
                for name in config.measures.all
            },
            train_probe=torch.randperm(len(task.train), generator=draws)[:PROBE],
            test_probe=torch.randperm(len(task.test), generator=draws)[:PROBE],
            inputs=Inputs(task.inputs, task.test, task.train),
            network=plain_network(config, task),
            sparse=dict.fromkeys(config.measures.sparse or [], sparse_evaluations(config)),
        )

    def row(self, outputs: NetworkOutputs, step: int | None = None) -> dict[str, float]:
        """Compute accuracies, mean losses and measures from a network's outputs.

        The row lacks the columns of sparse measures that are not due at `step`; None: all are.
        """
        snapshot = self.snapshot(outputs)
        row = {
            "train_accuracy": _accuracy(snapshot.train),
            "test_accuracy": _accuracy(snapshot.test),
            "train_loss": self._train_loss(snapshot),
            "test_loss": _mean_loss(self.loss, snapshot.test),
        }
        for name, measure in self.measures.items():
            if step is not None and step not in self.sparse.get(name, (step,)):
                continue
            row |= checked(measure(snapshot), name, row)
        return row

    def snapshot(self, outputs: NetworkOutputs) -> Snapshot:
        """Gather what measures read from a network's outputs, once these have arrived."""
        if outputs.arrived is not None:
            outputs.arrived.synchronize()
        train = self._select(outputs, self.task.train)
        test = self._select(outputs, self.task.test)
        return Snapshot(
            train=train,
            test=test,
            train_probe=train.features[self.train_probe].double(),
            test_probe=test.features[self.test_probe].double(),
            parameters=InFloat64(outputs.parameters),
            classes=self.task.classes,
            loss=self.loss,
            train_probe_labels=train.labels[self.train_probe],
            exponents=self.task.exponents,
            inputs=self.inputs,
            network=self.network,
            buffers=InFloat64(outputs.buffers),
        )

    def _train_loss(self, snapshot: Snapshot) -> float:
        if self.loss == "squared_error":
            return _mean_loss(self.loss, snapshot.train)
        # the negative logarithm of a probability, which measures read as well
        own = snapshot.log_probabilities.gather(1, snapshot.train.labels[:, None])
        losses = [own.neg().mean().item()]
        losses += [_position_loss(self.loss, outputs) for outputs in snapshot.train.further]
        return sum(losses) / len(losses)

    def _select(self, outputs: NetworkOutputs, rows: Tensor) -> Outputs:
        features = outputs.features.index_select(0, rows)
        logits = outputs.logits.index_select(0, rows)
        labels = self.task.labels[rows]
        if labels.dim() == 1:
            return Outputs(features, logits, labels)
        answer, *further = (
            Outputs(z.contiguous(), own.contiguous(), targets.contiguous())
            for z, own, targets in zip(
                features.unbind(1), logits.unbind(1), labels.unbind(1), strict=True
            )
        )
        return replace(answer, further=tuple(further))


def plain_network(config: Config, task: Task) -> nn.Module:
    """Build the plain module of a cell on the meta device: it takes its numbers from elsewhere."""
    with torch.device("meta"):
        network: nn.Module = registry.module("archs", config.arch.name, "arch").build(
            config.arch, task
        )
    return network


def sparse_evaluations(config: Config) -> frozenset[int]:
    """Steps of the evaluations at which sparse measures are taken."""
    if config.measures.sparse_at is None:
        return frozenset()
    own = config.eval
    return frozenset(
        sparse_steps(
            snapshot_count(config.measures.sparse_at, "measures.sparse_at"),
            evaluation_steps(own.schedule, own.every, config.steps, own.budget),
            own.budget or config.steps,
        )
    )


def _accuracy(outputs: Outputs) -> float:
    """Share of samples that are right at every supervised position."""
    right = [of.predictions == of.labels for of in outputs.positions]
    return torch.stack(right).all(0).double().mean().item()


def _mean_loss(loss: str, outputs: Outputs) -> float:
    """Mean loss over samples and supervised positions."""
    losses = [_position_loss(loss, of) for of in outputs.positions]
    return sum(losses) / len(losses)


def _position_loss(loss: str, outputs: Outputs) -> float:
    losses = [
        PER_SAMPLE[loss](part, outputs.labels[rows]) for rows, part in in_parts(outputs.logits)
    ]
    return torch.cat(losses).mean().item()
