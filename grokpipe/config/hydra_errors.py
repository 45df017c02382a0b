"""Turn errors of Hydra and OmegaConf into one line that names the key and the valid choices."""

import re
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from grokpipe.config.resolving import unknown
from grokpipe.config.schema import GROUPS
from grokpipe.curves import conditions

NOT_A_KEY = re.compile(r"Could not (?:override|append to config:?|delete) ?'?([\w./@-]+)'?")
TWICE = re.compile(r"Multiple values for (\w+)")
NO_CHOICE = re.compile(r"Could not find '([\w/-]+)'")
OPTION = re.compile(r"^\t(\w+)$", flags=re.M)
EVENT_IN_BRACES = re.compile(r"(\bevent:\s*)(sustained\([^)]*\)|[^\s,}\"']*[<>][^\s,}\"']*)")
QUOTES = "'\""
BAD_VALUE = re.compile(r"Error merging override (.+)")


def one_line(error: Exception, conf: Path, arguments: list[str]) -> str:
    """Format the error for the user.

    Args:
        error: an error of Hydra or OmegaConf, or any other.
        conf: the folder of configurations.
        arguments: the command's arguments.
    """
    text = str(error)
    if not isinstance(error, HydraException):
        return _joined(text)
    for argument in arguments:
        if argument in text and (quoted := with_quotes(argument)) != argument:
            return f"{argument}: Hydra needs quotes around a condition; write '{quoted}'"
    if match := TWICE.search(text):
        return f"{match[1]}: chosen twice; write {match[1]}=… once and without a plus"
    if match := NO_CHOICE.search(text):
        group, _, choice = match[1].rpartition("/")
        if group == "hydra/launcher":
            return f"{group}={choice}: no such choice; valid: local, slurm, serial"
        if group.startswith("hydra/"):
            valid = ", ".join(OPTION.findall(text))
            return f"{group}={choice}: no such choice; valid: {valid}"
        group, _, choice = match[1].partition("/")  # choices of our groups may lie in folders
        if choice:
            return f"{group}={choice}: no such choice; valid: {', '.join(choices(conf, group))}"
    if match := BAD_VALUE.search(text):
        cause = str(error.__cause__ or "").splitlines()
        if cause and "not in" not in cause[0]:  # "not in": an unknown key, handled below
            return f"{match[1].strip()}: {cause[0]}"
    if match := NOT_A_KEY.search(text):
        key = match[1].split("@")[0].replace("/", ".")
        return unknown(key, valid_keys(key, conf, arguments))
    return _joined(text)


def with_quotes(argument: str) -> str:
    """The argument with double quotes around each condition on a curve, as Hydra's grammar wants
    it: stop.event="test_accuracy>=0.9"."""
    key, equals, value = argument.partition("=")
    if value.startswith("{"):
        return EVENT_IN_BRACES.sub(r'\1"\2"', argument)
    if not key.endswith("event") or not re.search("[<>]", value):
        return argument
    return key + equals + ",".join(f'"{one.strip(QUOTES)}"' for one in conditions.split(value))


def choices(conf: Path, group: str) -> list[str]:
    """List the choices of a group, as paths below its folder without the suffix."""
    folder = conf / group
    return sorted(str(f.relative_to(folder).with_suffix("")) for f in folder.rglob("*.yaml"))


def valid_keys(key: str, conf: Path, arguments: list[str]) -> list[str]:
    """List groups and dotted keys that could be set in place of `key`.

    They depend on the groups that the command chooses; a swept group counts with each member.
    """
    if key.startswith("hydra.launcher."):
        name = next(
            (a.split("=")[1] for a in arguments if a.startswith("hydra/launcher=")), "local"
        )
        launcher = ConfigStore.instance().load(f"hydra/launcher/{name}.yaml").node
        names = map(str, launcher)
        return [f"hydra.launcher.{field}" for field in names if not field.startswith("_")]
    GlobalHydra.instance().clear()
    chosen = [a for a in arguments if a.split("=")[0] in (*GROUPS, "measures") and "," not in a]
    swept = [a.partition("=") for a in arguments if a.split("=")[0] in GROUPS and "," in a]
    members = [[f"{group}={name}"] for group, _, names in swept for name in names.split(",")]
    keys = ["experiment"]
    with initialize_config_dir(str(conf), version_base="1.3"):
        for member in members or [[]]:
            try:
                config = compose("config", chosen + member)
            except HydraException:
                config = compose("config")
            keys += _dotted(config)
    return [*dict.fromkeys(keys)]


def _dotted(config: DictConfig, prefix: str = "") -> list[str]:
    names = []
    for name in map(str, config):
        names.append(prefix + name)
        node = OmegaConf.select(config, name, throw_on_missing=False)
        if isinstance(node, DictConfig):
            names += _dotted(node, f"{prefix}{name}.")
    return names


def _joined(text: str) -> str:
    return " ".join(line.strip() for line in text.splitlines() if line.strip())
