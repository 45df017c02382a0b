"""Compose the configurations of a sweep's cells.

Hydra composes once per choice of groups, which takes 60 ms; plain values are then set in that
configuration cell by cell, which takes 1 ms each.
"""

import copy
from collections.abc import Mapping, Sequence
from functools import cache, reduce
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from grokpipe import plugins
from grokpipe.config.schema import GROUPS
from grokpipe.errors import InputError

PACKAGE = Path(__file__).resolve().parents[1]
CONF = next(path for path in (PACKAGE / "conf", PACKAGE.parent / "conf") if path.is_dir())
"""the folder of configurations: inside the package if installed, beside it in a clone"""


class JobError(Exception):
    """The configuration of one job of a sweep cannot be composed; the cause says why."""

    def __init__(self, position: int):
        super().__init__(position)
        self.position = position


def check_choices(chosen: Mapping[str, Any]) -> None:
    """Raise InputError if several packages have a configuration that is chosen.

    Hydra would take the first, which need not be the one that was meant. `chosen` holds choices by
    group.
    """
    folders = [(plugins.distribution(entry), path) for entry, path in plugins.conf_folders()]
    if not folders:
        return
    for group, choice in chosen.items():
        file = f"{group}/{choice}.yaml"
        searched = [("grokpipe", CONF), *folders]
        owners = [who for who, folder in searched if (folder / file).is_file()]
        if len(owners) > 1:
            raise InputError(
                f"{group}={choice}: several packages have a file {file}: {' and '.join(owners)}; "
                "rename it or uninstall one"
            )


Composed = tuple[dict[str, Any], DictConfig]
"""a cell's resolved configuration, and the node `hydra` that was composed with it"""


class Base:
    """Composition shared by the jobs that choose the same groups and set the same plain keys."""

    def __init__(self, config: DictConfig):
        self.hydra = config.hydra
        with open_dict(config):
            del config["hydra"]
        self.config = config
        self.values: dict[str, Any] = {}
        """`config` resolved"""
        self.set: dict[str, str] = {}
        """overrides in effect in `config`, by key: those of the last job"""
        texts = _texts(OmegaConf.to_container(config))
        self.referring = " ".join(text for text in texts if "${" in text)
        """texts of all values that may refer to another key"""

    def with_values(self, plain: dict[str, Override]) -> dict[str, Any]:
        """Resolve the configuration of a job that sets these keys. Raises OmegaConf's errors."""
        changed = {k: o for k, o in plain.items() if self.set.get(k) != o.input_line}
        for key, override in changed.items():
            OmegaConf.update(self.config, key, override.value(), merge=True)
            self.set[key] = str(override.input_line)
        referring = " ".join([self.referring, *(t for t in self.set.values() if "${" in t)])
        if not self.values or any(key.rpartition(".")[2] in referring for key in changed):
            # resolving takes a millisecond; it is not needed if no value refers to a changed key
            self.values = OmegaConf.to_container(self.config, resolve=True)  # type: ignore[assignment]
        values = copy.deepcopy(self.values)
        for key in plain:
            *path, last = key.split(".")
            node = reduce(lambda node, name: node[name], path, values)
            value = OmegaConf.select(self.config, key)
            node[last] = OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
        return values


def _texts(value: Any) -> list[str]:
    """All strings in nested lists and dictionaries."""
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def applying(
    loader: ConfigLoader, master: DictConfig, job_overrides: Sequence[Sequence[str]]
) -> list[list[str]]:
    """Drop the overrides that do not apply to a job.

    Where a group is swept, a key that only some of its chosen members have is dropped for the other
    members: intervention.alpha for `none` in intervention=none,mixing. A key that no member has is
    kept, so that it is reported as an error. Raises Hydra's errors for an unknown member.
    """
    heads = {text: text.partition("=")[0] for overrides in job_overrides for text in overrides}
    keys: dict[str, set[str]] = {}
    """keys of each member of a swept group, by the override that chooses it"""
    for group in GROUPS:
        members = [text for text, head in heads.items() if head == group]
        if len(members) > 1 and any(head.startswith(f"{group}.") for head in heads.values()):
            for text in members:
                node = loader.load_sweep_config(master, [text])[group]
                keys[text] = {f"{group}.{name}" for name in node}
    known = set().union(*keys.values())
    applied = []
    for overrides in job_overrides:
        own = set().union(*(keys.get(text, ()) for text in overrides))
        applied.append([text for text in overrides if heads[text] not in known - own])
    return applied


def composed(
    loader: ConfigLoader, master: DictConfig, job_overrides: Sequence[Sequence[str]]
) -> list[Composed]:
    """Compose each job as `load_sweep_config` does, without repeating shared work.

    Raises JobError, from what `load_sweep_config` raises for the first job that is wrong.
    """
    parse = cache(OverridesParser.create(config_loader=loader).parse_override)
    is_group = cache(loader.get_group_options)
    bases: dict[tuple[tuple[str, ...], ...], Base] = {}

    @cache
    def plain_key(text: str) -> str | None:
        """Key that the override sets to a plain value; None for any other override."""
        override: Override = parse(text)
        key = override.key_or_group
        changes = override.type is not None and override.type.name == "CHANGE"
        if not changes or override.package is not None or key.startswith("hydra"):
            return None
        # a dictionary is merged into the present value, so that the next job would inherit it
        return None if is_group(key) or isinstance(override.value(), dict) else key

    def base_of(others: tuple[str, ...], keys: tuple[str, ...]) -> Base:
        if (others, keys) not in bases:
            bases[others, keys] = Base(loader.load_sweep_config(master, list(others)))
        return bases[others, keys]

    def configuration(overrides: Sequence[str]) -> Composed:
        plain = {key: text for text in overrides if (key := plain_key(text)) is not None}
        base = base_of(tuple(t for t in overrides if plain_key(t) is None), tuple(plain))
        try:
            values = base.with_values({key: parse(text) for key, text in plain.items()})
        except OmegaConfBaseException:
            loader.load_sweep_config(master, list(overrides))  # raises Hydra's own message
            raise
        return values, base.hydra

    configs = []
    for position, overrides in enumerate(job_overrides):
        try:
            configs.append(configuration(overrides))
        except Exception as error:
            raise JobError(position) from error
    return configs
