"""Commands that give chosen cells a longer budget: exactly these, and as they were trained.

A command sets what differs from the composed defaults, so that it stays short and means the same
cell. Cells are divided into products of lists, as a sweep trains every combination.
"""

import copy
import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict

from grokpipe.config.composing import CONF
from grokpipe.config.invocation import called
from grokpipe.config.schema import GROUPS, register
from grokpipe.store import manifest
from grokpipe.store.configuration import read_config

Overrides = dict[str, str]
"""override texts by key, in the order of the command"""

FACTOR = 2  # of the new budget to the one that was not enough
APART = ("experiment", "stop.")  # keys whose values cannot be swept
NEVER = ("force", "intervention.trajectory")
"""keys that a command leaves alone: the launcher sets the trajectory"""


def commands(folder: Path, keys: Sequence[str]) -> tuple[list[str], dict[str, Overrides]]:
    """Shell commands that train the cells `keys` of `outputs/<name>` for FACTOR times their steps,
    each at the evaluations of the shorter run; and what tells one cell from the others."""
    experiments = dict(manifest.read_columns(folder, ("key", "experiment")))
    logs = {key: manifest.cells_folder(folder) / key for key in keys}

    def all_overrides(also: Collection[str] = ()) -> dict[str, Overrides]:
        return {
            key: overrides(folder, read_config(log), experiments.get(key), also)
            for key, log in logs.items()
        }

    # what one cell sets, the others set too, so that the default value can be swept with others
    cells = all_overrides({name for own in all_overrides().values() for name in own})
    shared = set.intersection(*(set(own.items()) for own in cells.values())) if cells else set()
    varying = {
        key: {name: text for name, text in own.items() if (name, text) not in shared}
        for key, own in cells.items()
    }
    return [command(product) for product in products([*cells.values()])], varying


def longer(config: Mapping[str, Any]) -> dict[str, Any]:
    """The nested configuration with FACTOR times the steps and the same evaluations."""
    steps, spaced = config["steps"], config["eval"]
    budget = spaced.get("budget") or steps
    changed = spaced | ({"budget": budget} if spaced["schedule"] == "published" else {})
    return {**config, "steps": FACTOR * steps, "eval": changed}


def overrides(
    folder: Path, config: Mapping[str, Any], experiment: str | None, also: Collection[str] = ()
) -> Overrides:
    """What a command must set to train the cell of this stored configuration for longer, and the
    keys `also`, as far as the cell has them."""
    wanted = longer(config) | {"name": folder.name, "outputs": str(folder.parent)}
    chosen = {"experiment": experiment} if experiment and _composed(experiment) else {}
    swept = _compose(**chosen)[1]  # a grid's own keys must be set, lest they be swept
    for group in GROUPS:  # the task first, as it chooses an architecture of its own
        name = wanted[group]["name"]
        if group in (*swept, *also) or name != _compose(**chosen)[0][group]["name"]:
            chosen[group] = _option(group, name)
    given: Overrides = {name: _text(value) for name, value in chosen.items()}

    target = {name: value for name, value in _leaves(wanted) if name not in NEVER}
    present = copy.deepcopy(_compose(**chosen)[0])
    for depth in (0, 1, 2):  # outer keys first, as groups may take their values from them
        resolved = OmegaConf.to_container(present, resolve=True)
        assert isinstance(resolved, dict)
        now = dict(_leaves(resolved))
        for name, value in target.items():
            due = name in (*swept, *also) or now.get(name) != value
            if name.count(".") == depth and due:
                given[name] = _text(value)
                with open_dict(present):
                    OmegaConf.update(present, name, value, merge=False)
    return given


def products(cells: Sequence[Overrides]) -> list[dict[str, list[str]]]:
    """Divide cells into few products of lists, which together have each cell once.

    Values of one key are joined where all other keys agree, those of the seed first.
    """
    found = [{name: [text] for name, text in own.items()} for own in cells]
    names = dict.fromkeys(["seed", *(name for own in cells for name in own)])
    for name in names:
        if name.startswith(APART):
            continue
        joined: dict[str, dict[str, list[str]]] = {}
        for product in found:
            rest = json.dumps({**product, name: name in product}, sort_keys=True)
            if rest in joined and name in product:
                joined[rest][name] = _sorted([*joined[rest][name], *product[name]])
            else:
                joined[rest] = product
        found = [*joined.values()]
    return found


def command(product: Mapping[str, Sequence[str]]) -> str:
    """The shell command that trains a product of lists."""
    sweeps = any(len(texts) > 1 for texts in product.values())
    words = [f"{name}={_listed(texts)}" for name, texts in product.items()]
    return f"{called('grokpipe')} {shlex.join([*(['-m'] if sweeps else []), *words])}"


def _listed(texts: Sequence[str]) -> str:
    """Values of one key in Hydra's grammar: `range` for consecutive numbers."""
    if len(texts) > 2 and all(re.fullmatch(r"\d+", text, re.ASCII) for text in texts):
        numbers = [*map(int, texts)]
        if numbers == [*range(numbers[0], numbers[-1] + 1)]:
            return f"range({numbers[0]},{numbers[-1] + 1})"
    return ",".join(texts)


def _sorted(texts: Sequence[str]) -> list[str]:
    """Numbers in their order, other values in the order of their texts."""
    try:
        return sorted(texts, key=float)
    except ValueError:
        return sorted(texts)


def _text(value: Any) -> str:
    """A value in Hydra's grammar of overrides."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_text, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{name}:{_text(item)}" for name, item in value.items()) + "}"
    if not isinstance(value, str):
        return repr(value)
    plain = re.fullmatch(r"[A-Za-z_/][\w./-]*", value, re.ASCII)
    if plain and value.lower() not in ("null", "true", "false", "nan", "inf"):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _leaves(values: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and values of a nested configuration; lists stay whole."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


@cache
def _option(group: str, name: str) -> str:
    """The option of a group that chooses the module `name`: `task=s5` loads tasks/symmetric.py."""
    options = sorted((CONF / group).glob("*.yaml"), key=lambda path: (path.stem != name, path.stem))
    fitting = (
        path.stem for path in options if _compose(**{group: path.stem})[0][group]["name"] == name
    )
    return next(fitting, name)


def _composed(experiment: str) -> bool:
    """Whether the experiment is still among the configurations."""
    try:
        _compose(experiment=experiment)
    except HydraException:
        return False
    return True


@cache
def _compose(**chosen: str) -> tuple[DictConfig, tuple[str, ...]]:
    """The composed configuration of these choices, and the keys that its experiment sweeps."""
    register()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(
            "config", [f"{group}={name}" for group, name in chosen.items()],
            return_hydra_config=True,
        )  # fmt: skip
    swept = tuple(config.hydra.sweeper.get("params") or {})
    with open_dict(config):
        del config["hydra"]
    return config, swept
