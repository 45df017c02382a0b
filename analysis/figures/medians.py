"""The curves of an arm in one column: their median and range, and each run on its own.

A median is that of one set of runs from its first step to its last: it has the evaluations that
all runs of the arm have, and so ends where the first of them ends.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from grokpipe.curves import columns
from grokpipe.curves.columns import Column

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Curves:
    """The runs of an arm that have a value of the column."""

    runs: dict[str, Array]
    """by key: steps and values of the known evaluations, (2, n)"""
    steps: Array
    """(m,) steps at which the column is known of all runs, rising"""
    median: Array
    least: Array
    greatest: Array

    @property
    def last(self) -> float:
        """The last known step of the run that goes on longest."""
        return max((run[0, -1] for run in self.runs.values()), default=np.nan)

    @property
    def first_end(self) -> float:
        """The last known step of the run that ends first."""
        return min((run[0, -1] for run in self.runs.values()), default=np.nan)

    @property
    def uneven(self) -> bool:
        """Whether the median lacks most evaluations of the runs, or those before the first ends."""
        until = [int((run[0] <= self.first_end).sum()) for run in self.runs.values()]
        return self.steps[-1] < self.first_end or 2 * len(self.steps) < min(until)

    @property
    def apart(self) -> bool:
        """Whether the runs have no evaluation in common, or only one of several."""
        return len(self.steps) < 2 and any(run.shape[1] > 1 for run in self.runs.values())

    def beyond(self) -> list[Array]:
        """Return the part of each run after the median's end; whole runs if there is none."""
        start = -np.inf if self.apart else self.steps[-1] if len(self.steps) else np.inf
        parts = (run[:, run[0] >= start] for run in self.runs.values())
        return [part for part in parts if part.shape[1] > 1]


@dataclass(frozen=True)
class Panel:
    """One column of all arms."""

    name: str
    column: Column
    logarithmic: bool
    """whether the axis of the values is logarithmic: declared so, and there is a positive value"""
    arms: dict[str, Curves]
    """by label; without those of which the axis shows nothing"""

    @property
    def below(self) -> bool:
        """Whether a value lies below a logarithmic axis."""
        if not self.logarithmic:
            return False
        return any((run[1] <= 0).any() for arm in self.arms.values() for run in arm.runs.values())


def curves_of(runs: pd.DataFrame, column: str, zero: bool = False) -> Curves:
    """Return the curves of an arm's `runs` (key, step and the column, sorted by them); without
    step 0, which a logarithmic axis does not show, unless `zero`."""
    known = runs.loc[runs[column].notna() & (zero | (runs["step"] > 0)), ["key", "step", column]]
    of_keys = {
        str(key): run[["step", column]].to_numpy(dtype=float).T
        for key, run in known.groupby("key", sort=False, observed=True)
    }
    by_step = known.groupby("step")[column].agg(["median", "min", "max", "count"]).astype(float)
    shared = by_step[by_step["count"] == len(of_keys)]
    return Curves(
        of_keys,
        shared.index.to_numpy(dtype=float),
        *(shared[name].to_numpy() for name in ("median", "min", "max")),
    )


def panel(
    curves: pd.DataFrame,
    arms: Mapping[str, Collection[str]],
    name: str,
    zero: bool = False,
) -> Panel:
    """Return the panel of a column: `arms` has the keys of each arm's runs by its label."""
    known = curves[zero | (curves["step"] > 0)][name]
    column = columns.column(name, known)
    logarithmic = column.scale == "log" and bool((known > 0).any())
    labels = {key: label for label, keys in arms.items() for key in keys}
    rows = curves.groupby(curves["key"].map(labels), observed=True).indices
    found = {}
    for label in arms:
        arm = curves_of(curves.iloc[rows.get(label, [])], name, zero)
        if any(_visible(run[1], logarithmic) for run in arm.runs.values()):
            found[label] = arm
    return Panel(name, column, logarithmic, found)


def _visible(values: Array, logarithmic: bool) -> bool:
    return bool((np.isfinite(values) & ((values > 0) | (not logarithmic))).any())


def without(one: Panel, keys: Collection[str]) -> set[str]:
    """Return those of the keys whose runs have nothing to draw in a panel."""
    return set(keys) - {key for arm in one.arms.values() for key in arm.runs}


def notes(panels: Sequence[Panel]) -> list[str]:
    """Return a line each for medians that end before a run does, arms without a median, and values
    below a logarithmic axis."""
    ended: dict[str, tuple[float, float]] = {}
    apart: dict[str, None] = {}
    uneven: dict[str, int] = {}
    for one in panels:
        for label, arm in one.arms.items():
            if arm.apart:
                apart[label] = None
            elif len(arm.steps) and arm.uneven:
                uneven.setdefault(label, len(arm.steps))
            elif len(arm.steps) and arm.steps[-1] < arm.last:
                ended.setdefault(label, (arm.steps[-1], arm.last))
    lines = []
    if ended:
        label, (end, last) = min(ended.items(), key=lambda item: item[1][0] / item[1][1])
        others = len(ended) - 1
        more = f" (and so of {others} more arm{'s' * (others > 1)})" if others else ""
        lines.append(
            f"note: the median of arm {label} ends with its first run, at step {end:,.0f} of "
            f"{last:,.0f}{more}: thin lines are single runs"
        )
    if uneven:
        shared = " | ".join(f"{label} ({count})" for label, count in uneven.items())
        lines.append(
            f"note: the runs of an arm were evaluated at different steps: a median has those that "
            f"they share: {shared}"
        )
    if apart:
        lines.append(
            f"note: the runs of arm {' | '.join(apart)} share fewer than two evaluations: "
            "single runs, no median"
        )
    if below := [one.name for one in panels if one.below]:
        lines.append(f"note: {', '.join(below)}: values ≤ 0 lie below the logarithmic axis")
    return lines
