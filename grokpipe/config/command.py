"""Read the arguments of `python -m grokpipe`, and compose the configuration that they ask for.

Hydra's own main function is used to show things (--cfg, --help, --info); it is not used to train:
it creates folders before the configuration is checked, chooses the launcher only for -m, and runs
code that a configuration names.
"""

import argparse
import contextlib
import io
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import hydra
from hydra import version
from hydra._internal.callbacks import Callbacks
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path, get_args_parser
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from grokpipe.config.composing import CONF, Composed, applying, check_choices
from grokpipe.config.composing import composed as composed_jobs
from grokpipe.config.grids import check_grid, with_late_keys
from grokpipe.config.hydra_errors import choices, joined, one_line
from grokpipe.config.invocation import as_called, called
from grokpipe.config.overrides import parse, varying
from grokpipe.config.schema import GROUPS
from grokpipe.errors import InputError

HONOURED = ("launcher", "sweeper", "searchpath", "mode")
"""what a command may set below `hydra`"""
LAUNCHERS = "hydra_plugins.grokpipe_launcher."


@dataclass(frozen=True)
class Command:
    """A command that trains, composed but for what differs between its cells."""

    loader: ConfigLoader
    config: DictConfig
    """the configuration without swept values, `hydra` included"""
    overrides: list[str]
    """overrides of the experiment, swept or not; those of `hydra` are in `config`"""
    sweeping: bool
    """whether it trains a grid (-m), else one cell"""


class Parser(argparse.ArgumentParser):
    """Raises InputError instead of printing how the command is used."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see {called('grokpipe')} --help")


def read(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse flags and overrides. Raises InputError for an unknown flag."""
    parser = Parser(add_help=False, parents=[get_args_parser()])
    parsed = parser.parse_intermixed_args([*arguments])
    if parsed.experimental_rerun is not None:
        raise InputError(
            "--experimental-rerun: runs a pickled configuration; repeat the command instead"
        )
    return parsed


def shows(parsed: argparse.Namespace) -> bool:
    """Whether the command shows something and trains nothing."""
    flags = ("help", "hydra_help", "cfg", "info", "shell_completion")
    return any(getattr(parsed, flag) for flag in flags)


def show(parsed: argparse.Namespace) -> None:
    """Let Hydra print what the flags of the process ask for.

    Raises InputError for what is wrong with them.
    """
    if parsed.help:
        _show_help(parsed)
        return
    os.environ["HYDRA_FULL_ERROR"] = "1"  # else Hydra prints its own message and exits
    flags = [text for text in sys.argv[1:] if text not in parsed.overrides]
    sys.argv[1:] = [*flags, *parsed.overrides]  # Hydra wants the overrides in one place

    @hydra.main(config_path=str(CONF), config_name="config", version_base="1.3")
    def nothing(config: DictConfig) -> None:
        """Hydra calls this function only to train."""

    try:
        nothing()
    except Exception as error:
        raise InputError(one_line(error, _loader(parsed), [parsed.overrides])) from error


def _show_help(parsed: argparse.Namespace) -> None:
    """Print the help, with the folders of configurations read once.

    Hydra copies them for each of a hundred questions, which takes as long as all else.
    """
    main = _hydra(parsed)
    loader = main.config_loader
    assert isinstance(loader, ConfigLoaderImpl)
    _, folders = loader._parse_overrides_and_create_caching_repo(parsed.config_name, [])

    def options(
        group_name: str, results_filter: ObjectType | None = ObjectType.CONFIG
    ) -> list[str]:
        return folders.get_group_options(group_name, results_filter)

    loader.get_group_options = options  # type: ignore[assignment]
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            main.app_help(parsed.config_name or "config", get_args_parser(), parsed)
    except Exception as error:
        raise InputError(one_line(error, _loader(parsed), [parsed.overrides])) from error
    print(as_called(printed.getvalue()), end="")


def compose(parsed: argparse.Namespace) -> Command:
    """Compose the configuration of a command that trains.

    Raises InputError for whatever is wrong with its arguments or with a file that they choose.
    """
    loader = _loader(parsed)
    _check(parsed.overrides, loader)
    texts = with_late_keys(parsed.overrides) if parsed.multirun else [*parsed.overrides]
    # Hydra adds to the dictionary of swept keys only what is forced into it
    texts = [f"++{text}" if text.startswith("hydra.sweeper.params") else text for text in texts]
    name = parsed.config_name or "config"
    try:
        config = loader.load_configuration(
            name, texts, RunMode.MULTIRUN, validate_sweep_overrides=parsed.multirun
        )
    except Exception as error:  # whatever it is, the cause is in the arguments or in a file
        raise InputError(one_line(error, loader, [texts])) from error
    sweeping = parsed.multirun or config.hydra.mode == RunMode.MULTIRUN
    if not sweeping:
        _check_single(texts)
    _check_plugins(config.hydra)
    check_choices(config.hydra.runtime.choices)
    with open_dict(config.hydra):
        config.hydra.mode = RunMode.MULTIRUN if sweeping else RunMode.RUN
    if not sweeping:  # for values such as ${hydra:runtime.choices.task}
        HydraConfig.instance().set_config(config)
        OmegaConf.set_readonly(config.hydra, None)
    return Command(loader, config, [*config.hydra.overrides.task], sweeping)


def compose_jobs(
    loader: ConfigLoader, master: DictConfig, job_overrides: Sequence[Sequence[str]]
) -> tuple[list[list[str]], list[Composed]]:
    """Compose the cells of a command.

    Args:
        loader: has composed `master`.
        master: the command's own configuration.
        job_overrides: overrides of each cell.

    Returns:
        the overrides that apply to each cell, and its composition.

    Raises:
        InputError: naming the first cell that is wrong.
    """
    if not job_overrides:
        raise InputError("the sweeper gave no cells")
    try:
        applied = applying(loader, master, job_overrides)
        configs = composed_jobs(loader, master, applied)
    except Exception as error:
        shared = [*master.hydra.overrides.hydra]
        jobs = [[*shared, *overrides] for overrides in job_overrides]
        raise InputError(one_line(error, loader, jobs)) from error
    for (_, node), overrides in zip(configs, job_overrides, strict=True):
        check_grid(node, overrides, sweeping=master.hydra.mode == RunMode.MULTIRUN)
    for node in {id(node): node for _, node in configs}.values():
        _check_same_launcher(node, master.hydra)
        check_choices(node.runtime.choices)
    return applied, configs


def launch(command: Command) -> None:
    """Hand the command to its sweeper, or its only cell to its launcher.

    Raises InputError for a plugin that does not take its settings, and what training raises.
    """
    plugin = _plugin(command)
    try:
        if isinstance(plugin, Launcher):
            plugin.launch([command.overrides], initial_job_idx=0)
        else:
            plugin.sweep(command.overrides)
    except OSError as error:  # a write to an open file fails without a name, as on a full disk
        config = command.config
        error.filename = error.filename or str(Path(config.outputs, config.name))
        raise


class Listing(Launcher):
    """Takes the place of a grid's launcher: composes the cells, and trains none."""

    def __init__(self, command: Command):
        self.command = command
        self.labels: list[str] = []
        self.configs: list[dict[str, Any]] = []

    def setup(self, **given: Any) -> None:
        """Nothing: the command has been composed."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        loader, config = self.command.loader, self.command.config
        applied, composed = compose_jobs(loader, config, job_overrides)
        self.labels += [" ".join(overrides) for overrides in varying(applied)]
        self.configs += [config for config, _ in composed]
        return [JobReturn() for _ in job_overrides]


def listed(command: Command) -> tuple[Listing, Any]:
    """The cells of a grid, and the launcher that would train them.

    Raises InputError as `compose_jobs` and `launch`.
    """
    sweeper, listing = _plugin(command), Listing(command)
    launcher, sweeper.launcher = sweeper.launcher, listing
    sweeper.sweep(command.overrides)
    return listing, launcher


def _plugin(command: Command) -> Any:
    """The sweeper of a grid, or the launcher of one cell."""
    context = HydraContext(command.loader, Callbacks())
    plugins = Plugins.instance()
    instantiate = plugins.instantiate_sweeper if command.sweeping else plugins.instantiate_launcher
    try:
        return instantiate(
            hydra_context=context, task_function=lambda _: None, config=command.config
        )
    except (HydraException, ImportError, RuntimeError, TypeError) as error:
        raise InputError(joined(str(error))) from error


def _loader(parsed: argparse.Namespace) -> ConfigLoader:
    """Loader of configurations, which looks in the folder of --config-dir too."""
    return _hydra(parsed).config_loader


def _hydra(parsed: argparse.Namespace) -> Hydra:
    """Hydra, with the folder of --config-dir before ours. Raises InputError if it is not there."""
    version.setbase("1.3")
    conf = Path(parsed.config_path).resolve() if parsed.config_path else CONF
    search = create_config_search_path(str(conf))
    if parsed.config_dir is not None:
        folder = Path(parsed.config_dir).resolve()
        if not folder.is_dir():
            raise InputError(f"--config-dir={parsed.config_dir}: no such folder")
        assert isinstance(search, ConfigSearchPathImpl)
        search.prepend("command-line", f"file://{folder}", SearchPathQuery(provider="schema"))
    GlobalHydra.instance().clear()
    return Hydra.create_main_hydra2("grokpipe", search)


def _check(texts: Sequence[str], loader: ConfigLoader) -> None:
    """Check each override by itself."""
    overrides = [parse(text) for text in texts]
    plain = [override for override in overrides if not override.is_sweep_override()]
    check_choices({override.key_or_group: override.value() for override in plain})
    for override in overrides:
        first, _, rest = override.key_or_group.replace("/", ".").partition(".")
        if first == "hydra" and rest.partition(".")[0] not in HONOURED:
            valid = ", ".join(f"hydra.{name}" for name in HONOURED)
            raise InputError(f"{override.input_line}: has no effect here; valid: {valid}")
        if first == "hydra" and override.is_sweep_override():
            raise InputError(f"{override.input_line}: one value for all cells; cannot be swept")
        names_one = override.is_delete() or isinstance(override.value(), str)
        if first in GROUPS and not rest and not names_one and not override.is_sweep_override():
            valid = ", ".join(choices(loader, first, texts))
            raise InputError(f"{override.input_line}: must name one choice; valid: {valid}")
    chosen = Counter(o.input_line for o in overrides if o.key_or_group == "experiment")
    if len(chosen) > 1:
        raise InputError(f"{' '.join(map(str, chosen))}: give one experiment at a time")


def _check_single(texts: Sequence[str]) -> None:
    """Refuse several values of a key in a command without -m."""
    for override in map(parse, texts):
        if override.is_sweep_override():
            raise InputError(
                f"{override.input_line}: several values; add -m to train a grid of them "
                "(a list is written in brackets, a text with commas in quotes)"
            )


def _check_plugins(node: DictConfig) -> None:
    """Check the launcher, and refuse what would run code that a configuration names.

    `node` is the composed `hydra`.
    """
    unused = ("callbacks", "job.env_set", "job.env_copy", "job_logging.root", "hydra_logging.root")
    for name in unused:
        if OmegaConf.select(node, name):
            raise InputError(f"hydra.{name}: has no effect here; remove it")
    for name in ("launcher", "sweeper"):
        if not OmegaConf.is_dict(node[name]):
            raise InputError(f"hydra.{name}={node[name]}: write hydra/{name}=… to choose one")
    target, name = node.launcher.get("_target_"), node.runtime.choices["hydra/launcher"]
    if not str(target).startswith(LAUNCHERS):
        ours = name in ("local", "slurm", "serial")  # then a file names another class
        chosen = f"hydra.launcher._target_={target}" if ours else f"hydra/launcher={name}"
        raise InputError(f"{chosen}: must be local, slurm or serial")
    for key in (key for key in node.launcher if key != "_target_"):
        if "_target_" in str(node.launcher[key]):
            raise InputError(f"hydra.launcher.{key}: names code to run")


def _check_same_launcher(node: DictConfig, master: DictConfig) -> None:
    """Check that a cell does not ask for another launcher than the one that launches it.

    Where experiments are swept, none of their files was read when the launcher was chosen.
    """
    if OmegaConf.to_yaml(node.launcher) != OmegaConf.to_yaml(master.launcher):
        raise InputError(
            f"experiment={node.runtime.choices.get('experiment')}: its file sets the launcher; "
            "give one experiment at a time"
        )
