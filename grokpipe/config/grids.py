"""Grids: of experiments, whose file says what is swept, and of groups with different keys."""

from collections.abc import Sequence

from hydra.conf import HydraConf
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig

from grokpipe.config.schema import GROUPS
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


def with_late_keys(arguments: Sequence[str]) -> list[str]:
    """The arguments of a sweep, fit for Hydra's first composition, which knows nothing of what is
    swept: with task=mod_add,s5 it has the default task and its architecture, and would not know
    arch.norm=pre. A key of a group is therefore swept too, over one value, where groups are."""
    parser = OverridesParser.create()
    try:
        given = [text for text in arguments if "=" in text and not text.startswith("-")]
        overrides = {text: parser.parse_override(text) for text in given}
    except HydraException:
        return [*arguments]  # Hydra will say it better
    groups = [o for o in overrides.values() if o.key_or_group in GROUPS and o.is_sweep_override()]
    late = []
    for text in arguments:
        override = overrides.get(text)
        group, dot, _ = override.key_or_group.partition(".") if override else ("", "", "")
        plain = override is not None and text[0] not in "+~" and not override.is_sweep_override()
        if groups and dot and group in GROUPS and plain:
            key, _, value = text.partition("=")
            text = f"{key}=choice({value})"
        late.append(text)
    return late
