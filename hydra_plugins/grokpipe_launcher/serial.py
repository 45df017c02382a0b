"""Hydra's way into grokpipe.launch: all cells of a sweep at once, checked before any runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn, JobStatus, filter_overrides
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class SerialConfig:
    _target_: str = "hydra_plugins.grokpipe_launcher.serial.SerialLauncher"


ConfigStore.instance().store(
    group="hydra/launcher", name="serial", node=SerialConfig, provider="grokpipe"
)


class SerialLauncher(Launcher):
    """Runs the cells of a sweep one after another in this process."""

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self.hydra_context = hydra_context
        self.config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Gives the sweeper each cell's final test accuracy; a failed cell's is NaN."""
        from grokpipe import launch
        from grokpipe.grids import check_grid

        compose = self.hydra_context.config_loader.load_sweep_config
        composed = [compose(self.config, list(overrides)) for overrides in job_overrides]
        for config, overrides in zip(composed, job_overrides, strict=True):
            check_grid(config.hydra, overrides, sweeping=True)
        labels = [" ".join(overrides) for overrides in what_differs(job_overrides)]
        experiment = composed[0].hydra.runtime.choices.get("experiment")
        outcomes = launch.run(composed, labels, experiment)
        return [
            JobReturn(
                overrides=overrides, status=JobStatus.COMPLETED, _return_value=o.test_accuracy
            )
            for overrides, o in zip(job_overrides, outcomes, strict=True)
        ]


def what_differs(job_overrides: Sequence[Sequence[str]]) -> list[list[str]]:
    """The overrides of each job that not all jobs share, Hydra's own left out."""
    kept = [list(filter_overrides(overrides)) for overrides in job_overrides]
    shared = set(kept[0]).intersection(*kept)
    return [[override for override in overrides if override not in shared] for overrides in kept]
