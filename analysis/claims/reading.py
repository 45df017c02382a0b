"""Read the arms, claims and rules of a paper from analysis/papers/<paper>/claims.yaml.

The file is checked like a configuration: each node against a dataclass (`nodes`), by OmegaConf. A
criterion names a shared estimator (analysis/claims/estimators) or, with a dot, a function of the
paper's own package `estimates`; figure N is the module figures/figure_N.py, and every module of
`tables` gives tables of the report. A name in a file can only reach modules of the paper's package.
"""

import datetime
import math
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import yaml

from analysis.claims import arguments, lookup
from analysis.claims.arguments import Known
from analysis.claims.arms import Added, ArmNode
from analysis.claims.estimate import Estimate
from analysis.claims.estimators import ESTIMATORS
from analysis.claims.nodes import (
    AddedNode,
    AmendmentNode,
    BesideNode,
    ClaimNode,
    CriterionNode,
    FileNode,
    PaperNode,
    PublishedNode,
    ReplicatesNode,
    VersionNode,
    typed,
)
from analysis.claims.rules import Every, Replicates, Rule, Within
from analysis.claims.schema import (
    Amendment,
    Beside,
    Call,
    Claim,
    Criterion,
    Paper,
    Published,
    Variant,
    Version,
    figure_numbers,
)
from analysis.runs.selection import conditions
from grokpipe.errors import InputError

PAPERS = Path(__file__).parents[1] / "papers"
PACKAGES = "analysis.papers"
CLAIMS = "claims.yaml"
SPLIT, SPACING = "split", "spacing"
"""what `sensitivity` may change beside arguments: each strength of a column by itself; the steps
between the evaluations that are looked at"""
SCALES = ("linear", "log")


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # yaml has no types
    """Leaves a date as the text that it is."""

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def names(folder: Path = PAPERS) -> list[str]:
    """The papers that have a claims file."""
    return sorted(path.parent.name for path in folder.glob(f"*/{CLAIMS}"))


def read(name: str, folder: Path = PAPERS, package: str = PACKAGES) -> Paper:
    """The paper of a file `<folder>/<name>/claims.yaml`, of the package `<package>.<name>`. Raises
    InputError for an unknown paper, and for content that is not as it should be, by claim and
    key."""
    if name not in names(folder):
        raise InputError(f"{name}: no such paper; valid: {', '.join(names(folder)) or 'none'}")
    path, package = folder / name / CLAIMS, f"{package}.{name}"
    text = path.read_text()
    try:
        content = yaml.load(text, Loader=_Loader)  # a safe one
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if "${" in text:
        raise InputError(f"{path}: must not refer to other values (${{…}})")
    file = typed(FileNode, content, str(path))
    paper = typed(PaperNode, file.paper, f"{path}: paper")
    arms = {name: _arm(one, f"{path}: arm {name}") for name, one in file.arms.items()}
    known = Known(arms, f"{package}.estimates")
    later = tuple(
        _later(one, f"{path}: paper: later[{number}]") for number, one in enumerate(paper.later)
    )
    claims = tuple(
        _of_version(
            _claim(one, f"{path}: claims[{number}]", str(path), package, known), later, str(path)
        )
        for number, one in enumerate(file.claims)
    )
    ids = [claim.id for claim in claims]
    for id in ids:
        if ids.count(id) > 1:
            raise InputError(f"{path}: claim {id}: stands there twice")
    return Paper(
        name=name,
        title=paper.title,
        cite=paper.cite,
        says=paper.says,
        known=paper.known,
        package=package,
        path=path,
        arms=arms,
        claims=claims,
        tables=tuple(
            _published(one, f"{path}: tables[{number}]") for number, one in enumerate(file.tables)
        ),
        added=tuple(
            _added(one, f"{path}: paper: added[{number}]") for number, one in enumerate(paper.added)
        ),
        restated=tuple(paper.restated),
        files=tuple(paper.files),
        later=later,
    )


def _arm(given: dict[str, Any], where: str) -> ArmNode:
    node = typed(ArmNode, given, where)
    for column, wanted in node.where.items():
        _comparison(wanted, f"{where}: where: {column}")
    return node


def _comparison(wanted: Any, where: str) -> None:
    try:
        conditions.stated("", wanted)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _later(given: dict[str, Any], where: str) -> Version:
    node = typed(VersionNode, given, where)
    _date("written", node.written, where)
    return Version(node.title, node.written, node.known)


def _added(given: dict[str, Any], where: str) -> Added:
    node = typed(AddedNode, given, where)
    _date("date", node.date, where)
    for experiment, wanted in node.earlier.items():
        _comparison(wanted, f"{where}: earlier: {experiment}")
    return Added(node.date, node.earlier)


def _claim(given: dict[str, Any], where: str, path: str, package: str, known: Known) -> Claim:
    if isinstance(given.get("id"), str):
        where = f"{path}: claim {given['id']}"
    node = typed(ClaimNode, given, where)
    if node.figure is not None and node.figure not in (valid := figure_numbers(package)):
        said = lookup.listed(valid)
        raise InputError(f"{where}: figure={node.figure}: no such figure; valid: {said}")
    return Claim(
        id=node.id,
        where=node.where,
        statement=node.statement,
        published=node.published,
        figure=node.figure,
        used=node.used,
        criteria=_criteria(node.criteria, where, known),
        premise=None
        if node.premise is None
        else _criterion(node.premise, f"{where}: premise", known),
        caveat=node.caveat,
        beside=tuple(
            _beside(one, f"{where}: beside[{number}]", known)
            for number, one in enumerate(node.beside)
        ),
        amended=tuple(
            _amendment(one, f"{where}: amended[{number}]", known)
            for number, one in enumerate(node.amended)
        ),
        version=node.version,
    )


def _of_version(claim: Claim, later: tuple[Version, ...], path: str) -> Claim:
    """The claim with the date of its version's rules."""
    if claim.version == 1:
        return claim
    valid = range(1, len(later) + 2)
    if claim.version not in valid:
        said = f"version={claim.version}: no such version; valid: {lookup.listed(valid)}"
        raise InputError(f"{path}: claim {claim.id}: {said}")
    return replace(claim, written=later[claim.version - 2].written)


def _criteria(given: list[dict[str, Any]], where: str, known: Known) -> tuple[Criterion, ...]:
    if not given:
        raise InputError(f"{where}: criteria: none")
    return tuple(
        _criterion(one, f"{where}: criteria[{number}]", known) for number, one in enumerate(given)
    )


def _beside(given: dict[str, Any], where: str, known: Known) -> Beside:
    node = typed(BesideNode, given, where)
    return Beside(node.label, _call(node.estimate, node.args, where, known))


def _amendment(given: dict[str, Any], where: str, known: Known) -> Amendment:
    node = typed(AmendmentNode, given, where)
    _date("date", node.date, where)
    return Amendment(node.date, node.why, node.known, _criteria(node.criteria, where, known))


def _date(key: str, text: str, where: str) -> None:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{where}: {key}={text}: must be a date like 2026-11-27") from None


def _criterion(given: dict[str, Any], where: str, known: Known) -> Criterion:
    node = typed(CriterionNode, given, where)
    call = _call(node.estimate, node.args, where, known)
    if node.each is not None:
        _require_divided(call, node.each, f"{where}: each={node.each}", known)
    if node.of_strengths not in ("all", "any"):
        raise InputError(f"{where}: of_strengths={node.of_strengths}: must be all or any")
    rule = _rule(node, where)
    published, no_effect = node.published, node.no_effect
    if isinstance(rule, Replicates):
        published = rule.value if published is None else published
        no_effect = rule.no_effect if no_effect is None else no_effect
    return Criterion(
        call=call,
        rule=rule,
        each=node.each,
        of_strengths=node.of_strengths,  # type: ignore[arg-type]  # checked above
        published=published,
        no_effect=no_effect,
        sensitivity=tuple(
            _variant(call, one, f"{where}: sensitivity[{number}]", known)
            for number, one in enumerate(node.sensitivity)
        ),
    )


def _rule(node: CriterionNode, where: str) -> Rule:
    stated = [node.within is not None, node.every is not None, node.replicates is not None]
    if sum(stated) != 1 or (node.every is None) != (node.runs is None):
        raise InputError(f"{where}: needs either within, both every and runs, or replicates")
    if node.within is not None:
        return Within(*_range(node.within, f"{where}: within"))
    if node.replicates is not None:
        return _replicates(node.replicates, f"{where}: replicates")
    if node.every is False:
        raise InputError(f"{where}: every=False: must be true")
    assert node.runs is not None
    if node.runs < 1:
        raise InputError(f"{where}: runs={node.runs}: must be 1 at least")
    return Every(node.runs)


def _replicates(given: dict[str, Any], where: str) -> Replicates:
    node = typed(ReplicatesNode, given, where)
    if (node.runs is None) == (node.interval is None):
        raise InputError(f"{where}: needs either runs or interval, of the published number")
    if node.runs is not None and node.runs < 2:
        raise InputError(f"{where}: runs={node.runs}: must be 2 at least")
    if node.scale is not None and node.scale not in SCALES:
        raise InputError(f"{where}: scale={node.scale}: must be {' or '.join(SCALES)}")
    if node.scale == "log" and node.value <= 0:
        raise InputError(f"{where}: value={node.value}: has no logarithm")
    ends = None if node.interval is None else _range(node.interval, f"{where}: interval")
    return Replicates(node.value, node.runs, ends, node.no_effect, node.scale or "as estimated")  # type: ignore[arg-type]


def _call(name: str, args: dict[str, Any], where: str, known: Known) -> Call:
    if "." in name:
        function = lookup.function(known.package, name, [Estimate], f"{where}: estimate={name}")
    elif name in ESTIMATORS:
        function = ESTIMATORS[name]
    else:
        valid = f"{lookup.listed(ESTIMATORS)}, or module.function of the paper's own"
        raise InputError(f"{where}: estimate={name}: no such estimator; valid: {valid}")
    bound = arguments.bind(function, args, f"{where}: {name}", known)
    arms = ((arm, known.arms[arm]) for arm in arguments.arms_of(function, args))
    labels = tuple(node.label or arm.replace("_", " ") for arm, node in arms)
    return Call(name, args, function, bound, labels)


def _require_divided(call: Call, column: str, where: str, known: Known) -> None:
    names = arguments.arms_of(call.function, call.args)
    divided = [by for name in names if (by := known.arms[name].by) is not None]
    if column not in divided:
        raise InputError(f"{where}: no arm is divided by it; valid: {lookup.listed(divided)}")


def _variant(call: Call, given: dict[str, Any], where: str, known: Known) -> Variant:
    changes = dict(given)
    split, spacing = changes.pop(SPLIT, None), changes.pop(SPACING, None)
    if spacing is not None and (type(spacing) is not int or spacing < 1):
        raise InputError(f"{where}: spacing={spacing}: must be a number of steps")
    said = [_label(key, value) for key, value in changes.items()]
    said += [f"evaluated every {spacing:,} steps"] if spacing else []
    changed = _call(call.name, {**call.args, **changes}, where, known)
    if split is not None:
        _require_divided(changed, split, f"{where}: split={split}", known)
    return Variant(", ".join(said), changed, spacing, split)


def _label(argument: str, value: Any) -> str:
    """A changed argument for a reader; a function of a curve by its name alone."""
    if argument in ("test", "value"):
        return str(value).rpartition(".")[2].replace("_", " ")
    return f"{argument.replace('_', ' ')} {value}"


def _range(ends: list[float], where: str) -> tuple[float, float]:
    if len(ends) != 2 or any(map(math.isnan, ends)):
        raise InputError(f"{where}={ends}: must be two numbers, [lower, upper]")
    if ends[0] >= ends[1]:
        raise InputError(f"{where}={ends}: the lower end comes first")
    return ends[0], ends[1]


def _published(given: dict[str, Any], where: str) -> Published:
    node = typed(PublishedNode, given, where)
    rows = [{str(column): str(value) for column, value in row.items()} for row in node.rows]
    return Published(node.name, node.where, pd.DataFrame(rows).fillna("–"))
