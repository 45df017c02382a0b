"""Turn errors of Hydra and OmegaConf into one line that names the key and the valid choices."""

import contextlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from hydra.core.config_loader import ConfigLoader
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import MarkedYAMLError

from grokpipe import plugins
from grokpipe.config import registry
from grokpipe.config.composing import JobError
from grokpipe.config.overrides import parse, varying, with_quotes
from grokpipe.config.resolving import unknown
from grokpipe.config.schema import GROUPS
from grokpipe.config.wording import complaint

NOT_A_KEY = re.compile(r"Could not (?:override|append to config:?|delete) ?'?([\w./@-]+)'?")
NOT_IN = re.compile(r"Key '([^']+)' not in '(\w+)'")
FULL_KEY = re.compile(r"full_key: (\S+)")
IN_FILE = re.compile(r"In '([\w/.-]+)': (?:\w+ raised while composing config:)?")
THERE = re.compile(r"An item is already at '([\w.]+)'")
TWICE = re.compile(r"Multiple values for (\w+)")
NO_CHOICE = re.compile(r"Could not (?:find|load) '([^']+)'")
OPTION = re.compile(r"^\t(\w+)$", flags=re.M)
BAD_VALUE = re.compile(r"Error merging override (.+)")


def one_line(error: BaseException, loader: ConfigLoader, jobs: Sequence[Sequence[str]]) -> str:
    """Format an error of composition for the user.

    Args:
        error: an error of Hydra, OmegaConf or YAML; or a JobError that such an error has caused.
        loader: has composed.
        jobs: overrides of each job of the sweep; or those of the command as the only job.
    """
    position, cell = 0, ""
    if isinstance(error, JobError):
        assert error.__cause__ is not None
        position, error = error.position, error.__cause__
        if len(jobs) > 1:
            cell = f" (cell {position + 1} of {len(jobs)}: {' '.join(varying(jobs)[position])})"
    return _line(error, loader, jobs, position) + cell


def _line(
    error: BaseException, loader: ConfigLoader, jobs: Sequence[Sequence[str]], position: int
) -> str:
    text, overrides = str(error), jobs[position]
    if isinstance(error, MarkedYAMLError):
        return _yaml_line(error)
    if isinstance(error, UnicodeDecodeError):
        return _not_text(loader, overrides)
    if not isinstance(error, HydraException):
        return _plain(text) or type(error).__name__
    for override in overrides:
        if override in text and (quoted := with_quotes(override)) != override:
            return f"{override}: Hydra needs quotes around a condition; write '{quoted}'"
    if match := TWICE.search(text):
        return f"{match[1]}: chosen twice; write {match[1]}=… once and without a plus"
    if match := THERE.search(text):
        return f"{match[1]}: is there already; write {match[1]}=… without a plus"
    if match := NO_CHOICE.search(text):
        return _no_choice(match[1], text, loader, overrides)
    if match := BAD_VALUE.search(text):
        cause = error.__cause__
        if isinstance(cause, OmegaConfBaseException) and "not in" not in str(cause):
            return f"{match[1].strip().removeprefix('++')}: {complaint(cause)}"
    file = f"{match[1]}.yaml: " if (match := IN_FILE.search(text)) else ""
    if match := NOT_A_KEY.search(text):
        key = match[1].split("@")[0].replace("/", ".")
        return file + _no_key(key, loader, jobs, position)
    if (match := NOT_IN.search(text)) and (name := FULL_KEY.search(text)):
        if file.startswith(f"{match[1]}/"):
            header = "# @package _global_"
            return f"{file}its keys lie below {match[1]}; begin the file with {header}"
        return file + _no_key(name[1], loader, jobs, position)
    return file + _plain(IN_FILE.sub("", text))


def _plain(text: str) -> str:
    """A message of OmegaConf as one line that begins with the key."""
    name = FULL_KEY.search(text)
    return (f"{name[1]}: " if name else "") + joined(text.partition("full_key:")[0])


def _yaml_line(error: MarkedYAMLError) -> str:
    mark = error.problem_mark
    place = f"{mark.name}, line {mark.line + 1}: " if mark else ""
    return f"{place}not YAML: {error.problem}"


def _not_text(loader: ConfigLoader, overrides: Sequence[str]) -> str:
    """The line for a file that is not UTF-8; Hydra's error does not name it."""
    for folder in _folders(loader, overrides):
        for path in sorted(folder.rglob("*.yaml")):
            try:
                path.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                return f"{path}: not UTF-8: {error.reason} at byte {error.start}"
    return "a configuration file is not UTF-8"


def _no_choice(path: str, text: str, loader: ConfigLoader, overrides: Sequence[str]) -> str:
    """The line for a member that its group does not have, or for a file that is not there."""
    group, _, choice = path.rpartition("/")
    if group == "hydra/launcher":
        return f"{group}={choice}: no such choice; valid: local, slurm, serial"
    if group.startswith("hydra/"):
        return f"{group}={choice}: no such choice; valid: {', '.join(OPTION.findall(text))}"
    group, _, choice = path.partition("/")  # choices of our groups may lie in folders
    lost = "".join(f"; {line}" for line in plugins.lost_conf_folders())
    if group in GROUPS and registry.is_installed(GROUPS[group], choice):
        return (
            f"{group}={choice}: installed, but no {group}/{choice}.yaml is in a folder that an "
            f"entry point of grokpipe.conf names{lost}"
        )
    if valid := choices(loader, group, overrides):
        listed = ", ".join(_nearby(choice, valid))
        return f"{group}={choice}: no such choice; valid: {listed}{lost}"
    return f"{path}: no such configuration{lost}"


def _nearby(wrong: str, valid: Sequence[str]) -> list[str]:
    """The choices of a group; of those in folders, the ones in the folder that a wrong choice means
    one by one, the other folders by their names."""
    folders = {name.partition("/")[0] for name in valid if "/" in name}
    (meant,) = registry.nearest(wrong.partition("/")[0], sorted(folders))[:1] or [""]
    shown = [
        f"{folder}/…" if below and folder != meant else name
        for name in valid
        for folder, below, _ in [name.partition("/")]
    ]
    return [*dict.fromkeys(shown)]


def _no_key(key: str, loader: ConfigLoader, jobs: Sequence[Sequence[str]], position: int) -> str:
    """The line for a key that what is composed does not have.

    A key of a swept group must be one of some member, so that all members are named.
    """
    group = key.partition(".")[0]
    swept = len({text for job in jobs for text in job if text.startswith(f"{group}=")}) > 1
    chosen = {tuple(_choosing(loader, job)) for job in (jobs if swept else [jobs[position]])}
    configs = [_chosen(loader, texts) for texts in sorted(chosen)]
    if key.startswith("hydra.launcher."):
        node = configs[0].hydra
        nearest = registry.nearest(key, _dotted(node.launcher, "hydra.launcher."))
        member = node.runtime.choices["hydra/launcher"]
        return f"{key}: no such key of hydra/launcher={member}; nearest: {', '.join(nearest)}"
    keys = [*dict.fromkeys(name for config in configs for name in _keys(config))]
    if group not in GROUPS or "." not in key:
        return unknown(key, ["experiment", *keys])
    members = ", ".join(dict.fromkeys(str(config[group].name) for config in configs))
    valid = [name for name in keys if name.startswith(f"{group}.") and name != f"{group}.name"]
    others = f"nearest: {', '.join(registry.nearest(key, valid))}" if valid else "it has none"
    return f"{key}: no such key of {group}={members}; {others}"


def choices(loader: ConfigLoader, group: str, overrides: Iterable[str]) -> list[str]:
    """List the choices of a group, as paths below its folder without the suffix.

    Args:
        loader: has folders to look in.
        group: name of the group.
        overrides: may name more folders.
    """
    return sorted(
        {
            str(path.relative_to(folder / group).with_suffix(""))
            for folder in _folders(loader, overrides)
            for path in (folder / group).rglob("*.yaml")
        }
    )


def _folders(loader: ConfigLoader, overrides: Iterable[str]) -> list[Path]:
    """Folders in which configurations are looked for."""
    named = [parse(text).value() for text in overrides if text.startswith("hydra.searchpath=")]
    more = [str(path) for paths in named if isinstance(paths, list) for path in paths]
    ours = [source.path for source in loader.get_sources() if source.scheme() == "file"]
    return [Path(path.removeprefix("file://")) for path in [*ours, *more]]


def _choosing(loader: ConfigLoader, overrides: Iterable[str]) -> list[str]:
    """The overrides that choose one member of a group, on which the keys depend."""
    heads = {text: text.partition("=")[0] for text in overrides}
    return [
        text for text, head in heads.items()
        if "," not in text and "(" not in text and (head == "hydra.searchpath" or (
            "." not in head and loader.get_group_options(head)))
    ]  # fmt: skip


def _chosen(loader: ConfigLoader, choosing: Sequence[str]) -> DictConfig:
    """The configuration with these choices; without those that cannot be composed."""
    ours = [text for text in choosing if not text.startswith("experiment=")]
    for texts in ([*choosing], ours):
        with contextlib.suppress(Exception):
            return loader.load_configuration("config", texts, RunMode.RUN)
    return loader.load_configuration("config", [], RunMode.RUN)


def _keys(config: DictConfig) -> list[str]:
    """Groups and dotted keys that can be set."""
    return [name for name in _dotted(config) if name.partition(".")[0] != "hydra"]


def _dotted(config: DictConfig, prefix: str = "") -> list[str]:
    names = []
    for name in map(str, config):
        if name.startswith("_"):
            continue
        names.append(prefix + name)
        node = OmegaConf.select(config, name, throw_on_missing=False)
        if isinstance(node, DictConfig):
            names += _dotted(node, f"{prefix}{name}.")
    return names


def joined(text: str) -> str:
    """The lines of a text as one."""
    return " ".join(line.strip() for line in text.splitlines() if line.strip())
