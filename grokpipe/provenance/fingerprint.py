"""Fingerprints of the scientific code that trained a cell, taken from numbers, not from text.

A trajectory is a configuration apart from its seed, its shared defaults (rate, decay, initial
scale) and its length. The fingerprint hashes what the present code logs in the first steps of that
trajectory (golden.py). Code that computes the same has the same fingerprint, however it is written:
run logs of one trajectory are comparable if and only if their fingerprints agree. Columns that a
measure gained in a later release are left out, so that older runs do not count as stale.

Fingerprints are kept in the user's cache folder, by the text of the code. Importing this module and
looking a fingerprint up needs no PyTorch.

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

from grokpipe import plugins
from grokpipe.config.fields import scientific_values
from grokpipe.config.schema import GROUPS, Config
from grokpipe.store import files

PACKAGE = Path(__file__).resolve().parents[1]

CANONICAL = {"seed": 0, "lr": 1e-3, "weight_decay": 0.1, "init_scale": 1.0}
"""values of the golden cell for the keys, where not null, in which cells of one trajectory differ:
mild enough that four steps of every optimiser and loss stay finite"""

LENGTH = ("steps", "eval", "stop")
"""scientific keys that do not affect how a step or a measure is computed"""


def fingerprint(config: Config) -> str:
    """Fingerprint of a configuration by the present code: `<trajectory>:<16 hexadecimal digits>`.

    Takes a second or two if it is not in the cache. Raises InputError if configuration and data do
    not fit, or the data are not available.
    """
    identity = trajectory(config)
    digits = known(identity)
    if digits is None:
        from grokpipe.provenance import golden

        later = golden.columns_added_later(config.measures.all)
        rows = [
            {name: value for name, value in row.items() if name not in later}
            for row in golden.evaluations(canonical(config))
        ]
        digits = hashed([quantised(row) for row in rows])
        _remember(identity, digits)
    return f"{identity}:{digits}"


def trajectory(config: Config) -> str:
    """Hash of the trajectory, 16 hexadecimal digits: equal for a grid over seeds, rates, decays."""
    values = scientific_values(canonical(config))
    return hashed({name: value for name, value in values.items() if name not in LENGTH})


def canonical(config: Config) -> Config:
    """Configuration of the golden cell: `CANONICAL` values, in the groups' copies too."""
    groups = {group: _with_canonical(getattr(config, group)) for group in GROUPS}
    changed: Config = _with_canonical(replace(config, **groups))
    return changed


def _with_canonical(node: Any) -> Any:
    present = {item.name for item in fields(node) if getattr(node, item.name) is not None}
    return replace(node, **{name: value for name, value in CANONICAL.items() if name in present})


def quantised(row: dict[str, float]) -> dict[str, str]:
    """Round each number to eight decimals and six significant digits, on which machines agree."""
    return {name: f"{round(value, 8) + 0.0:.5e}" for name, value in row.items()}  # −0 + 0 is 0


def hashed(value: Any) -> str:
    """Hash plain values, whatever the order of their names: 16 hexadecimal digits of SHA-256."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@lru_cache
def source() -> str:
    """Hash the text of the package, of packages that add components to it, and the versions of
    PyTorch and NumPy: 16 hexadecimal digits.

    The files are read at the first call, so call the function before they can have changed.
    """
    paths = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
    paths |= {f"installed/{name}": path for name, path in plugins.sources().items()}
    texts = {n: hashlib.sha256(path.read_bytes()).hexdigest() for n, path in paths.items()}
    return hashed([texts, version("torch"), version("numpy")])


def known(trajectory: str) -> str | None:
    """Digits of the trajectory's fingerprint by the present code, if they are in the cache."""
    return _stored().get(trajectory)


def _cache_folder() -> Path:
    return Path(pooch.os_cache("grokpipe")) / "fingerprints"


def _stored() -> dict[str, str]:
    """Fingerprints by trajectory for the present source; none if the file is missing or damaged."""
    try:
        stored = json.loads((_cache_folder() / f"{source()}.json").read_text())
    except (OSError, ValueError):
        return {}
    pairs = stored.items() if isinstance(stored, dict) else ()
    return {name: digits for name, digits in pairs if isinstance(digits, str)}


def _remember(trajectory: str, digits: str) -> None:
    """Store the digits; if two processes write at once, what the earlier wrote may be lost."""
    with contextlib.suppress(OSError):  # a cache only saves time
        path = _cache_folder() / f"{source()}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_json(path, {**_stored(), trajectory: digits})
