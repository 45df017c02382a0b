"""Resolve a component by name: `task: {name: mnist}` loads `grokpipe/tasks/mnist.py`; likewise for
every group.

Components are modules and need no registration. A name can only select a module of its group's
package, so that a configuration read from a file never decides which other code is imported.
"""

import difflib
import pkgutil
from importlib import import_module
from types import ModuleType

from grokpipe.errors import InputError


def names(package: str) -> list[str]:
    """List the choices of `package` (tasks, archs, …): its modules without a leading underscore."""
    path = import_module(f"grokpipe.{package}").__path__
    return sorted(m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_"))


def module(package: str, name: str, key: str) -> ModuleType:
    """Import the module `name` of `package`.

    Raises InputError, naming the configuration key `key` and the valid choices, for any other name.
    """
    if name not in names(package):
        raise InputError(f"{key}={name}: no such choice; valid: {', '.join(names(package))}")
    return import_module(f"grokpipe.{package}.{name}")


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
