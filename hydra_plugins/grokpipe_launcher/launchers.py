"""Hydra's way into grokpipe.launch: all cells of a sweep at once, checked before any runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn, JobStatus, filter_overrides
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

HERE = "hydra_plugins.grokpipe_launcher.launchers"


@dataclass
class SerialConfig:
    _target_: str = f"{HERE}.SerialLauncher"
    dry_run: bool = False
    """tell what would run, and in how many packs; submit nothing"""


@dataclass
class LocalConfig:
    _target_: str = f"{HERE}.LocalLauncher"
    dry_run: bool = False
    """tell what would run, and in how many packs; submit nothing"""
    wait: bool = True
    """false: return when the processes have been started"""
    packs_per_gpu: int = 1
    """packs that share a GPU"""


@dataclass
class SlurmConfig:
    _target_: str = f"{HERE}.SlurmLauncher"
    dry_run: bool = False
    """tell what would run, and in how many packs and jobs; submit nothing"""
    wait: bool = True
    """false: return when the jobs have been submitted"""
    partition: str | None = None
    """null: the cluster's default"""
    time_min: int = 240
    """minutes that a job may take; one that needs more is requeued and goes on"""
    gpus: int = 0
    """of a job"""
    cpus: int = 1
    """of a job: the threads of its packs"""
    memory_gb: float | None = None
    """of a job; null: the cluster's default"""
    array_parallelism: int = 256
    """jobs of the array that run at once, at most"""
    packs_per_job: int = 1
    """trained one after another"""
    setup: list[str] = field(default_factory=list)
    """shell lines before the job's command, such as module load"""
    sbatch: list[str] = field(default_factory=list)
    """any further options of sbatch: ["account=…", "exclusive"]"""


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

        from grokpipe import launch
        from grokpipe.composing import composed
        from grokpipe.grids import check_grid

        module, _, name = self.executor.rpartition(".")
        settings = {k: OmegaConf.to_object(v) if OmegaConf.is_config(v) else v
                    for k, v in self.settings.items()}  # fmt: skip
        executor = getattr(import_module(module), name)(**settings)
        configs = composed(self.hydra_context.config_loader, self.config, job_overrides)
        for (_, hydra), overrides in zip(configs, job_overrides, strict=True):
            check_grid(hydra, overrides, sweeping=True)
        labels = [" ".join(overrides) for overrides in what_differs(job_overrides)]
        experiment = configs[0][1].runtime.choices.get("experiment")
        outcomes = launch.run([config for config, _ in configs], labels, experiment, executor)
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
