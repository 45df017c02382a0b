"""Grids of experiments, whose file lists what is swept, and grids of groups with different keys."""

from collections.abc import Sequence

from hydra.conf import HydraConf
from omegaconf import DictConfig

from grokpipe.config.overrides import parse
from grokpipe.config.schema import GROUPS
from grokpipe.errors import InputError


def check_grid(hydra: DictConfig | HydraConf, overrides: Sequence[str], sweeping: bool) -> None:
    """Check that `overrides` set every key that the experiment sweeps, else raise InputError.

    A cell that sets only some of them would not lie on the experiment's grid. `hydra` is the
    composed node of that name.
    """
    swept = list(hydra.sweeper.get("params") or {})
    given = {override.partition("=")[0].lstrip("+~") for override in overrides}
    if unset := [name for name in swept if name not in given]:
        experiment = hydra.runtime.choices.get("experiment")
        source = f"experiment={experiment}" if experiment else "hydra.sweeper.params"
        advice = (
            "give one experiment at a time"
            if sweeping
            else f"add -m, or set {' and '.join(unset)} to train one cell of it"
        )
        raise InputError(f"{source}: a grid over {', '.join(swept)}; {advice}")


def with_late_keys(arguments: Sequence[str]) -> list[str]:
    """Rewrite the overrides of a sweep so that Hydra's first composition accepts them.

    That composition ignores swept values: with task=mod_add,s5 it uses the default task and its
    architecture, and would reject arch.norm=pre. Where a group is swept, keys of groups are
    therefore written as sweeps over one value. Raises InputError for wrong syntax.
    """
    overrides = {text: parse(text) for text in arguments}
    choosing = (*GROUPS, "experiment")
    groups = [o for o in overrides.values() if o.key_or_group in choosing and o.is_sweep_override()]
    late = []
    for text, override in overrides.items():
        group, dot, _ = override.key_or_group.partition(".")
        plain = text[0] not in "+~" and not override.is_sweep_override()
        if groups and dot and group in GROUPS and plain:
            key, _, value = text.partition("=")
            text = f"{key}=choice({value})"
        late.append(text)
    return late
