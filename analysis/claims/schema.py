"""A paper's arms, claims and rules, as `reading.read` takes them from its claims.yaml."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from analysis.claims import arguments, lookup
from analysis.claims.arms import Added, ArmNode, Runs
from analysis.claims.estimate import Estimate
from analysis.claims.rules import Rule
from analysis.runs.experiments import Experiments, Unmatched
from analysis.runs.selection.conditions import Condition

FIGURE = "figure_"


@dataclass(frozen=True)
class Call:
    """An estimator with its arguments."""

    name: str
    args: Mapping[str, Any]
    """as the file states them"""
    function: Callable[..., Estimate]
    bound: Mapping[str, Any]
    """the same, names of functions resolved"""
    labels: tuple[str, ...] = ()
    """what a reader calls its arms"""

    @property
    def key(self) -> str:
        """The same for calls that give the same estimate."""
        return f"{self.name} {sorted(self.args.items(), key=str)}"

    def __call__(self, runs: Runs) -> Estimate:
        return self.function(runs, **self.bound)

    def strengths(self, runs: Runs, column: str) -> Iterator[tuple[str, Runs]]:
        """The runs at each value of a column that divides its arms, each with a label. Raises
        Unmatched where the arms share no value, NotRun where one was not run."""
        names = arguments.arms_of(self.function, self.args)
        arms = [runs.arm(name) for name in names if runs.arms[name].by == column]
        values = [set(arm.tables.cells[column]) for arm in arms]
        if not values or not set.intersection(*values):
            raise Unmatched(f"{column}: no arms of {self.name} that share a value of it")
        for value in sorted(set.intersection(*values), key=abs):
            yield arms[0].label_at(value).rpartition(", ")[2], runs.at(column, value)


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
        for equal, of_strength in self.call.strengths(runs, self.split):
            yield ", ".join(filter(None, (self.label, equal))), of_strength


@dataclass(frozen=True)
class Criterion:
    """One estimate and its rule."""

    call: Call
    rule: Rule
    each: str | None = None
    """the rule is asked of each strength: the column that divides the arm"""
    of_strengths: Literal["all", "any"] = "all"
    """of any, each is held to its share of the level (`rules.widened`)"""
    published: float | None = None
    """the estimate if the paper is right"""
    no_effect: float | None = None
    """the estimate if there is no effect"""
    sensitivity: tuple[Variant, ...] = ()


@dataclass(frozen=True)
class Beside:
    """An estimate that is shown beside a claim."""

    label: str
    call: Call


@dataclass(frozen=True)
class Amendment:
    """A rule that was replaced, and why."""

    date: str
    """of the rule that replaced it"""
    why: str
    known: str
    criteria: tuple[Criterion, ...]
    """as they stood until then"""


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
    premise: Criterion | None = None
    caveat: str = ""
    beside: tuple[Beside, ...] = ()
    amended: tuple[Amendment, ...] = ()
    """oldest first"""
    version: int = 1
    """of the paper"""
    written: str = ""
    """date of its first rule, of a later version's claim"""


@dataclass(frozen=True)
class Published:
    """A table of the paper, as text."""

    name: str
    """Table 1"""
    where: str
    frame: pd.DataFrame


@dataclass(frozen=True)
class Version:
    """A later version of a paper."""

    title: str
    written: str
    """date of the first rules of its claims"""
    known: str
    """which runs were known then; may be empty"""


@dataclass(frozen=True)
class Paper:
    """The content of one file."""

    name: str
    title: str
    cite: str
    says: str
    """in two sentences for a newcomer; may be empty"""
    known: str
    """which runs were known when the rules were written; may be empty"""
    package: str
    """with the subpackages estimates, tables and figures"""
    path: Path
    """the claims file"""
    arms: Mapping[str, ArmNode]
    claims: tuple[Claim, ...]
    tables: tuple[Published, ...]
    added: tuple[Added, ...] = ()
    restated: tuple[str, ...] = ()
    """commits that wrote the same rules in another notation"""
    files: tuple[str, ...] = ()
    """where the rules stood in earlier commits"""
    later: tuple[Version, ...] = ()
    """its later versions, the second first"""

    def runs(self, folder: Path, where: Sequence[Condition] = ()) -> Runs:
        """The runs of this paper in a folder, those that meet the conditions."""
        return Runs(Experiments(folder, self.name, where), self.arms)

    def modules(self, kind: str) -> list[str]:
        """The modules of one of its packages: estimates, tables, figures or commands."""
        return lookup.modules(f"{self.package}.{kind}")

    def figure_numbers(self) -> list[int]:
        """The numbers of the figures that the package can draw."""
        return figure_numbers(self.package)


def figure_numbers(package: str) -> list[int]:
    """The numbers of the figures that a paper's package can draw."""
    found = lookup.modules(f"{package}.figures")
    numbers = (name.removeprefix(FIGURE) for name in found if name.startswith(FIGURE))
    return sorted(int(number) for number in numbers if number.isdecimal())
