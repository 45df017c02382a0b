"""Small cells on which a component is tried."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from grokpipe.cell import Cell
from grokpipe.config.composing import CONF
from grokpipe.config.hydra_errors import one_line
from grokpipe.config.resolving import resolve
from grokpipe.config.schema import GROUPS, Config, register
from grokpipe.errors import InputError

SEEDS = (0, 1, 2)
STEPS = 24
RUN = (
    f"steps={STEPS}", "eval={schedule: regular, every: 8}", "batch_size=8", "dtype=float64",
    "device=cpu", "compile=off", "measures.names=[weights]", "progress=false",
)  # fmt: skip
TASK = ("task=mod_add", "task.p=7", "task.fraction=0.5")
ARCH = ("arch=mlp", "arch.width=8", "arch.depth=1")
SHARES = (1.0, 0.75, 0.5)
"""factors by which a value that may differ within a pack differs between the cells"""


def config(overrides: Sequence[str]) -> Config:
    """Compose and check a small configuration with these overrides.

    The sizes of the default task and architecture are left out where another one is chosen. Raises
    InputError, in one line, for what is wrong with the overrides.
    """
    groups = {text.partition("=")[0] for text in overrides}
    task = () if "task" in groups else TASK
    arch = () if "arch" in groups else ARCH
    texts = [*task, *arch, *RUN, *overrides]
    register()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        try:
            composed = compose("config", texts)
        except Exception as error:
            raise InputError(one_line(error, loader, [texts])) from error
        return resolve(composed)


def cells(overrides: Sequence[str]) -> list[Cell]:
    """One cell a seed. Values of groups that may differ within a pack differ."""
    base = config(overrides)
    return [
        Cell.of(_with_share(replace(base, seed=seed), share))
        for seed, share in zip(SEEDS, SHARES, strict=True)
    ]


def _with_share(config: Config, share: float) -> Config:
    changed = {
        group: _scaled(getattr(config, group), share)
        for group in GROUPS
        if group in ("optimizer", "intervention")
    }
    return replace(config, **changed)


def _scaled(node: Any, share: float) -> Any:
    """The node, its numbers that may differ within a pack times `share` where that is valid."""
    changed = {}
    for item in fields(node):
        rule, value = item.metadata.get("rule"), getattr(node, item.name)
        if (
            rule
            and rule.per_cell
            and type(value) is float
            and rule.complaint(share * value) is None
        ):
            changed[item.name] = share * value
    return replace(node, **changed)
