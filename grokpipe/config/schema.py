"""The schema of a cell's configuration.

The values are in conf/. The schema of each group (task, arch, optimizer, intervention) is beside
its code: the dataclass `Config` of `grokpipe/<group>s/<name>.py`.
"""

from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from grokpipe.config.fields import leaves, operational, scientific

GROUPS = {
    "task": "tasks",
    "arch": "archs",
    "optimizer": "optimizers",
    "intervention": "interventions",
}


@dataclass
class MeasuresConfig:
    """Which measures are logged."""

    names: list[str] = scientific()
    """modules of grokpipe/measures to compute at every evaluation, in the order of their columns"""
    sparse: list[str] | None = scientific(neutral=None)
    """further ones, too slow for every evaluation; null: none"""
    sparse_at: str | None = scientific(neutral=None)
    """log:N computes these at N evaluations, evenly spaced on a logarithmic scale of steps; null:
    log:64 if there are any"""

    @property
    def all(self) -> list[str]:
        """Names of all measures: those of every evaluation first."""
        return [*self.names, *(self.sparse or [])]


@dataclass
class EvalConfig:
    """When the network is evaluated."""

    schedule: str = scientific(choices=("published", "regular"))
    """published: every step below 30, every 10 below 150, then every budget // 150 (Sakamoto &
    Sato); regular: every `every` steps. The last step is always evaluated."""
    every: int | None = scientific(at_least=1)
    """steps between evaluations; for `regular` only, null otherwise"""
    budget: int | None = scientific(at_least=150, neutral=None)
    """what `published` divides by 150; null: `steps`. With the steps of a shorter run, a longer one
    keeps its evaluations"""


@dataclass
class StopConfig:
    """Early stopping: which event ends a cell, and how long after it."""

    event: str | None = scientific(event=True, neutral=None)
    """the event (grokpipe/curves/definitions.py), or the condition ("test_accuracy>=0.9"), after
    which a cell ends before its budget; null: none. One rule for all cells of an experiment, whose
    runs are compared"""
    sustained: int | None = scientific(at_least=1, neutral=None)
    """evaluations in a row that must show it; null: 1 if there is an event"""
    margin: int | None = scientific(at_least=0, neutral=None)
    """steps from the first of them to the end; null: 0 if there is an event"""


@dataclass
class CheckpointConfig:
    """How often a checkpoint is written."""

    every: float = operational(above=0)
    """seconds of wall time between checkpoints"""


@dataclass
class SaveConfig:
    """What is kept of a finished cell."""

    final: bool = operational()
    """write final.pt: parameters, optimiser state and generators after the last step"""


@dataclass
class PackConfig:
    """How many cells train together."""

    width: int | None = operational(at_least=1)
    """largest number of cells trained together; null: chosen by device and memory"""


@dataclass
class LogConfig:
    """What is written beside the run logs while cells train."""

    tensorboard: bool = operational(neutral=False)
    """event files for TensorBoard in <name>/tensorboard/, a folder for each cell"""


@dataclass
class Config:
    """One cell and how to run it."""

    task: Any = None
    """group: the data and its split"""
    arch: Any = None
    """group: the network"""
    optimizer: Any = None
    """group: the update rule"""
    intervention: Any = None
    """group: a change to representation, loss or weights during training"""
    measures: MeasuresConfig = field(default_factory=MeasuresConfig)
    """group: what is logged besides losses and accuracies"""
    seed: int = scientific(at_least=0, below=2**63, per_cell=True)
    """seed of every generator of the cell; equal seeds share split, initial weights and batches"""
    weight_decay: float = scientific(at_least=0, per_cell=True, shared_default=True)
    """weight decay λ"""
    lr: float = scientific(above=0, per_cell=True, shared_default=True)
    """learning rate η"""
    lr_warmup: int = scientific(at_least=0, per_cell=True, neutral=0)
    """steps over which the learning rate rises linearly: step k, counted from 0, has the rate
    η·min(1, k / lr_warmup), so that the first has none; 0: no warm-up"""
    steps: int = scientific(at_least=1)
    """budget in optimiser steps"""
    batches: str = scientific(choices=("epochs", "replacement", "full"), neutral="epochs")
    """epochs: shuffled, each sample once per epoch, which may end within a batch; replacement:
    every sample drawn anew from the training set; full: the training set in every step"""
    batch_size: int | None = scientific(at_least=1)
    """samples per step; null for batches=full"""
    init_scale: float | None = scientific(above=0, per_cell=True, shared_default=True)
    """factor on the initial parameters; null: the architecture has no such factor"""
    train_size: int | None = scientific(at_least=1, shared_default=True)
    """number of training samples, the first of the published data set; null: the task has a
    fraction"""
    loss: str = scientific(choices=("squared_error", "cross_entropy", "stablemax"))
    """squared_error: against one-hot targets, summed over batch and classes; cross_entropy: mean
    over the batch; stablemax: the same with linear weights in place of exponentials (Prieto et al.
    2025)"""
    eval: EvalConfig = field(default_factory=EvalConfig)
    """when the network is evaluated"""
    stop: StopConfig = field(default_factory=StopConfig)
    """when a cell ends before its budget"""
    dtype: str = scientific(choices=("float32", "float64"), neutral="float32")
    """precision of training: weights, inputs, gradients and the optimiser's state. Initial weights
    are drawn in float32, so that both precisions start from the same numbers"""
    tf32: bool = scientific(neutral=False)
    """allow CUDA to round the factors of matrix products to 10 bits of mantissa"""
    name: str = operational()
    """name of the folder below `outputs`; the experiments of one paper share one"""
    outputs: str = operational()
    """folder of all run logs"""
    device: str = operational()
    """auto: CUDA if there is one, else the CPU; or cpu, cuda, cuda:1, …"""
    compile: str = operational(choices=("auto", "on", "off"))
    """torch.compile for the training step; auto: where it pays and a compiler is available"""
    threads: int | None = operational(at_least=1, below=1025)
    """CPU threads of a pack; null: 1, or all CPUs of a SLURM job. PyTorch crashes with very many"""
    pack: PackConfig = field(default_factory=PackConfig)
    """how many cells train together"""
    progress: bool = operational()
    """show progress: a live line on a terminal, a plain line now and then elsewhere"""
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    """how often a checkpoint is written"""
    save: SaveConfig = field(default_factory=SaveConfig)
    """what is kept of a finished cell"""
    log: LogConfig = field(default_factory=LogConfig)
    """what is written beside the run logs"""
    snapshots: str | None = operational(neutral=None)
    """log:N keeps the weights at N evaluations, evenly spaced on a logarithmic scale of
    steps; null: none"""
    force: bool = operational(neutral=False)
    """move the run logs of finished cells aside and train these cells again"""


def operational_names() -> set[str]:
    """Dotted names of the operational keys, which tables of results leave out."""
    names = set()
    for item in fields(Config):
        if "rule" in item.metadata:
            rules = [(item.name, item.metadata["rule"])]
        elif item.default_factory is not MISSING:
            rules = [(f"{item.name}.{n}", rule) for n, _, rule in leaves(item.default_factory())]
        else:
            rules = []  # a group, which tables show in full
        names |= {name for name, rule in rules if not rule.scientific}
    return names


def register() -> None:
    """Register the schema with Hydra as `schema`, the first entry of conf/config.yaml."""
    from hydra.core.config_store import ConfigStore  # with Hydra, which the analysis can do without

    ConfigStore.instance().store(name="schema", node=Config)
