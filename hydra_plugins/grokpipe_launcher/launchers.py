"""Hydra's way into grokpipe.launch: all cells of a sweep at once, checked before any runs."""

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
    _target_: str = f"{HERE}.SerialLauncher"


@dataclass
class LocalConfig(LocalSettings):
    _target_: str = f"{HERE}.LocalLauncher"


@dataclass
class SlurmConfig(SlurmSettings):
    _target_: str = f"{HERE}.SlurmLauncher"


for name, node in (("serial", SerialConfig), ("local", LocalConfig), ("slurm", SlurmConfig)):
    ConfigStore.instance().store(group="hydra/launcher", name=name, node=node, provider="grokpipe")


class GrokpipeLauncher(Launcher):
    """What the launchers share; `executor` names what each hands the packs to."""

    executor: str

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
        """Gives the sweeper each cell's final test accuracy; NaN for a failed cell, and for every
        cell if nobody waited for them."""
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
        labels = [" ".join(overrides) for overrides in what_differs(applied)]
        experiment = configs[0][1].runtime.choices.get("experiment")
        outcomes = launcher.run([config for config, _ in configs], labels, experiment, executor)
        values = [outcome.test_accuracy for outcome in outcomes] or [float("nan")] * len(configs)
        return [
            JobReturn(overrides=overrides, status=JobStatus.COMPLETED, _return_value=value)
            for overrides, value in zip(job_overrides, values, strict=True)
        ]


class SerialLauncher(GrokpipeLauncher):
    """Packs one after another in this process."""

    executor = "grokpipe.executors.serial.Serial"


class LocalLauncher(GrokpipeLauncher):
    """Packs in processes of this machine: one to a core, or a few to a GPU."""

    executor = "grokpipe.executors.local.Local"


class SlurmLauncher(GrokpipeLauncher):
    """Packs as elements of a SLURM job array."""

    executor = "grokpipe.executors.slurm.Slurm"


def what_differs(job_overrides: Sequence[Sequence[str]]) -> list[list[str]]:
    """The overrides of each job that not all jobs share, Hydra's own left out."""
    kept = [list(filter_overrides(overrides)) for overrides in job_overrides]
    shared = set(kept[0]).intersection(*kept)
    return [[override for override in overrides if override not in shared] for overrides in kept]
