"""Turn a configuration composed by Hydra into a checked configuration object."""

import copy
import importlib.util
import json
from dataclasses import MISSING, fields, replace
from functools import lru_cache
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from grokpipe.config import registry
from grokpipe.config.fields import check, leaves
from grokpipe.config.schema import GROUPS, Config, EvalConfig, MeasuresConfig, StopConfig
from grokpipe.config.wording import refused
from grokpipe.errors import InputError, missing_package
from grokpipe.schedule import snapshot_count

SPARSE_AT = "log:64"  # what measures.sparse_at=null means where there are sparse measures


def resolve(composed: DictConfig | dict[str, Any]) -> Config:
    """Build and check the configuration object of one composed cell.

    Each group node becomes an instance of its module's `Config` dataclass. Raises InputError for
    the first value that is not valid.
    """
    container = composed
    if isinstance(composed, DictConfig):
        try:
            container = OmegaConf.to_container(composed, resolve=True)  # type: ignore[assignment]
        except OmegaConfBaseException as error:
            raise InputError(refused(error)) from error
    values: dict[str, Any] = {str(k): value for k, value in container.items() if k != "hydra"}
    for group, package in GROUPS.items():
        node = values.get(group)
        if not isinstance(node, dict) or "name" not in node:
            raise InputError(
                f"{group}={node}: needs a name; valid: {', '.join(registry.names(package))}"
            )
        values[group] = _typed(
            registry.module(package, node["name"], group).Config, node, f"{group}."
        )
    config = _config(values)
    check(config)
    task = registry.module("tasks", config.task.name, "task")
    if hasattr(task, "resolved"):
        config.task = task.resolved(config.task)
    _check_shared_defaults(config)
    config.measures = _resolved_measures(config.measures)
    config.eval = _resolved_evaluation(config.eval, config.steps)
    _check_batches(config)
    _check_precision(config)
    config.stop = _resolved_stop(config.stop)
    chosen = registry.module("interventions", config.intervention.name, "intervention")
    if hasattr(chosen, "check"):
        chosen.check(config)
    if config.log.tensorboard and importlib.util.find_spec("tensorboard") is None:
        raise missing_package("log.tensorboard=true", "tensorboard")
    if config.snapshots is not None:
        snapshot_count(config.snapshots)
    if config.name in ("", ".", "..") or "/" in config.name:
        raise InputError(f"name={config.name!r}: must be the name of one folder, without a slash")
    if not config.outputs:
        raise InputError("outputs=: must be a folder")
    return config


def _check_shared_defaults(config: Config) -> None:
    """Check that groups and shared defaults agree.

    A group that takes a value from a shared default must have that value: otherwise one run could
    have two keys, and tables would list it under the wrong value. A shared default that no group
    interpolates must be null: otherwise it would seem to have an effect.
    """
    for group in GROUPS:
        chosen = getattr(config, group)
        for item in fields(chosen):
            if item.name == "name" or not hasattr(config, item.name):
                continue
            value, default = getattr(chosen, item.name), getattr(config, item.name)
            if value != default:
                raise InputError(
                    f"{group}.{item.name}={value}: differs from {item.name}={default}; "
                    f"set {item.name} instead"
                )
    taken = {item.name for group in GROUPS for item in fields(getattr(config, group))}
    for name, value, rule in leaves(config):
        if rule.shared_default and value is not None and name not in taken:
            chosen = ", ".join(f"{group}={getattr(config, group).name}" for group in GROUPS)
            raise InputError(f"{name}={value}: has no effect with {chosen}; set {name}=null")


def _resolved_measures(measures: MeasuresConfig) -> MeasuresConfig:
    """Check the names, and fill in what null means for a cadence, before the key is hashed."""
    for key in ("names", "sparse"):
        own = getattr(measures, key) or []
        for name in own:
            registry.module("measures", name, f"measures.{key}")
        if len(set(own)) < len(own):
            raise InputError(f"measures.{key}={own}: must name each measure once")
    if both := sorted({*measures.names}.intersection(measures.sparse or [])):
        raise InputError(f"measures.sparse={both}: among measures.names too; name it once")
    if not measures.sparse:
        if measures.sparse_at is not None:
            raise InputError(
                f"measures.sparse_at={measures.sparse_at}: no measures to take then with "
                "measures.sparse=null"
            )
        return replace(measures, sparse=None)
    at = measures.sparse_at or SPARSE_AT
    snapshot_count(at, "measures.sparse_at")
    return replace(measures, sparse_at=at)


def _resolved_evaluation(evaluation: EvalConfig, steps: int) -> EvalConfig:
    """Check when the network is evaluated; a budget that is `steps` becomes null, its one spelling,
    before the key is hashed."""
    if evaluation.schedule == "regular" and evaluation.every is None:
        raise InputError("eval.every=null: eval.schedule=regular needs a number of steps")
    if evaluation.schedule == "published" and evaluation.every is not None:
        raise InputError(
            f"eval.every={evaluation.every}: has no effect with eval.schedule=published; "
            "add eval.schedule=regular"
        )
    if evaluation.schedule == "regular" and evaluation.budget is not None:
        raise InputError(
            f"eval.budget={evaluation.budget}: has no effect with eval.schedule=regular; "
            "set eval.budget=null"
        )
    return replace(evaluation, budget=None) if evaluation.budget == steps else evaluation


def _check_batches(config: Config) -> None:
    if config.batches == "full" and config.batch_size is not None:
        raise InputError(
            f"batch_size={config.batch_size}: has no effect with batches=full; add batch_size=null"
        )
    if config.batches != "full" and config.batch_size is None:
        raise InputError(f"batch_size=null: batches={config.batches} needs a number of samples")


def _check_precision(config: Config) -> None:
    if config.tf32 and config.dtype != "float32":
        raise InputError(
            f"tf32={str(config.tf32).lower()}: has no effect with dtype={config.dtype}; "
            "set tf32=false"
        )


def _resolved_stop(stop: StopConfig) -> StopConfig:
    """Fill in what null means for a stop rule: the first evaluation, and no step more.

    This happens before the key is hashed, so that both spellings are one cell.
    """
    if stop.event is None:
        for name in ("sustained", "margin"):
            if (value := getattr(stop, name)) is not None:
                raise InputError(
                    f"stop.{name}={value}: no event to stop after with stop.event=null"
                )
        return stop
    sustained = 1 if stop.sustained is None else stop.sustained
    return replace(stop, sustained=sustained, margin=stop.margin or 0)


def _config(values: dict[str, Any]) -> Config:
    """Assemble the configuration from its typed groups and its other values."""
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


# OmegaConf takes milliseconds to check a node, and the cells of a grid share nearly all nodes.
_known: dict[str, Any] = {}


def _typed(kind: Any, values: dict[str, Any], prefix: str) -> Any:
    """Check `values` against the dataclass `kind`, and return an instance of it."""
    key = f"{kind.__module__}.{kind.__qualname__} {json.dumps(values, sort_keys=True)}"
    if key not in _known:
        try:
            node = OmegaConf.structured(kind)
            OmegaConf.set_readonly(node, False)  # nodes of frozen dataclasses are read-only
            for name, value in values.items():
                if name not in kind.__dataclass_fields__:
                    valid = [prefix + key for key in kind.__dataclass_fields__]
                    raise InputError(unknown(prefix + name, valid))
                OmegaConf.update(node, name, value, merge=True)
            _known[key] = _spelled(OmegaConf.to_object(node), prefix)
        except OmegaConfBaseException as error:
            raise InputError(refused(error, prefix)) from error
    return copy.copy(_known[key])


def _spelled(node: Any, prefix: str) -> Any:
    """The node with its events and conditions in their one spelling, which enters the key."""
    changed = {}
    for item in fields(node):
        rule, value = item.metadata.get("rule"), getattr(node, item.name)
        if rule is None:  # a nested node
            changed[item.name] = _spelled(value, f"{prefix}{item.name}.")
        elif rule.event and value is not None:
            if why := rule.complaint(value):
                key = f"{prefix}{item.name}"
                raise InputError(f"{key}={value}: {why} ('{key}=\"test_accuracy>=0.9\"')")
            from grokpipe.curves import definitions  # NumPy, which --help can do without

            changed[item.name] = definitions.canonical(value)
    return replace(node, **changed) if changed else node


def _typed_alone(name: str, value: Any) -> Any:
    """Check a value of `Config` that is neither a group nor a nested node."""
    key = f"{name}={json.dumps(value)}"
    if key not in _known:
        try:
            OmegaConf.update(_alone(), name, value, merge=True)
            _known[key] = _alone()[name]
        except OmegaConfBaseException as error:
            raise InputError(refused(error)) from error
    return _known[key]


@lru_cache
def _alone() -> DictConfig:
    """A node that serves to check single values; its contents mean nothing."""
    return OmegaConf.structured(Config)


def unknown(name: str, valid: list[str]) -> str:
    """Error message for an unknown key, with the most similar valid keys."""
    return f"{name}: no such key; nearest: {', '.join(registry.nearest(name, valid))}"
