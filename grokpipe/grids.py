"""Experiments that are grids: their file says what is swept, and only -m sweeps it."""

from collections.abc import Sequence

from hydra.conf import HydraConf
from omegaconf import DictConfig

from grokpipe.errors import InputError


def check_grid(hydra: DictConfig | HydraConf, overrides: Sequence[str], sweeping: bool) -> None:
    """Raises InputError if the experiment sweeps a dial that this cell's `overrides` do not set:
    the cell would be a stray one beside the grid. `hydra` is the composed node of that name."""
    swept = list(hydra.sweeper.get("params") or {})
    given = {override.partition("=")[0].lstrip("+~") for override in overrides}
    if unset := [name for name in swept if name not in given]:
        experiment = hydra.runtime.choices.get("experiment")
        advice = (
            "give one experiment at a time"
            if sweeping
            else f"add -m, or set {' and '.join(unset)} to train one cell of it"
        )
        raise InputError(f"experiment={experiment}: a grid over {', '.join(swept)}; {advice}")
