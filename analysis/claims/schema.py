"""The claims of a paper and their rules, as analysis/papers/<paper>/claims.yaml states them.

A quantity is named `module.function`, of the package analysis/<paper>/; figure N is the module
analysis/figures/<paper>/figure_N.py. A name in a file can only reach modules of these packages.
"""

import inspect
import math
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar, cast

import pandas as pd
import yaml

from analysis.claims.findings import Finding
from grokpipe.errors import InputError

CLAIMS = Path(__file__).parents[1] / "papers"
FIGURE = "figure_"
T = TypeVar("T")


@dataclass(frozen=True)
class Criterion:
    """One quantity and what is asked of it: either a range, or that every run shows it."""

    quantity: str
    """module.function"""
    compute: Callable[[Any], Finding]
    within: tuple[float, float] | None
    """an end may be infinite"""
    runs: int | None
    """every run shows it, of at least so many"""


@dataclass(frozen=True)
class Claim:
    """A published statement, with its number as it was published."""

    id: str
    where: str
    statement: str
    published: str
    experiment: str
    figure: int | None
    used: bool
    """the setting was chosen by it"""
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True)
class Published:
    """A table of the paper, as text."""

    name: str
    """Table 1"""
    where: str
    frame: pd.DataFrame


@dataclass(frozen=True)
class Further:
    """A module without a quantity of any claim, whose tables belong to the report."""

    module: str
    experiment: str
    """that they are of"""


@dataclass(frozen=True)
class Paper:
    """What one file states."""

    name: str
    title: str
    cite: str
    known: str
    """which runs were known when the rules were written; may be empty"""
    package: str
    figures: str
    """the package of its figures"""
    claims: tuple[Claim, ...]
    tables: tuple[Published, ...]
    further: tuple[Further, ...]


def names(folder: Path = CLAIMS) -> list[str]:
    return sorted(path.parent.name for path in folder.glob("*/claims.yaml"))


def read(
    name: str, folder: Path = CLAIMS, package: str | None = None, figures: str | None = None
) -> Paper:
    """The paper of a file `<folder>/<name>.yaml`; the packages are those of its name. Raises
    InputError for an unknown paper, and for content that is not as it should be, by claim and
    key."""
    if name not in names(folder):
        raise InputError(f"{name}: no such paper; valid: {', '.join(names(folder))}")
    path = folder / name / "claims.yaml"
    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    package, figures = (
        package or f"analysis.papers.{name}.estimates",
        figures or f"analysis.papers.{name}.figures",
    )
    found = _mapping(content, str(path), {"paper", "claims"}, {"tables", "further", "fingerprint"})
    of_paper = _mapping(found["paper"], f"{path}: paper", {"title", "cite"}, {"known"})
    claims = tuple(
        _claim(one, f"{path}: claims[{number}]", package, figures)
        for number, one in enumerate(_list(found["claims"], f"{path}: claims"))
    )
    ids = [claim.id for claim in claims]
    for id in ids:
        if ids.count(id) > 1:
            raise InputError(f"{path}: claim {id}: stands there twice")
    return Paper(
        name=name,
        title=str(of_paper["title"]),
        cite=str(of_paper["cite"]),
        known=str(of_paper.get("known", "")),
        package=package,
        figures=figures,
        claims=claims,
        tables=tuple(
            _published(one, f"{path}: tables[{number}]")
            for number, one in enumerate(_list(found.get("tables", []), f"{path}: tables"))
        ),
        further=tuple(
            _further(one, f"{path}: further[{number}]", package)
            for number, one in enumerate(_list(found.get("further", []), f"{path}: further"))
        ),
    )


def modules(package: str) -> list[str]:
    """The modules of a package without a leading underscore; none if there is no package."""
    if find_spec(package) is None:
        return []
    path = import_module(package).__path__
    return sorted(m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_"))


def figure_numbers(package: str) -> list[int]:
    """Of the figures that a package can draw."""
    found = (name.removeprefix(FIGURE) for name in modules(package) if name.startswith(FIGURE))
    return sorted(int(number) for number in found if number.isdecimal())


def _claim(given: object, where: str, package: str, figures: str) -> Claim:
    if isinstance(given, dict) and isinstance(given.get("id"), str):
        where = f"{where.partition(': ')[0]}: claim {given['id']}"
    found = _mapping(
        given,
        where,
        {"id", "where", "experiment", "statement", "published", "criteria"},
        {"figure", "used"},
    )
    figure, used = found.get("figure"), found.get("used", False)
    if figure is not None and figure not in (valid := figure_numbers(figures)):
        raise _wrong(where, "figure", figure, f"no such figure; valid: {_names(valid)}")
    if not isinstance(used, bool):
        raise _wrong(where, "used", used, "must be true or false")
    criteria = _list(found["criteria"], f"{where}: criteria")
    if not criteria:
        raise InputError(f"{where}: criteria: none")
    return Claim(
        id=_text(found, "id", where),
        where=_text(found, "where", where),
        statement=_text(found, "statement", where),
        published=_text(found, "published", where),
        experiment=_text(found, "experiment", where),
        figure=figure,
        used=used,
        criteria=tuple(
            _criterion(one, f"{where}: criteria[{number}]", package)
            for number, one in enumerate(criteria)
        ),
    )


def _criterion(given: object, where: str, package: str) -> Criterion:
    found = _mapping(given, where, {"quantity"}, {"within", "every", "runs"})
    name = _text(found, "quantity", where)
    if ("within" in found) == ("every" in found) or ("every" in found) != ("runs" in found):
        raise InputError(f"{where}: needs either within or both every and runs")
    within, runs = None, None
    if "within" in found:
        within = _range(found["within"], where)
    else:
        runs = found["runs"]
        if found["every"] is not True:
            raise _wrong(where, "every", found["every"], "must be true")
        if not isinstance(runs, int) or isinstance(runs, bool) or runs < 1:
            raise _wrong(where, "runs", runs, "must be a whole number, 1 at least")
    return Criterion(name, _quantity(package, name, where), within, runs)


def _quantity(package: str, name: str, where: str) -> Callable[[Any], Finding]:
    module, _, function = name.partition(".")
    if module not in (valid := modules(package)):
        raise _wrong(where, "quantity", name, f"no such module; valid: {_names(valid)}")
    functions = {
        attribute: value
        for attribute, value in vars(import_module(f"{package}.{module}")).items()
        if not attribute.startswith("_") and _gives_a_finding(value, package)
    }
    if function not in functions:
        raise _wrong(where, "quantity", name, f"no such function; valid: {_names(functions)}")
    return cast(Callable[[Any], Finding], functions[function])


def _gives_a_finding(value: object, package: str) -> bool:
    """Whether it is a function of the package that of one argument gives a Finding."""
    if not callable(value) or not str(getattr(value, "__module__", "")).startswith(f"{package}."):
        return False
    try:
        signature = inspect.signature(value)
    except ValueError:
        return False
    empty = inspect.Parameter.empty
    needed = [p for p in signature.parameters.values() if p.default is empty]
    return len(needed) == 1 and signature.return_annotation in (Finding, "Finding")


def _range(given: object, where: str) -> tuple[float, float]:
    ends = given if isinstance(given, list) else []
    numbers = [end for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    if len(ends) != 2 or len(numbers) != 2 or any(map(math.isnan, numbers)):
        raise _wrong(where, "within", given, "must be two numbers, [lower, upper]")
    if numbers[0] >= numbers[1]:
        raise _wrong(where, "within", given, "the lower end comes first")
    return float(numbers[0]), float(numbers[1])


def _published(given: object, where: str) -> Published:
    found = _mapping(given, where, {"name", "where", "rows"})
    rows = [
        {str(column): str(value) for column, value in _mapping(row, f"{where}: rows").items()}
        for row in _list(found["rows"], f"{where}: rows")
    ]
    frame = pd.DataFrame(rows).fillna("–")
    return Published(_text(found, "name", where), _text(found, "where", where), frame)


def _further(given: object, where: str, package: str) -> Further:
    found = _mapping(given, where, {"module", "experiment"})
    module = _text(found, "module", where)
    if module not in (valid := modules(package)):
        raise _wrong(where, "module", module, f"no such module; valid: {_names(valid)}")
    return Further(module, _text(found, "experiment", where))


def _mapping(
    given: object, where: str, needed: Iterable[str] = (), other: Iterable[str] = ()
) -> dict[str, Any]:
    """As it is; with `needed` no keys but those and `other`."""
    if not isinstance(given, dict):
        raise InputError(f"{where}: must be keys with values")
    valid = [*sorted(needed), *sorted(other)]
    for key in given if valid else ():
        if key not in valid:
            raise InputError(f"{where}: no such key {key}; valid: {_names(valid)}")
    for key in sorted(needed):
        if key not in given:
            raise InputError(f"{where}: {key} is missing")
    return given


def _list(given: object, where: str) -> list[Any]:
    if not isinstance(given, list):
        raise InputError(f"{where}: must be a list")
    return given


def _text(found: Mapping[str, Any], key: str, where: str) -> str:
    """A number stands for its text: 0.655."""
    if isinstance(found[key], bool) or not isinstance(found[key], str | int | float):
        raise _wrong(where, key, found[key], "must be text")
    return str(found[key])


def _wrong(where: str, key: str, value: object, why: str) -> InputError:
    return InputError(f"{where}: {key}={value}: {why}")


def _names(valid: Iterable[object]) -> str:
    return ", ".join(map(str, valid)) or "none"
