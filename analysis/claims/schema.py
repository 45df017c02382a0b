"""The arms, claims and rules of a paper, as analysis/papers/<paper>/claims.yaml states them.

The file is checked like a configuration: each node against a dataclass, by OmegaConf. A criterion
names a shared estimator (analysis/claims/estimators) or, with a dot, a function of the paper's own
package `estimates`; figure N is the module figures/figure_N.py, and every module of `tables` gives
tables of the report. A name in a file can only reach modules of the paper's package.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import yaml
from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from analysis.claims import arguments, lookup
from analysis.claims.arguments import Known
from analysis.claims.arms import ArmNode, Runs, comparison
from analysis.claims.estimate import Estimate
from analysis.claims.estimators import ESTIMATORS
from analysis.runs.experiments import Experiments, Unmatched
from grokpipe.errors import InputError

PAPERS = Path(__file__).parents[1] / "papers"
PACKAGES = "analysis.papers"
FIGURE = "figure_"
SPLIT, SPACING = "split", "spacing"
"""what `sensitivity` may change beside arguments: each strength of a column by itself; the steps
between the evaluations that are looked at"""
Node = TypeVar("Node")


@dataclass
class PaperNode:
    title: str = MISSING
    cite: str = MISSING
    known: str = ""
    """which runs were known when the rules were written"""


@dataclass
class CriterionNode:
    estimate: str = MISSING
    args: dict[str, Any] = field(default_factory=dict)
    within: list[float] | None = None
    every: bool | None = None
    runs: int | None = None
    sensitivity: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class ClaimNode:
    id: str = MISSING
    where: str = MISSING
    statement: str = MISSING
    published: str = MISSING
    criteria: list[dict[str, Any]] = MISSING
    figure: int | None = None
    used: bool = False


@dataclass
class PublishedNode:
    name: str = MISSING
    where: str = MISSING
    rows: list[dict[str, Any]] = MISSING


@dataclass
class FileNode:
    paper: dict[str, Any] = MISSING
    arms: dict[str, dict[str, Any]] = field(default_factory=dict)
    claims: list[dict[str, Any]] = MISSING
    tables: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Call:
    """An estimator with its arguments."""

    name: str
    args: Mapping[str, Any]
    """as the file states them"""
    function: Callable[..., Estimate]
    bound: Mapping[str, Any]
    """the same, names of functions resolved"""

    @property
    def key(self) -> str:
        """The same for calls that give the same estimate."""
        return f"{self.name} {sorted(self.args.items(), key=str)}"

    def __call__(self, runs: Runs) -> Estimate:
        return self.function(runs, **self.bound)


@dataclass(frozen=True)
class Variant:
    """The same estimate under another definition."""

    label: str
    call: Call
    spacing: int | None = None
    split: str | None = None

    def runs(self, runs: Runs) -> Iterator[tuple[str, Runs]]:
        """The runs to estimate from, each with a label: several for a split."""
        if self.spacing is not None:
            runs = runs.every(self.spacing)
        if self.split is None:
            yield self.label, runs
            return
        names = arguments.arms_of(self.call.function, self.call.args)
        arms = [runs.arm(name) for name in names if runs.arms[name].by == self.split]
        values = [set(arm.tables.cells[self.split]) for arm in arms]
        if not values or not set.intersection(*values):
            raise Unmatched(f"split: no arms of {self.call.name} that share {self.split}")
        for value in sorted(set.intersection(*values), key=abs):
            equal = arms[0].label_at(value).rpartition(", ")[2]
            yield ", ".join(filter(None, (self.label, equal))), runs.at(self.split, value)


@dataclass(frozen=True)
class Criterion:
    """One estimate and its rule: either a range, or that every run shows it."""

    call: Call
    within: tuple[float, float] | None
    """an end may be infinite"""
    runs: int | None
    """every run shows it, of at least so many"""
    sensitivity: tuple[Variant, ...] = ()


@dataclass(frozen=True)
class Claim:
    """A published statement, with its number as it was published."""

    id: str
    where: str
    statement: str
    published: str
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
class Paper:
    """The content of one file."""

    name: str
    title: str
    cite: str
    known: str
    """which runs were known when the rules were written; may be empty"""
    package: str
    """with the subpackages estimates, tables and figures"""
    arms: Mapping[str, ArmNode]
    claims: tuple[Claim, ...]
    tables: tuple[Published, ...]

    def runs(self, folder: Path) -> Runs:
        """The runs of this paper in a folder."""
        return Runs(Experiments(folder, self.name), self.arms)

    def modules(self, kind: str) -> list[str]:
        """The modules of one of its packages: estimates, tables, figures or commands."""
        return lookup.modules(f"{self.package}.{kind}")

    def figure_numbers(self) -> list[int]:
        """The numbers of the figures that the package can draw."""
        return figure_numbers(self.package)


def names(folder: Path = PAPERS) -> list[str]:
    """The papers that have a claims file."""
    return sorted(path.parent.name for path in folder.glob("*/claims.yaml"))


def read(name: str, folder: Path = PAPERS, package: str = PACKAGES) -> Paper:
    """The paper of a file `<folder>/<name>/claims.yaml`, of the package `<package>.<name>`. Raises
    InputError for an unknown paper, and for content that is not as it should be, by claim and
    key."""
    if name not in names(folder):
        raise InputError(f"{name}: no such paper; valid: {', '.join(names(folder)) or 'none'}")
    path, package = folder / name / "claims.yaml", f"{package}.{name}"
    text = path.read_text()
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if "${" in text:
        raise InputError(f"{path}: must not refer to other values (${{…}})")
    file = _typed(FileNode, content, str(path))
    paper = _typed(PaperNode, file.paper, f"{path}: paper")
    arms = {name: _arm(one, f"{path}: arm {name}") for name, one in file.arms.items()}
    known = Known(arms, f"{package}.estimates")
    claims = tuple(
        _claim(one, f"{path}: claims[{number}]", str(path), package, known)
        for number, one in enumerate(file.claims)
    )
    ids = [claim.id for claim in claims]
    for id in ids:
        if ids.count(id) > 1:
            raise InputError(f"{path}: claim {id}: stands there twice")
    tables = tuple(
        _published(one, f"{path}: tables[{number}]") for number, one in enumerate(file.tables)
    )
    return Paper(name, paper.title, paper.cite, paper.known, package, arms, claims, tables)


def figure_numbers(package: str) -> list[int]:
    """The numbers of the figures that a paper's package can draw."""
    found = lookup.modules(f"{package}.figures")
    numbers = (name.removeprefix(FIGURE) for name in found if name.startswith(FIGURE))
    return sorted(int(number) for number in numbers if number.isdecimal())


def _arm(given: dict[str, Any], where: str) -> ArmNode:
    node = _typed(ArmNode, given, where)
    for column, wanted in node.where.items():
        try:
            comparison(wanted)
        except InputError as error:
            raise InputError(f"{where}: where: {column}: {error}") from error
    return node


def _claim(given: dict[str, Any], where: str, path: str, package: str, known: Known) -> Claim:
    if isinstance(given.get("id"), str):
        where = f"{path}: claim {given['id']}"
    node = _typed(ClaimNode, given, where)
    if node.figure is not None and node.figure not in (valid := figure_numbers(package)):
        said = lookup.listed(valid)
        raise InputError(f"{where}: figure={node.figure}: no such figure; valid: {said}")
    if not node.criteria:
        raise InputError(f"{where}: criteria: none")
    criteria = tuple(
        _criterion(one, f"{where}: criteria[{number}]", known)
        for number, one in enumerate(node.criteria)
    )
    return Claim(
        node.id, node.where, node.statement, node.published, node.figure, node.used, criteria
    )


def _criterion(given: dict[str, Any], where: str, known: Known) -> Criterion:
    node = _typed(CriterionNode, given, where)
    if (node.within is None) == (node.every is None) or (node.every is None) != (node.runs is None):
        raise InputError(f"{where}: needs either within or both every and runs")
    if node.every is False:
        raise InputError(f"{where}: every=False: must be true")
    if node.runs is not None and node.runs < 1:
        raise InputError(f"{where}: runs={node.runs}: must be 1 at least")
    call = _call(node.estimate, node.args, where, known)
    variants = tuple(
        _variant(call, one, f"{where}: sensitivity[{number}]", known)
        for number, one in enumerate(node.sensitivity)
    )
    within = None if node.within is None else _range(node.within, where)
    return Criterion(call, within, node.runs, variants)


def _call(name: str, args: dict[str, Any], where: str, known: Known) -> Call:
    if "." in name:
        function = lookup.function(known.package, name, [Estimate], f"{where}: estimate={name}")
    elif name in ESTIMATORS:
        function = ESTIMATORS[name]
    else:
        valid = f"{lookup.listed(ESTIMATORS)}, or module.function of the paper's own"
        raise InputError(f"{where}: estimate={name}: no such estimator; valid: {valid}")
    return Call(name, args, function, arguments.bind(function, args, f"{where}: {name}", known))


def _variant(call: Call, given: dict[str, Any], where: str, known: Known) -> Variant:
    changes = dict(given)
    split, spacing = changes.pop(SPLIT, None), changes.pop(SPACING, None)
    if spacing is not None and (type(spacing) is not int or spacing < 1):
        raise InputError(f"{where}: spacing={spacing}: must be a number of steps")
    said = [_label(key, value) for key, value in changes.items()]
    said += [f"evaluated every {spacing:,} steps"] if spacing else []
    changed = _call(call.name, {**call.args, **changes}, where, known)
    names = arguments.arms_of(changed.function, changed.args)
    divided = [by for name in names if (by := known.arms[name].by) is not None]
    if split is not None and split not in divided:
        valid = lookup.listed(divided)
        raise InputError(f"{where}: split={split}: no arm is divided by it; valid: {valid}")
    return Variant(", ".join(said), changed, spacing, split)


def _label(argument: str, value: Any) -> str:
    """A changed argument for a reader; a function of a curve by its name alone."""
    if argument in ("test", "value"):
        return str(value).rpartition(".")[2].replace("_", " ")
    return f"{argument.replace('_', ' ')} {value}"


def _range(ends: list[float], where: str) -> tuple[float, float]:
    if len(ends) != 2 or any(map(math.isnan, ends)):
        raise InputError(f"{where}: within={ends}: must be two numbers, [lower, upper]")
    if ends[0] >= ends[1]:
        raise InputError(f"{where}: within={ends}: the lower end comes first")
    return ends[0], ends[1]


def _published(given: dict[str, Any], where: str) -> Published:
    node = _typed(PublishedNode, given, where)
    rows = [{str(column): str(value) for column, value in row.items()} for row in node.rows]
    return Published(node.name, node.where, pd.DataFrame(rows).fillna("–"))


def _typed(kind: type[Node], given: object, where: str) -> Node:
    """An instance of a dataclass with the values of a YAML node. Raises InputError for an unknown
    or missing key and for a value of another type."""
    if not isinstance(given, dict):
        raise InputError(f"{where}: must be keys with values")
    valid = [item.name for item in fields(kind)]  # type: ignore[arg-type]
    node = OmegaConf.structured(kind)
    for key, value in given.items():
        if key not in valid:
            raise InputError(f"{where}: no such key {key}; valid: {', '.join(valid)}")
        try:
            node[key] = value
        except OmegaConfBaseException as error:
            why = str(error.msg or error).splitlines()[0]
            raise InputError(f"{where}: {key}={value}: {why}") from error
    for key in valid:
        if OmegaConf.is_missing(node, key):
            raise InputError(f"{where}: {key} is missing")
    typed: Node = OmegaConf.to_object(node)  # type: ignore[assignment]
    return typed
