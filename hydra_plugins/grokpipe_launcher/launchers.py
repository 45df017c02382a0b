"""Hydra launchers: hand all cells of a sweep to grokpipe.launch, which checks them first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn, JobStatus, filter_overrides
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from grokpipe.executors.settings import LocalSettings, SerialSettings, SlurmSettings

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

    executor: str
    """dotted name of the executor class that trains the packs"""

    def __init__(self, **settings: Any):
        self.settings = settings

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
        from importlib import import_module

        from grokpipe.config.composing import applying, composed
        from grokpipe.config.grids import check_grid
        from grokpipe.launch import launcher

        module, _, name = self.executor.rpartition(".")
        settings = {k: OmegaConf.to_object(v) if OmegaConf.is_config(v) else v
                    for k, v in self.settings.items()}  # fmt: skip
        executor = getattr(import_module(module), name)(**settings)
        loader = self.hydra_context.config_loader
        applied = applying(loader, self.config, job_overrides)
        configs = composed(loader, self.config, applied)
        for (_, hydra), overrides in zip(configs, job_overrides, strict=True):
            check_grid(hydra, overrides, sweeping=True)
        labels = [" ".join(overrides) for overrides in varying_overrides(applied)]
        experiment = configs[0][1].runtime.choices.get("experiment")
        outcomes = launcher.run([config for config, _ in configs], labels, experiment, executor)
        values = [outcome.test_accuracy for outcome in outcomes] or [float("nan")] * len(configs)
        return [
            JobReturn(overrides=overrides, status=JobStatus.COMPLETED, _return_value=value)
            for overrides, value in zip(job_overrides, values, strict=True)
        ]


class SerialLauncher(GrokpipeLauncher):
    """Trains packs one after another in this process."""

    executor = "grokpipe.executors.serial.Serial"


class LocalLauncher(GrokpipeLauncher):
    """Trains packs in processes of this machine: one per core, or a few per GPU."""

    executor = "grokpipe.executors.local.Local"


class SlurmLauncher(GrokpipeLauncher):
    """Trains packs as elements of a SLURM job array."""

    executor = "grokpipe.executors.slurm.Slurm"


def varying_overrides(job_overrides: Sequence[Sequence[str]]) -> list[list[str]]:
    """Overrides of each job that not all jobs share, without Hydra's own."""
    kept = [list(filter_overrides(overrides)) for overrides in job_overrides]
    shared = set(kept[0]).intersection(*kept)
    return [[override for override in overrides if override not in shared] for overrides in kept]
