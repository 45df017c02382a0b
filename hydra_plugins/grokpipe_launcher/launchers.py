"""Hydra launchers: hand all cells of a sweep to grokpipe.launch, which checks them first."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig, OmegaConf

from grokpipe.executors.settings import LocalSettings, SerialSettings, SlurmSettings

if TYPE_CHECKING:  # it is imported with PyTorch
    from grokpipe.launch.executor import Executor

HERE = "hydra_plugins.grokpipe_launcher.launchers"


@dataclass
class SerialConfig(SerialSettings):
    """Node of `hydra/launcher=serial`."""

    _target_: str = f"{HERE}.SerialLauncher"


@dataclass
class LocalConfig(LocalSettings):
    """Node of `hydra/launcher=local`."""

    _target_: str = f"{HERE}.LocalLauncher"


@dataclass
class SlurmConfig(SlurmSettings):
    """Node of `hydra/launcher=slurm`."""

    _target_: str = f"{HERE}.SlurmLauncher"


for name, node in (("serial", SerialConfig), ("local", LocalConfig), ("slurm", SlurmConfig)):
    ConfigStore.instance().store(group="hydra/launcher", name=name, node=node, provider="grokpipe")


class GrokpipeLauncher(Launcher):
    """Base of the launchers."""

    trains: str
    """dotted name of the executor class that trains the packs"""

    def __init__(self, **settings: Any):
        self.settings = {
            name: OmegaConf.to_object(value) if OmegaConf.is_config(value) else value
            for name, value in settings.items()
        }

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self.hydra_context = hydra_context
        self.config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Launch the cells; return each one's final test accuracy to the sweeper.

        NaN for a failed cell, and for every cell with wait=false.
        """
        from grokpipe.config.command import compose_jobs
        from grokpipe.config.overrides import varying
        from grokpipe.launch import launcher

        applied, configs = compose_jobs(
            self.hydra_context.config_loader, self.config, job_overrides
        )
        labels = [" ".join(overrides) for overrides in varying(applied)]
        experiment = configs[0][1].runtime.choices.get("experiment")
        executor = self.executor()
        outcomes = launcher.run([config for config, _ in configs], labels, experiment, executor)
        values = [outcome.test_accuracy for outcome in outcomes] or [float("nan")] * len(configs)
        return [
            JobReturn(overrides=overrides, status=JobStatus.COMPLETED, _return_value=value)
            for overrides, value in zip(job_overrides, values, strict=True)
        ]

    def executor(self) -> "Executor":
        """Build the executor with the launcher's settings. Raises InputError for a wrong one."""
        from grokpipe.config.resolving import unknown
        from grokpipe.errors import InputError

        executor = _loaded(self.trains)
        valid = [item.name for item in fields(executor)]
        for name in self.settings.keys() - valid:
            prefix = "hydra.launcher."
            raise InputError(unknown(f"{prefix}{name}", [f"{prefix}{key}" for key in valid]))
        return executor(**self.settings)


def _loaded(name: str) -> Any:
    """Import a class when it is needed: executors import PyTorch, which takes seconds."""
    module, _, last = name.rpartition(".")
    return getattr(import_module(module), last)


class SerialLauncher(GrokpipeLauncher):
    """Trains packs one after another in this process."""

    trains = "grokpipe.executors.serial.Serial"


class LocalLauncher(GrokpipeLauncher):
    """Trains packs in processes of this machine: one per core, or a few per GPU."""

    trains = "grokpipe.executors.local.Local"

    def executor(self) -> "Executor":
        """Train one cell without -m in this process, unless the launcher or its settings were
        chosen."""
        chosen = any(
            text.startswith("hydra/launcher=") for text in self.config.hydra.overrides.hydra
        )
        settings = {**self.settings, "dry_run": False}
        is_default = not chosen and settings == vars(LocalSettings())
        if self.config.hydra.mode == RunMode.RUN and is_default:
            return _loaded(SerialLauncher.trains)(dry_run=self.settings["dry_run"])
        return super().executor()


class SlurmLauncher(GrokpipeLauncher):
    """Trains packs as elements of a SLURM job array."""

    trains = "grokpipe.executors.slurm.Slurm"
