"""Hydra's basic sweeper without its check of each cell: the launcher checks them all at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper, BasicSweeperConf
from hydra.core.config_store import ConfigStore


@dataclass
class GridConfig(BasicSweeperConf):
    """Node of `hydra/sweeper=grid`."""

    _target_: str = "hydra_plugins.grokpipe_sweeper.grid.GridSweeper"


ConfigStore.instance().store(
    group="hydra/sweeper", name="grid", node=GridConfig, provider="grokpipe"
)


class GridSweeper(BasicSweeper):
    """Sweeps every combination of lists, `range`, `choice` and `glob`, as Hydra's own sweeper."""

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Skip the check, which composes every cell (60 ms each); the launcher composes them
        anyway."""
