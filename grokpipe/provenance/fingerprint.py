"""Which scientific code a cell was trained by: its fingerprint, taken from numbers, not from text.

A trajectory is what a configuration trains, apart from its seed, its dials and its length; the
fingerprint hashes what the code as it is now logs of a few steps of it (golden.py). Code that
computes the same has the same fingerprint, however it is written, so run logs of one trajectory can
stand in one table exactly if their fingerprints agree. A column that a measure came to log in a
later release is left out: runs that were trained before it are not stale for the lack of it.

Fingerprints are kept in the user's cache folder, by the text of the code. Importing this module,
and looking one up, needs no PyTorch.

    python -m grokpipe.fingerprint outputs/default/cells/*
"""

import contextlib
import hashlib
import json
from dataclasses import fields, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pooch

from grokpipe.config.fields import scientific_values
from grokpipe.config.schema import GROUPS, Config
from grokpipe.store import files

PACKAGE = Path(__file__).resolve().parents[1]

CANONICAL = {"seed": 0, "lr": 1e-3, "weight_decay": 0.1, "init_scale": 1.0}
"""what the cells of a trajectory differ in, where it is not null, as the golden one has it: mild
enough that four steps of every optimiser and loss stay finite"""

LENGTH = ("steps", "eval", "stop")
"""scientific, but no part of how a step or a measure is computed"""


def fingerprint(config: Config) -> str:
    """`<trajectory>:<16 hexadecimal digits>` by the code as it is now; one that is not in the cache
    takes a second or two.

    Raises InputError if configuration and data do not fit, or the data are not to be had.
    """
    identity = trajectory(config)
    found = known(identity)
    if found is None:
        from grokpipe.provenance import golden

        later = golden.columns_added_later(config.measures.names)
        rows = [
            {name: value for name, value in row.items() if name not in later}
            for row in golden.evaluations(canonical(config))
        ]
        found = hashed([quantised(row) for row in rows])
        _remember(identity, found)
    return f"{identity}:{found}"


def trajectory(config: Config) -> str:
    """16 hexadecimal digits, the same for all cells of a grid over seed and dials."""
    values = scientific_values(canonical(config))
    return hashed({name: value for name, value in values.items() if name not in LENGTH})


def canonical(config: Config) -> Config:
    """The configuration of the golden cell: seed and dials, and the groups' copies of them, set."""
    groups = {group: _with_shared_values(getattr(config, group)) for group in GROUPS}
    changed: Config = _with_shared_values(replace(config, **groups))
    return changed


def _with_shared_values(node: Any) -> Any:
    present = {item.name for item in fields(node) if getattr(node, item.name) is not None}
    return replace(node, **{name: value for name, value in CANONICAL.items() if name in present})


def quantised(row: dict[str, float]) -> dict[str, str]:
    """Each number to eight decimals and six significant digits, fewer than machines agree on."""
    return {name: f"{round(value, 8) + 0.0:.5e}" for name, value in row.items()}  # −0 + 0 is 0


def hashed(value: Any) -> str:
    """16 hexadecimal digits of SHA-256 over plain values, in whatever order of names."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@lru_cache
def source() -> str:
    """16 hexadecimal digits over the text of the package and the versions of PyTorch and NumPy.

    Of the files when it is first called: call it before they can have changed.
    """
    texts = {
        path.relative_to(PACKAGE).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in PACKAGE.rglob("*.py")
    }
    return hashed([texts, version("torch"), version("numpy")])


def known(trajectory: str) -> str | None:
    """The second half of the trajectory's fingerprint by the code as it is now, from the cache."""
    return _stored().get(trajectory)


def _cache_folder() -> Path:
    return Path(pooch.os_cache("grokpipe")) / "fingerprints"


def _stored() -> dict[str, str]:
    """Trajectories → fingerprints by the present source; none if the file is missing or damaged."""
    try:
        stored = json.loads((_cache_folder() / f"{source()}.json").read_text())
    except (OSError, ValueError):
        return {}
    pairs = stored.items() if isinstance(stored, dict) else ()
    return {name: found for name, found in pairs if isinstance(found, str)}


def _remember(trajectory: str, found: str) -> None:
    """Of two processes that write at once the later one wins; what it loses is computed again."""
    with contextlib.suppress(OSError):  # a cache only saves time
        path = _cache_folder() / f"{source()}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_json(path, {**_stored(), trajectory: found})
