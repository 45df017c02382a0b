"""Resolve a component by name: `task: {name: mnist}` loads `grokpipe/tasks/mnist.py`; likewise for
every group.

Components are modules. Our own need no registration; those of installed packages are declared as
entry points (`grokpipe.plugins`). A name can only select one of these, so that a configuration read
from a file never decides which other code is imported.
"""

import difflib
import pkgutil
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

from grokpipe import plugins
from grokpipe.errors import InputError

NEEDED = {
    "tasks": ("Config", "load"),
    "archs": ("Config", "build"),
    "optimizers": ("Config", "Stacked"),
    "interventions": ("Config", "Stacked"),
    "measures": ("measure",),
}
"""what a module of each package must have"""


def names(package: str) -> list[str]:
    """List the choices of `package` (tasks, archs, …), installed ones included."""
    return sorted({*_own(package), *plugins.names(package)})


@lru_cache
def _own(package: str) -> tuple[str, ...]:
    """Names of our own choices: the package's modules without a leading underscore."""
    path = import_module(f"grokpipe.{package}").__path__
    return tuple(m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_"))


def module(package: str, name: str, key: str) -> ModuleType:
    """Import the module `name` of `package`.

    Raises InputError, naming the configuration key `key`, for a name that is no choice, that two
    packages have, or whose module does not import or lacks something.
    """
    ours = name in _own(package)
    entry = plugins.find(package, name, key, ours)
    if ours:
        return import_module(f"grokpipe.{package}.{name}")
    if entry is None:
        raise InputError(f"{key}={name}: no such choice; valid: {', '.join(names(package))}")
    return _installed(package, entry, key)


@lru_cache
def _installed(package: str, entry: EntryPoint, key: str) -> Any:
    """Import an installed component and check that it has what its group asks for."""
    found = plugins.load(entry)
    place = f"{key}={entry.name}: {entry.value} of {plugins.distribution(entry)}"
    if missing := [name for name in NEEDED[package] if not hasattr(found, name)]:
        raise InputError(f"{place}: lacks {' and '.join(missing)}")
    if "Config" in NEEDED[package]:
        if not is_dataclass(found.Config):
            raise InputError(f"{place}: Config must be a dataclass")
        items = fields(found.Config)
        if "name" not in [item.name for item in items]:
            raise InputError(f"{place}: Config lacks the field name: str = scientific()")
        for item in items:
            if "rule" not in item.metadata and not is_dataclass(item.default_factory):
                raise InputError(
                    f"{place}: Config.{item.name} must be declared with scientific() or "
                    "operational()"
                )
    return found


def modules(package: str, key: str) -> Iterator[tuple[str, ModuleType]]:
    """Yield name and module of each choice that can be imported, for lists of choices."""
    for name in names(package):
        try:
            found = module(package, name, key)
        except InputError:
            continue  # told when it is chosen
        yield name, found


def is_installed(package: str, name: str) -> bool:
    """Whether a component comes from another installed package."""
    return name not in _own(package) and name in plugins.names(package)


def nearest(name: str, valid: list[str]) -> list[str]:
    """Return up to three of the valid names that are most similar to `name`, the closest first."""

    def likeness(candidate: str) -> float:
        whole = difflib.SequenceMatcher(None, name, candidate).ratio()
        last = difflib.SequenceMatcher(
            None, name.rsplit(".", 1)[-1], candidate.rsplit(".", 1)[-1]
        ).ratio()
        initials = "".join(part[:1] for part in candidate.rsplit(".", 1)[-1].split("_"))
        return max(whole, last, float(name == initials))  # wd is weight_decay

    return sorted(valid, key=lambda key: (-likeness(key), key.count(".")))[:3]
