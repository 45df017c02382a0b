"""The schema of a cell's configuration, and the way from Hydra's composition to checked values.

The values themselves stand in conf/. Each group (task, arch, optimizer, intervention) has its
schema beside its code: the dataclass `Config` of `grokpipe/<room>/<name>.py`.
"""

import copy
import json
from dataclasses import MISSING, dataclass, field, fields
from functools import lru_cache
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from grokpipe import rooms, schema, snapshots
from grokpipe.curves.events import CROSSINGS
from grokpipe.errors import InputError
from grokpipe.schema import operational, scientific

GROUPS = {
    "task": "tasks",
    "arch": "archs",
    "optimizer": "optimizers",
    "intervention": "interventions",
}


@dataclass
class MeasuresConfig:
    names: list[str] = scientific()
    """modules of grokpipe/measures, computed at every evaluation, in this order of columns"""


@dataclass
class EvalConfig:
    schedule: str = scientific(choices=("published", "regular"))
    """published: every step below 30, every 10 below 150, then every steps // 150 (Sakamoto &
    Sato); regular: every `every` steps. The last step is always evaluated."""
    every: int | None = scientific(at_least=1)
    """steps between evaluations; for `regular` only, null otherwise"""


@dataclass
class StopConfig:
    event: str | None = scientific(choices=tuple(CROSSINGS), neutral=None)
    """the event (grokpipe/curves/events.py) after which a cell ends before its budget; null: none.
    One rule for all cells of an experiment: their runs are compared"""
    sustained: int | None = scientific(at_least=1, neutral=None)
    """evaluations in a row that must show it"""
    margin: int | None = scientific(at_least=0, neutral=None)
    """steps from the first of them to the end"""


@dataclass
class CheckpointConfig:
    every: float = operational(above=0)
    """seconds of wall time between checkpoints"""


@dataclass
class SaveConfig:
    final: bool = operational()
    """write final.pt: parameters, optimiser state and generators after the last step"""


@dataclass
class PackConfig:
    width: int | None = operational(at_least=1)
    """cells trained together, at most; null: by device and memory"""


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
    """group: what is logged beside losses and accuracies"""
    seed: int = scientific(at_least=0, below=2**63, per_cell=True)
    """root of every generator of the cell; equal seeds share split, initial weights and batches"""
    weight_decay: float = scientific(at_least=0, per_cell=True, dial=True)
    """weight decay λ"""
    lr: float = scientific(above=0, per_cell=True, dial=True)
    """learning rate η"""
    steps: int = scientific(at_least=1)
    """optimiser steps: the budget"""
    batches: str = scientific(choices=("epochs", "replacement", "full"), neutral="epochs")
    """epochs: shuffled, each sample once an epoch, which may end inside a batch; replacement: every
    sample drawn anew from the training set; full: the training set in every step"""
    batch_size: int | None = scientific(at_least=1)
    """samples per step; null for batches=full"""
    init_scale: float | None = scientific(above=0, per_cell=True, dial=True)
    """factor on the architecture's initial parameters; null: it has none"""
    train_size: int | None = scientific(at_least=1, dial=True)
    """training samples, the first of the data set as published; null: the task has a fraction"""
    loss: str = scientific(choices=("squared_error", "cross_entropy"))
    """squared_error: against one-hot targets, summed over batch and classes; cross_entropy: mean
    over the batch"""
    eval: EvalConfig = field(default_factory=EvalConfig)
    """when the network is evaluated"""
    stop: StopConfig = field(default_factory=StopConfig)
    """when a cell ends before its budget"""
    tf32: bool = scientific(neutral=False)
    """CUDA may round the factors of matrix products to 10 bits of mantissa"""
    name: str = operational()
    """folder below `outputs`; the experiments of one paper share one"""
    outputs: str = operational()
    """folder of all run logs"""
    device: str = operational()
    """auto: CUDA if there is one, else the CPU; or cpu, cuda, cuda:1, …"""
    compile: str = operational(choices=("auto", "on", "off"))
    """torch.compile for the training step; auto: where it pays, and a compiler is there"""
    threads: int | None = operational(at_least=1)
    """CPU threads of PyTorch; null leaves its own choice"""
    pack: PackConfig = field(default_factory=PackConfig)
    """how many cells train together"""
    progress: bool = operational()
    """show progress: a live line on a terminal, a plain line now and then elsewhere"""
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    """how often a checkpoint is written"""
    save: SaveConfig = field(default_factory=SaveConfig)
    """what is kept of a finished cell"""
    snapshots: str | None = operational(neutral=None)
    """log:N keeps the weights (fp32) of N evaluations, evenly spaced on a logarithmic scale of
    steps; null: none"""
    force: bool = operational(neutral=False)
    """a cell that is finished is moved aside, and trained again"""


def operational_names() -> set[str]:
    """Dotted names of the operational keys: those a table of results leaves out."""
    names = set()
    for item in fields(Config):
        if "rule" in item.metadata:
            leaves = [(item.name, item.metadata["rule"])]
        elif item.default_factory is not MISSING:
            leaves = [
                (f"{item.name}.{n}", rule) for n, _, rule in schema.leaves(item.default_factory())
            ]
        else:
            leaves = []  # a group: scientific throughout
        names |= {name for name, rule in leaves if not rule.scientific}
    return names


def register() -> None:
    """Makes the schema known to Hydra as `schema`, the first entry of conf/config.yaml."""
    ConfigStore.instance().store(name="schema", node=Config)


def resolve(composed: DictConfig | dict[str, Any]) -> Config:
    """The checked configuration object of one composed cell; raises InputError.

    The group nodes become instances of the `Config` dataclasses of their modules.
    """
    container = composed
    if isinstance(composed, DictConfig):
        try:
            container = OmegaConf.to_container(composed, resolve=True)  # type: ignore[assignment]
        except OmegaConfBaseException as error:
            raise InputError(_one_line(error)) from error
    values: dict[str, Any] = {str(k): value for k, value in container.items() if k != "hydra"}
    for group, room in GROUPS.items():
        node = values.get(group)
        if not isinstance(node, dict) or "name" not in node:
            raise InputError(f"{group}={node}: needs a name; valid: {', '.join(rooms.names(room))}")
        values[group] = _typed(rooms.module(room, node["name"], group).Config, node, f"{group}.")
    config = _config(values)
    schema.check(config)
    _check_dials(config)
    _check_measures(config.measures.names)
    _check_evaluation(config.eval)
    _check_batches(config)
    _check_stop(config)
    chosen = rooms.module("interventions", config.intervention.name, "intervention")
    if hasattr(chosen, "check"):
        chosen.check(config)
    if config.snapshots is not None:
        snapshots.parse(config.snapshots)
    if config.name in ("", ".", "..") or "/" in config.name:
        raise InputError(f"name={config.name!r}: must be the name of one folder, without a slash")
    if not config.outputs:
        raise InputError("outputs=: must be a folder")
    return config


def _check_dials(config: Config) -> None:
    """A group that takes a value from a dial must have the dial's: else one run had two keys, and
    tables would file it under the wrong value. A dial that no group takes must be null: else it
    would look as if it had an effect."""
    for group in GROUPS:
        chosen = getattr(config, group)
        for item in fields(chosen):
            if item.name == "name" or not hasattr(config, item.name):
                continue
            value, dial = getattr(chosen, item.name), getattr(config, item.name)
            if value != dial:
                raise InputError(
                    f"{group}.{item.name}={value}: differs from {item.name}={dial}; "
                    f"set {item.name} alone"
                )
    taken = {item.name for group in GROUPS for item in fields(getattr(config, group))}
    for name, value, rule in schema.leaves(config):
        if rule.dial and value is not None and name not in taken:
            chosen = ", ".join(f"{group}={getattr(config, group).name}" for group in GROUPS)
            raise InputError(f"{name}={value}: of no effect with {chosen}; set {name}=null")


def _check_measures(names: list[str]) -> None:
    for name in names:
        rooms.module("measures", name, "measures.names")
    if len(set(names)) < len(names):
        raise InputError(f"measures.names={names}: each measure once")


def _check_evaluation(evaluation: EvalConfig) -> None:
    if evaluation.schedule == "regular" and evaluation.every is None:
        raise InputError("eval.every=null: eval.schedule=regular needs a number of steps")
    if evaluation.schedule == "published" and evaluation.every is not None:
        raise InputError(
            f"eval.every={evaluation.every}: has no effect with eval.schedule=published; "
            "add eval.schedule=regular"
        )


def _check_batches(config: Config) -> None:
    if config.batches == "full" and config.batch_size is not None:
        raise InputError(
            f"batch_size={config.batch_size}: of no effect with batches=full; add batch_size=null"
        )
    if config.batches != "full" and config.batch_size is None:
        raise InputError(f"batch_size=null: batches={config.batches} needs a number of samples")


def _check_stop(config: Config) -> None:
    stop = config.stop
    for name in ("sustained", "margin"):
        value = getattr(stop, name)
        if (value is None) != (stop.event is None):
            shown = "null" if value is None else value
            why = "no event to stop after" if stop.event is None else "needs a number"
            event = "null" if stop.event is None else stop.event
            raise InputError(f"stop.{name}={shown}: {why} with stop.event={event}")
    measure, slash, _ = CROSSINGS[stop.event].column.partition("/") if stop.event else ("", "", "")
    if slash and measure not in config.measures.names:
        raise InputError(f"stop.event={stop.event}: needs {measure} among measures.names")


def _config(values: dict[str, Any]) -> Config:
    """The whole from its typed groups and its other values."""
    kinds = {item.name: item for item in fields(Config)}
    typed: dict[str, Any] = {}
    for name, value in values.items():
        if name not in kinds:
            raise InputError(unknown(name, [*kinds]))
        kind = kinds[name].default_factory
        if name in GROUPS:
            typed[name] = value
        elif kind is not MISSING and isinstance(value, dict):
            typed[name] = _typed(kind, value, f"{name}.")
        else:
            typed[name] = _typed_alone(name, value)
    return Config(**typed)


# OmegaConf takes milliseconds to check a node, and the cells of a grid have nearly all in common.
_known: dict[str, Any] = {}


def _typed(kind: Any, values: dict[str, Any], prefix: str) -> Any:
    """An instance of the dataclass `kind`."""
    key = f"{kind.__module__}.{kind.__qualname__} {json.dumps(values, sort_keys=True)}"
    if key not in _known:
        try:
            node = OmegaConf.structured(kind)
            OmegaConf.set_readonly(node, False)  # which it is if the dataclass is frozen
            for name, value in values.items():
                if name not in kind.__dataclass_fields__:
                    valid = [prefix + key for key in kind.__dataclass_fields__]
                    raise InputError(unknown(prefix + name, valid))
                OmegaConf.update(node, name, value, merge=True)
            _known[key] = OmegaConf.to_object(node)
        except OmegaConfBaseException as error:
            raise InputError(prefix + _one_line(error)) from error
    return copy.copy(_known[key])


def _typed_alone(name: str, value: Any) -> Any:
    """A value of `Config` that is no group and no node."""
    key = f"{name}={json.dumps(value)}"
    if key not in _known:
        try:
            OmegaConf.update(_alone(), name, value, merge=True)
            _known[key] = _alone()[name]
        except OmegaConfBaseException as error:
            raise InputError(_one_line(error)) from error
    return _known[key]


@lru_cache
def _alone() -> DictConfig:
    """A node that checks one value after the other; what it holds means nothing."""
    return OmegaConf.structured(Config)


def unknown(name: str, valid: list[str]) -> str:
    """One line for a key that does not exist, with the nearest ones that do."""
    return f"{name}: no such key; nearest: {', '.join(rooms.nearest(name, valid))}"


def _one_line(error: OmegaConfBaseException) -> str:
    first = str(error.msg or error).splitlines()[0]
    return f"{error.full_key}: {first}" if error.full_key else first
