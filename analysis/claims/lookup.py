"""Functions that a claims file names, `module.function`: only those of the paper's own package."""

import inspect
import pkgutil
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, get_type_hints

from grokpipe.errors import InputError


def modules(package: str) -> list[str]:
    """The modules of a package without a leading underscore; none if there is no package."""
    if find_spec(package) is None:
        return []
    path = import_module(package).__path__
    return sorted(m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_"))


def function(package: str, name: str, returns: Iterable[Any], where: str) -> Callable[..., Any]:
    """The function `module.function` of a package whose annotated result is one of `returns`.
    Raises InputError, with the valid names, for any other."""
    module, _, wanted = name.partition(".")
    if module not in (valid := modules(package)):
        raise InputError(f"{where}: no such module; valid: {listed(valid)}")
    content = vars(import_module(f"{package}.{module}"))
    functions = {
        attribute: value
        for attribute, value in content.items()
        if inspect.isfunction(value)
        and not attribute.startswith("_")
        and value.__module__.startswith(f"{package}.")
        and get_type_hints(value).get("return") in list(returns)
    }
    if wanted not in functions:
        raise InputError(f"{where}: no such function; valid: {listed(functions)}")
    return functions[wanted]


def listed(valid: Iterable[object]) -> str:
    return ", ".join(map(str, valid)) or "none"
