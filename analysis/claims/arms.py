"""Arms: sets of runs that claims, tables and figures name.

    arms:
      mixing:  {experiment: e2_mixing, by: intervention.alpha}
      held_up: {experiment: e3_regularise, where: {intervention.beta: "< 0"}}

`by` divides an arm by a configuration column, its strength; `where` keeps the runs whose columns
have a value, or compare with one (<, <=, >, >=, !=).
"""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from omegaconf import MISSING

from analysis.runs import combine
from analysis.runs.experiments import Experiments, NotRun, Unmatched
from analysis.runs.selection.conditions import stated
from analysis.runs.tables import Tables
from analysis.times import compare, timescales
from grokpipe.curves import conditions, definitions
from grokpipe.store.manifest import ENDED

T = TypeVar("T")
SYMBOLS = {"alpha": "α", "beta": "β", "lambda": "λ", "weight_decay": "λ", "lr": "η"}
BASELINE = "baseline"
"""the arm that others are compared with unless a claim says otherwise"""


@dataclass(frozen=True)
class Added:
    """Seeds that were trained after the rules of an earlier date had been judged."""

    date: str
    earlier: Mapping[str, str]
    """experiment → comparison that the earlier seeds meet"""


@dataclass
class ArmNode:
    """One entry of `arms` in a claims file."""

    experiment: str = MISSING
    """of this paper, or paper/experiment"""
    by: str | None = None
    """configuration column that divides the arm by strength"""
    where: dict[str, Any] = field(default_factory=dict)
    """configuration column → exact value or comparison"""
    label: str = ""
    """what a reader calls the arm; default: its name"""


@dataclass(frozen=True, eq=False)
class Arm:
    """The runs of an arm."""

    name: str
    label: str
    by: str | None
    tables: Tables
    all_events: pd.DataFrame
    """rows of `timescales.events`, of these runs"""

    def events(self, event: str) -> pd.DataFrame:
        """The rows of one event or condition, one a run that has it, seen or censored."""
        rows = self.all_events
        if conditions.is_condition(event):
            event = definitions.canonical(event)
            rows = timescales.events(self.tables, [event])
        return rows[rows["event"] == event]

    def whole(self, event: str) -> compare.Arm:
        """All runs together. Raises Unmatched if none of them has the event, not even censored."""
        rows = self.events(event)
        if rows.empty:
            there = ", ".join(self.all_events["event"].unique())
            raise Unmatched(f"arm {self.name}: no run has {event}; there are: {there}")
        return compare.Arm(self.label, rows)

    def strengths(self, event: str) -> dict[float | None, compare.Arm]:
        """The runs of each strength, from the weakest to the strongest; {None: all of them} for an
        arm without `by`. Raises as `whole`."""
        whole = self.whole(event)
        if self.by is None:
            return {None: whole}
        groups = sorted(whole.runs.groupby(self.by), key=lambda group: abs(group[0]))
        return {float(v): compare.Arm(self.label_at(float(v)), rows) for v, rows in groups}

    def label_at(self, strength: float | None) -> str:
        """The label of one strength: mixing, α = 0.3."""
        if self.by is None or strength is None:
            return self.label
        return f"{self.label}, {equation(self.by, strength)}"

    def curves(self) -> dict[str, pd.DataFrame]:
        """The evaluations of each run, by key."""
        return {str(key): curve for key, curve in self.tables.curves.groupby("key")}

    def finished_curves(self) -> dict[str, pd.DataFrame]:
        """The evaluations of each run that has come to its end (`finished`), by key."""
        cells = self.tables.cells
        ended = set(cells.loc[finished(cells), "key"])
        return {key: curve for key, curve in self.curves().items() if key in ended}

    def until(self, event: str) -> dict[str, pd.DataFrame]:
        """The evaluations up to an event, the last one of which shows it, of the runs that had it,
        by key."""
        curves, found = self.curves(), observed(self.events(event))
        steps = zip(found["key"], found["step"], strict=True)
        return {key: curves[key][curves[key]["step"] <= step] for key, step in steps}

    def after(self, event: str) -> Tables:
        """The runs that had an event, their evaluations from the one on that shows it. Raises
        NotRun if none had it."""
        found = observed(self.events(event)).set_index("key")["step"]
        if found.empty:
            raise NotRun(f"{self.name}: no run had {event} yet")
        tables = self.tables.only(found.index)
        begins = tables.curves["key"].astype(object).map(found)
        return replace(tables, curves=tables.curves[tables.curves["step"] >= begins])

    def at(self, column: str, event: str) -> pd.Series:
        """A column's value at an event, by key; NaN in a run that did not have it."""
        found = self.events(event)
        there = observed(found).merge(
            self.tables.curves[["key", "step", column]], on=["key", "step"]
        )
        return there.set_index("key")[column].astype(float).reindex(found["key"])

    def only(self, keys: Iterable[str]) -> "Arm":
        """The arm reduced to the runs with these keys."""
        keys = set(keys)
        events = self.all_events[self.all_events["key"].isin(keys)]
        return replace(self, tables=self.tables.only(keys), all_events=events)

    def settings(self) -> list["Arm"]:
        """The arm divided into runs that differ by the seed alone, in the order of the cells."""
        number = timescales.arms(self.tables)
        return [self.only(keys.index) for _, keys in number.groupby(number)]

    def seeds(self) -> pd.Series:
        """The seed of each run, by key."""
        return self.tables.cells.set_index("key")["seed"]


@dataclass(frozen=True)
class Runs:
    """All runs of a paper: by the arms of its claims file, and by experiment."""

    experiments: Experiments
    arms: Mapping[str, ArmNode]
    spacing: int = 1
    """only evaluations at multiples of so many steps"""
    only: tuple[str, Any] | None = None
    """a column and its value, to which the arms divided by this column are reduced"""
    earlier: Mapping[str, str] = field(default_factory=dict)
    """experiment → comparison that its seeds meet: those that an earlier rule was judged on"""

    @property
    def folder(self) -> Path:
        return self.experiments.folder

    def generator(self) -> np.random.Generator:
        return self.experiments.generator()

    def once(self, name: str, make: Callable[[], T]) -> T:
        """The result of `make`, computed once for these runs (`Experiments.once`)."""
        return self.experiments.once(f"{name} {self.spacing} {self.only} {self._seeds}", make)

    @property
    def _seeds(self) -> str:
        return ", ".join(f"{name}: {seeds}" for name, seeds in sorted(self.earlier.items()))

    def tables(self, experiment: str) -> Tables:
        """The runs of an experiment. Raises NotRun."""
        tables = self.experiments.tables(experiment)
        if experiment in self.earlier:
            cells = tables.cells
            tables = tables.only(cells["key"][matching(cells["seed"], self.earlier[experiment])])
        return tables if self.spacing == 1 else combine.every(tables, self.spacing)

    def events(self, experiment: str) -> pd.DataFrame:
        """`timescales.events` of an experiment. Raises NotRun."""
        return self.experiments.once(
            f"events of {experiment} {self.spacing} {self.earlier.get(experiment)}",
            lambda: timescales.events(self.tables(experiment)),
        )

    def arm(self, name: str) -> Arm:
        """The runs of an arm. Raises NotRun where its experiment was not run, Unmatched where none
        of its runs is in the arm."""
        node = self.arms[name]
        tables = self.tables(node.experiment)
        where = dict(node.where)
        if self.only and node.by == self.only[0]:
            where[node.by] = self.only[1]
        cells = tables.cells
        for column in (*where, *([node.by] if node.by else [])):
            require(column, cells, f"arm {name}: {node.experiment}")
        for column, wanted in where.items():
            left = cells[matching(cells[column], wanted)]
            if left.empty:
                valid = ", ".join(dict.fromkeys(map(_plain, sorted(cells[column].dropna()))))
                raise Unmatched(
                    f"arm {name}: no run of {node.experiment} has {column}: {_plain(wanted)}; "
                    f"there are: {valid or 'none'}"
                )
            cells = left
        events = self.events(node.experiment)
        return Arm(
            name,
            node.label or name.replace("_", " "),
            node.by,
            tables.only(cells["key"]),
            events[events["key"].isin(cells["key"])],
        )

    def divided(self, name: str) -> dict[float, Arm]:
        """The runs of each strength of an arm that has `by`, ascending. Raises NotRun."""
        by = self.arms[name].by
        assert by is not None, f"arm {name}: needs by"
        values = sorted(self.arm(name).tables.cells[by].astype(float).unique())
        return {value: self.at(by, value).arm(name) for value in values}

    def there(self, names: Iterable[str]) -> dict[str, Arm]:
        """Those of several arms that were run. Raises NotRun if none was."""
        found, missing = {}, []
        for name in names:
            try:
                found[name] = self.arm(name)
            except NotRun as error:
                missing.append(str(error))
        if not found:
            raise NotRun("; ".join(dict.fromkeys(missing)))
        return found

    def joined(self, arms: Sequence[Arm], keys: Iterable[str]) -> Tables:
        """The runs of several arms with these keys, each once."""
        return combine.join([arm.tables for arm in arms], self.folder).only(keys)

    def at(self, column: str, value: Any) -> "Runs":
        """The arms divided by a column, reduced to one value of it."""
        return replace(self, only=(column, value))

    def before(self, added: Iterable[Added]) -> "Runs":
        """The runs without seeds that were added later."""
        seeds = {name: wanted for one in added for name, wanted in one.earlier.items()}
        return replace(self, earlier={**self.earlier, **seeds})

    def every(self, steps: int) -> "Runs":
        """The same runs as if evaluated every so many steps."""
        return replace(self, spacing=steps)


def observed(events: pd.DataFrame) -> pd.DataFrame:
    """The rows of runs that had the event."""
    return events[events["observed"].astype(bool)]


def finished(runs: pd.DataFrame) -> pd.Series:
    """Whether each run, a row with its `state`, has come to its end."""
    return runs["state"].isin(ENDED)


def matching(column: pd.Series, wanted: Any) -> pd.Series:
    """Mask of the rows whose configuration column equals `wanted` or compares with it as stated."""
    return stated(str(column.name), wanted).matches(column)


def require(column: str, table: pd.DataFrame, where: str) -> None:
    """Raises Unmatched, with the nearest valid names, for a column that a table does not have."""
    if column not in table:
        names = list(map(str, table))
        near = difflib.get_close_matches(column, names, 3, 0.3) or names
        raise Unmatched(f"{where}: the runs have no column {column}; nearest: {', '.join(near)}")


def equation(column: str, *values: float) -> str:
    """A column's value, or several, for a reader: α = 0.3."""
    name = column.rpartition(".")[2]
    said = ", ".join(f"{value:g}" for value in values)
    return f"{SYMBOLS.get(name, name)} = {said}".replace("-", "−")


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
