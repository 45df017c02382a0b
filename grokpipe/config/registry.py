"""Choices by name: `task: {name: mnist}` is the module grokpipe/tasks/mnist.py; so in each room.

There is no registry. A name can only reach a module of its room, so that a configuration read from
a file never decides what code is imported.
"""

import difflib
import pkgutil
from importlib import import_module
from types import ModuleType

from grokpipe.errors import InputError


def names(room: str) -> list[str]:
    """The choices of a room: its modules without a leading underscore."""
    path = import_module(f"grokpipe.{room}").__path__
    return sorted(m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_"))


def module(room: str, name: str, key: str) -> ModuleType:
    """The module of a choice. Raises InputError that names the key and the choices."""
    if name not in names(room):
        raise InputError(f"{key}={name}: no such choice; valid: {', '.join(names(room))}")
    return import_module(f"grokpipe.{room}.{name}")


def nearest(name: str, valid: list[str]) -> list[str]:
    """Up to three of the valid names that look most like `name`, the likeliest first."""

    def likeness(candidate: str) -> float:
        whole = difflib.SequenceMatcher(None, name, candidate).ratio()
        last = difflib.SequenceMatcher(
            None, name.rsplit(".", 1)[-1], candidate.rsplit(".", 1)[-1]
        ).ratio()
        initials = "".join(part[:1] for part in candidate.rsplit(".", 1)[-1].split("_"))
        return max(whole, last, float(name == initials))  # wd is weight_decay

    return sorted(valid, key=lambda key: (-likeness(key), key.count(".")))[:3]
