"""Tables of several arms beside a baseline: tests, trends over the strength, differences."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.claims.arms import Arm, Runs
from analysis.claims.estimators.curves import differences_at
from analysis.output.formats import estimated, number, p_value
from analysis.runs.experiments import NotRun
from analysis.runs.rows import UNKNOWN
from analysis.stats import means, ranks, testing
from analysis.stats.intervals import Interval
from analysis.times import compare, contrasts

ONE_SIDED = "Mann–Whitney, one-sided"


@dataclass(frozen=True, eq=False)
class Strength:
    """One strength of an arm that was run, and its times to an event."""

    arm: Arm
    value: float | None
    """None: the arm is not divided"""
    times: compare.Arm

    @property
    def label(self) -> str:
        return self.times.label

    def differences(self, base: Arm, column: str, event: str) -> pd.DataFrame:
        """`differences_at` of this strength."""
        rows = differences_at(self.arm, base, column, event)
        return rows if self.value is None else rows[rows["strength"] == self.value]


def strengths(runs: Runs, names: Iterable[str], event: str) -> list[Strength]:
    """Those of the arms that were run, in the order of their names and from the weakest to the
    strongest. Raises NotRun if there are none."""
    return [
        Strength(arm, value, times)
        for arm in runs.there(names).values()
        for value, times in arm.strengths(event).items()
    ]


def delay(arm: compare.Arm, base: compare.Arm, generator: np.random.Generator) -> Interval:
    """Mean time of an arm less the baseline's, over the seeds that they share."""
    return contrasts.weighted([(1, arm), (-1, base)], generator).interval


def tests(
    every: Sequence[Strength], base: compare.Arm, earlier: Collection[str] = ()
) -> pd.DataFrame:
    """All tests of `compare.TESTS` two-sided, and ONE_SIDED for later times (earlier ones in the
    arms `earlier`): arm, test, p, p_holm (over all arms of the same test) and method."""
    rows = []
    for one in every:
        times, expected = one.times.times, "earlier" if one.arm.name in earlier else "later"
        budgets = (one.times.budgets, base.budgets)
        result = ranks.mann_whitney(times, base.times, budgets, expected)
        rows.append((one.label, ONE_SIDED, result.p, result.method))
        rows += [(one.label, t.name, t.p, t.method) for t in compare.all_tests(one.times, base)]
    long = pd.DataFrame(rows, columns=["arm", "test", "p", "method"])
    long["p_holm"] = long.groupby("test")["p"].transform(lambda p: testing.holm(p.to_numpy()))
    return long


def readable_tests(tested: pd.DataFrame) -> pd.DataFrame:
    """`tests` for people."""
    shown = tested[["arm", "test"]].copy()
    shown["p"] = tested["p"].map(p_value)
    shown["p, Holm"] = tested["p_holm"].map(p_value)
    shown["how"] = tested["method"]
    return shown


def trend(every: Sequence[Strength], base: compare.Arm) -> pd.DataFrame:
    """Jonckheere's test over the strengths of each arm that has three at least, alone and with the
    baseline as strength 0. It takes strengths as independent, which those of shared seeds are not:
    the seeds' common part widens them alike, so that p is rather too large."""
    rows = []
    for name in dict.fromkeys(one.arm.name for one in every):
        of_arm = [one for one in every if one.arm.name == name]
        times = [one.times for one in of_arm]
        for order in (times, [base, *times]):
            if len(times) < 3:
                continue
            result = ranks.jonckheere([arm.times for arm in order], [arm.budgets for arm in order])
            pairs = [len(a.runs) * len(b.runs) for i, a in enumerate(order) for b in order[:i]]
            share = number(result.statistic / sum(pairs), 2)
            rows.append(
                {"condition": of_arm[0].arm.label,
                 "order": " → ".join(arm.label.rpartition(", ")[2] for arm in order),
                 "share of pairs of runs in which the stronger arm is later": share,
                 "p, Jonckheere": p_value(result.p), "how": result.method}
            )  # fmt: skip
    return pd.DataFrame(rows)


def differences(
    runs: Runs, every: Sequence[Strength], base: Arm, column: str, event: str, name: str
) -> pd.DataFrame:
    """For people, a column of each arm less the baseline's of the same seed, where that has an
    event; `name` is what they call the column."""
    rows = []
    for one in every:
        found = one.differences(base, column, event)
        if found.empty:
            continue
        mean = means.mean(found["difference"].to_numpy(), runs.generator())
        rows.append(
            {"arm": one.label, "runs": str(len(found)),
             f"{name}, arm less baseline [95 %]": estimated(mean, 3, "+"),
             f"ended before, last {name} counted": str(int(found["ended"].sum()))}
        )  # fmt: skip
    return pd.DataFrame(rows)


def on_one_processor(
    runs: Runs, every: Sequence[Strength], base: compare.Arm, again: str
) -> pd.DataFrame:
    """The delays of runs on the kind of processor that trained the baseline once more (the arm
    `again`), less that and less the first baseline: rounding parts two kinds of processor within a
    thousand steps, and moves a seed's time by more than some arms do. Empty without that arm."""
    try:
        repeated = runs.arm(again)
    except NotRun:
        return pd.DataFrame()
    (event,) = base.runs["event"].unique()
    there = repeated.whole(event)
    first = compare.Arm(base.label, base.runs[base.seeds.isin(there.seeds)])
    kinds = set(repeated.tables.cells["processor"]) - {UNKNOWN}
    rows = []
    for one in every:
        cells = one.arm.tables.cells
        keys = cells.loc[cells["processor"].isin(kinds) & cells["seed"].isin(there.seeds), "key"]
        arm = compare.Arm(one.label, one.times.runs[one.times.runs["key"].isin(keys)])
        if arm.runs.empty:
            continue
        delays = [estimated(delay(arm, b, runs.generator()), 0, "+") for b in (there, first)]
        rows.append(
            {"arm": one.label, "runs": str(len(arm.runs)),
             "delay, baseline on that processor [95 %]": delays[0],
             "the same runs, first baseline [95 %]": delays[1]}
        )  # fmt: skip
    return pd.DataFrame(rows)
