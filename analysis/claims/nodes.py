"""The nodes of a claims file, as dataclasses against which OmegaConf checks it."""

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from grokpipe.errors import InputError

Node = TypeVar("Node")


@dataclass
class PaperNode:
    title: str = MISSING
    cite: str = MISSING
    says: str = ""
    """what the paper says, in two sentences for a newcomer"""
    known: str = ""
    """which runs were known when the rules were written"""
    later: list[dict[str, Any]] = field(default_factory=list)
    """its later versions, the second first"""
    added: list[dict[str, Any]] = field(default_factory=list)
    restated: list[str] = field(default_factory=list)
    """commits that wrote the same rules in another notation: there only bounds are compared"""
    files: list[str] = field(default_factory=list)
    """where the rules stood in earlier commits"""


@dataclass
class VersionNode:
    """A later version of a paper."""

    title: str = MISSING
    written: str = MISSING
    """date of the rules of its claims: seeds that were added until then are no news to them"""
    known: str = ""
    """which runs were known then"""


@dataclass
class AddedNode:
    """Seeds that were trained after the rules of an earlier date had been judged."""

    date: str = MISSING
    """earlier rules see the earlier seeds alone"""
    earlier: dict[str, str] = MISSING
    """experiment → comparison that the seeds before that date meet"""


@dataclass
class CriterionNode:
    estimate: str = MISSING
    args: dict[str, Any] = field(default_factory=dict)
    within: list[float] | None = None
    every: bool | None = None
    runs: int | None = None
    replicates: dict[str, Any] | None = None
    each: str | None = None
    """column that divides the arm: the rule is asked of every strength"""
    of_strengths: str = "all"
    """all or any of them must keep the rule"""
    published: float | None = None
    no_effect: float | None = None
    """the value that means no effect; of replicates the same as theirs"""
    sensitivity: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class ReplicatesNode:
    value: float = MISSING
    runs: int | None = None
    interval: list[float] | None = None
    no_effect: float | None = None
    """a value that our interval must not hold, or the size is not shown"""
    scale: str | None = None


@dataclass
class BesideNode:
    """An estimate that is shown beside a claim, and judged by no rule."""

    label: str = MISSING
    estimate: str = MISSING
    args: dict[str, Any] = field(default_factory=dict)


@dataclass
class AmendmentNode:
    """A rule that was replaced."""

    date: str = MISSING
    """of the rule in force"""
    why: str = MISSING
    known: str = MISSING
    """what was known when it was replaced"""
    criteria: list[dict[str, Any]] = MISSING
    """as they stood until then"""


@dataclass
class ClaimNode:
    id: str = MISSING
    where: str = MISSING
    statement: str = MISSING
    published: str = MISSING
    criteria: list[dict[str, Any]] = MISSING
    premise: dict[str, Any] | None = None
    """a criterion without which the claim cannot be asked"""
    caveat: str = ""
    """a limit of the claim that a reader must know"""
    beside: list[dict[str, Any]] = field(default_factory=list)
    amended: list[dict[str, Any]] = field(default_factory=list)
    """the earlier rules, oldest first"""
    figure: int | None = None
    used: bool = False
    version: int = 1
    """of the paper, that states it with this number"""


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


def typed(kind: type[Node], given: object, where: str) -> Node:
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
    made: Node = OmegaConf.to_object(node)  # type: ignore[assignment]
    return made
