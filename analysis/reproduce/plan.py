"""The plan of a paper: its experiments in the order in which they run, from
analysis/papers/<paper>/reproduce.yaml."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from analysis.claims import reading
from analysis.claims.nodes import typed
from grokpipe.errors import InputError

PLAN = "reproduce.yaml"


@dataclass
class PlanNode:
    experiments: dict[str, dict[str, Any]]
    left_out: dict[str, str] = field(default_factory=dict)
    """why an experiment is not run unless it is named; what follows its training, if anything,
    stands in `experiments` all the same"""
    small: list[str] = field(default_factory=list)


@dataclass
class ExperimentNode:
    remeasure: list[str] = field(default_factory=list)
    small: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Experiment:
    """An experiment, conf/experiment/<paper>/<name>.yaml, and what follows its training."""

    name: str
    remeasure: tuple[str, ...] = ()
    """measures to be taken on its snapshots"""
    small: tuple[str, ...] = ()
    """overrides of a run in minutes, for a trial of the whole way"""


@dataclass(frozen=True)
class Plan:
    paper: str
    experiments: tuple[Experiment, ...]
    """in the order in which they run"""
    left_out: dict[str, str]
    """why an experiment is not run, by its name"""
    others: tuple[Experiment, ...] = ()
    """those that are left out"""

    def only(self, names: Sequence[str]) -> "Plan":
        """The plan with these experiments alone, in its own order; one that is left out may be
        named. Raises InputError for any other name."""
        every = {one.name: one for one in (*self.experiments, *self.others)}
        for name in names:
            if name not in every:
                raise InputError(f"--only {name}: no such experiment; valid: {', '.join(every)}")
        return Plan(self.paper, tuple(one for name, one in every.items() if name in names), {})


def papers(folder: Path = reading.PAPERS) -> list[str]:
    """The papers that have a plan."""
    return sorted(path.parent.name for path in folder.glob(f"*/{PLAN}"))


def read(paper: str, folder: Path = reading.PAPERS) -> Plan:
    """Read the plan of a paper. Raises InputError for an unknown paper, and for content that is not
    as it should be."""
    if paper not in (valid := papers(folder)):
        raise InputError(f"{paper}: no such paper; valid: {', '.join(valid) or 'none'}")
    path = folder / paper / PLAN
    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    node = typed(PlanNode, content, str(path))
    every = []
    alone: dict[str, dict[str, Any]] = {name: {} for name in node.left_out}
    for name, given in (alone | node.experiments).items():
        one = typed(ExperimentNode, given, f"{path}: {name}")
        every.append(Experiment(name, tuple(one.remeasure), (*node.small, *one.small)))
    return Plan(
        paper,
        tuple(one for one in every if one.name not in node.left_out),
        node.left_out,
        tuple(one for one in every if one.name in node.left_out),
    )
