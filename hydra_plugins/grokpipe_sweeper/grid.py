"""Sweep every combination of values: Hydra's basic sweeper, without what is not wanted here."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper, BasicSweeperConf
from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn


@dataclass
class GridConfig(BasicSweeperConf):
    """Node of `hydra/sweeper=grid`."""

    _target_: str = "hydra_plugins.grokpipe_sweeper.grid.GridSweeper"
    params: dict[str, str] | None = field(default_factory=dict)  # null cannot be added to


ConfigStore.instance().store(
    group="hydra/sweeper", name="grid", node=GridConfig, provider="grokpipe"
)


class GridSweeper(BasicSweeper):
    """Sweeps every combination of lists, `range`, `choice` and `glob`, as Hydra's own sweeper.

    It neither checks each cell before the launcher, which checks them anyway (60 ms each), nor
    writes a file, and the numbers of a range are exact in decimals.
    """

    def sweep(self, arguments: list[str]) -> list[Sequence[JobReturn]]:
        """Launch all jobs; return the launcher's results, batch by batch.

        Raises InputError for a sweep without values.
        """
        from grokpipe.config.overrides import parse_sweep
        from grokpipe.errors import InputError

        assert self.launcher is not None and self.hydra_context is not None
        if self.max_batch_size is not None and self.max_batch_size < 1:
            raise InputError(f"hydra.sweeper.max_batch_size={self.max_batch_size}: must be ≥ 1")
        loader = self.hydra_context.config_loader
        overrides = parse_sweep([*self._parse_config(), *arguments], loader)
        returns: list[Sequence[JobReturn]] = []
        for batch in self.split_arguments(overrides, self.max_batch_size):
            jobs = sum(map(len, returns))
            returns.append(self.launcher.launch(batch, initial_job_idx=jobs))
        return returns
