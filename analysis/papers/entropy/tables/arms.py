"""Table 1 of Truong et al. (2026) with every arm, and what stands beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.claims.arms import BASELINE, Arm, Runs
from analysis.claims.estimators.curves import differences_at
from analysis.output.formats import bounded, estimated, interval, number, p_value
from analysis.runs.experiments import NotRun
from analysis.runs.rows import UNKNOWN
from analysis.stats import effects, means, ranks, restricted, survival
from analysis.stats.intervals import Interval
from analysis.times import compare, contrasts
from analysis.times.compare import all_tests
from grokpipe.curves.events import ENTROPY

GROK, SUSTAINED = "t_grok", "t_grok_sustained"
AGAIN = "baseline_again"
OTHERS = (
    "mixing", "matched", "norm_alone", "noise", "temperature", "held_up", "pushed_down", "frozen",
)  # fmt: skip
EARLIER = ("pushed_down",)
"""arms that by the paper's argument grok earlier than the baseline; the others later"""
TIMES = "Table 1: times of grokking"
HELD = "Table 1: times from which test accuracy 0.99 holds for 5 evaluations"
TESTS = "Table 1: tests against the baseline"
TREND = "Table 1: trend over the strength"
RAISED = "Table 1: entropy of unmixed probes"
ONE_PROCESSOR = "Table 1: delays between runs of one kind of processor"
DELAY = "delay, same seeds [95 %]"
PUBLISHED_TEST = "Mann–Whitney, one-sided"
FAMILY = "log-rank"
"""the test whose p-values, adjusted for all arms that were run (Holm), stand in Table 1: it may be
made whatever the budgets and the censoring"""


@dataclass(frozen=True, eq=False)
class Found:
    """One strength of an arm that was run."""

    arm: Arm
    strength: float | None
    times: compare.Arm

    @property
    def label(self) -> str:
        return self.times.label

    def entropy_differences(self, base: Arm) -> pd.DataFrame:
        """`differences_at` of H̃ where the baseline groks, of this strength."""
        rows = differences_at(self.arm, base, ENTROPY)
        return rows if self.strength is None else rows[rows["strength"] == self.strength]


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """Table 1 with every arm that was run, the same for grokking that holds, its tests, the trend
    over the strengths, and H̃ of unmixed probes beside the baseline's, where that groks. Raises
    NotRun without a baseline or without any arm."""
    base, every = baseline(runs), found(runs)
    tested = tests(every, base)
    shown = {
        TIMES: _times(every, base, tested, runs.generator()),
        HELD: _sustained(runs),
        TESTS: _readable(tested),
        RAISED: _raised(runs, every),
    }
    more = {TREND: _trend(every, base), ONE_PROCESSOR: _on_one_processor(runs, every)}
    return shown | {name: table for name, table in more.items() if not table.empty}


def baseline(runs: Runs, event: str = GROK) -> compare.Arm:
    """Raises NotRun."""
    return runs.arm(BASELINE).whole(event)


def found(runs: Runs, event: str = GROK) -> list[Found]:
    """The arms that were run, in the order of OTHERS and from the weakest to the strongest. Raises
    NotRun if there are none."""
    return [
        Found(arm, strength, times)
        for arm in runs.there(OTHERS).values()
        for strength, times in arm.strengths(event).items()
    ]


def delay(arm: compare.Arm, base: compare.Arm, generator: np.random.Generator) -> Interval:
    """Mean time of an arm less the baseline's, over the seeds that they share."""
    return contrasts.weighted([(1, arm), (-1, base)], generator).interval


def tests(every: Sequence[Found], base: compare.Arm) -> pd.DataFrame:
    """All tests of `compare.TESTS` two-sided, and the published one: arm, test, p, p_holm (over all
    arms of the same test) and method. The published one asks for later times, of arms that are
    meant to hasten for earlier ones."""
    rows = []
    for one in every:
        times, expected = one.times.times, "earlier" if one.arm.name in EARLIER else "later"
        budgets = (one.times.budgets, base.budgets)
        one_sided = ranks.mann_whitney(times, base.times, budgets, expected)
        rows.append((one.label, PUBLISHED_TEST, one_sided.p, one_sided.method))
        rows += [(one.label, t.name, t.p, t.method) for t in all_tests(one.times, base)]
    long = pd.DataFrame(rows, columns=["arm", "test", "p", "method"])
    long["p_holm"] = long.groupby("test")["p"].transform(lambda p: ranks.holm(p.to_numpy()))
    return long


def _times(
    every: Sequence[Found], base: compare.Arm, tested: pd.DataFrame, generator: np.random.Generator
) -> pd.DataFrame:
    by_test = tested.set_index(["arm", "test"])
    rows = [_alone(base, generator)]
    for one in every:
        apart = delay(one.times, base, generator)
        p = by_test.loc[one.label]
        times = one.times.times
        row = {
            DELAY: estimated(apart, 0, "+"),
            "p, Mann–Whitney one-sided (as published)": p_value(p["p"][PUBLISHED_TEST]),
            "p, log-rank": p_value(p["p"][FAMILY]),
            "p, log-rank, Holm": p_value(p["p_holm"][FAMILY]),
            "Cohen's d (as published)": estimated(
                effects.cohen_d(times, base.times, generator), 2
            ),
            "Cliff's delta [95 %]": estimated(effects.cliff_delta(times, base.times, generator), 2),
        }  # fmt: skip
        rows.append(_alone(one.times, generator) | row)
    return pd.DataFrame(rows).fillna("–")


def _sustained(runs: Runs) -> pd.DataFrame:
    """A run that reaches 0.99 once and falls back has grokked in Table 1, and has not here."""
    base, generator = baseline(runs, SUSTAINED), runs.generator()
    rows: list[dict[str, str]] = []
    for arm in (base, *(one.times for one in found(runs, SUSTAINED))):
        alone = _alone(arm, generator)
        row = {name: alone[name] for name in ("arm", "grokked", "mean [95 %]", "median [95 %]")}
        if arm is not base:
            row[DELAY] = estimated(delay(arm, base, generator), 0, "+")
        rows.append(row)
    return pd.DataFrame(rows).fillna("–")


def _alone(arm: compare.Arm, generator: np.random.Generator) -> dict[str, str]:
    times, observed = arm.times.times, arm.times.observed
    until = restricted.horizon([(arm.times, arm.budgets)])
    mean = restricted.restricted_mean(times, observed, until, generator)
    median = survival.median(times, observed)
    to = "" if np.isinf(until) else f" to {number(until)}"
    of_grokked = number(float(times[observed].mean())) if observed.any() else "–"
    middle = bounded(median.median, median.followed, median.n)
    return {
        "arm": arm.label,
        "grokked": f"{observed.sum()}/{len(observed)}",
        "mean of those that grokked (as published)": of_grokked,
        "mean [95 %]": estimated(mean) + to,
        "median [95 %]": f"{middle} {interval(median.lower, median.upper)}".rstrip(),
    }


def _readable(tested: pd.DataFrame) -> pd.DataFrame:
    shown = tested[["arm", "test"]].copy()
    shown["p"] = tested["p"].map(p_value)
    shown["p, Holm"] = tested["p_holm"].map(p_value)
    shown["how"] = tested["method"]
    return shown


def _on_one_processor(runs: Runs, every: Sequence[Found]) -> pd.DataFrame:
    """Rounding parts two kinds of processor within a thousand steps, and moves T_grok of a seed by
    more than some arms do. Here are the runs on the kind of AGAIN, less that, and less the baseline
    of Table 1. Empty without it."""
    try:
        repeated = runs.arm(AGAIN)
    except NotRun:
        return pd.DataFrame()
    again, first = repeated.whole(GROK), baseline(runs)
    first = compare.Arm(first.label, first.runs[first.seeds.isin(again.seeds)])
    kinds = set(repeated.tables.cells["processor"]) - {UNKNOWN}
    rows = []
    for one in every:
        cells = one.arm.tables.cells
        there = cells.loc[cells["processor"].isin(kinds) & cells["seed"].isin(again.seeds), "key"]
        there_too = compare.Arm(one.label, one.times.runs[one.times.runs["key"].isin(there)])
        if there_too.runs.empty:
            continue
        delays = [estimated(delay(there_too, b, runs.generator()), 0, "+") for b in (again, first)]
        rows.append(
            {"arm": one.label, "runs": str(len(there_too.runs)),
             "delay, baseline on that processor [95 %]": delays[0],
             "the same runs, baseline of Table 1 [95 %]": delays[1]}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _trend(every: Sequence[Found], base: compare.Arm) -> pd.DataFrame:
    """Jonckheere's test over the strengths of each arm that has three at least, alone and with the
    baseline as strength 0. It takes strengths as independent, which those of shared seeds are not:
    the seeds' common part widens them alike, so that p is rather too large."""
    rows = []
    for name in dict.fromkeys(one.arm.name for one in every):
        strengths = [one for one in every if one.arm.name == name]
        times = [one.times for one in strengths]
        for order in (times, [base, *times]):
            if len(times) < 3:
                continue
            result = ranks.jonckheere([arm.times for arm in order], [arm.budgets for arm in order])
            pairs = [len(a.runs) * len(b.runs) for i, a in enumerate(order) for b in order[:i]]
            share = number(result.statistic / sum(pairs), 2)
            rows.append(
                {"condition": strengths[0].arm.label,
                 "order": " → ".join(arm.label.rpartition(", ")[2] for arm in order),
                 "share of pairs of runs in which the stronger arm is later": share,
                 "p, Jonckheere": p_value(result.p), "how": result.method}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _raised(runs: Runs, every: Sequence[Found]) -> pd.DataFrame:
    base, rows = runs.arm(BASELINE), []
    for one in every:
        differences = one.entropy_differences(base)
        if differences.empty:
            continue
        mean = means.mean(differences["difference"].to_numpy(), runs.generator())
        rows.append(
            {"arm": one.label, "runs": str(len(differences)),
             "H̃, arm less baseline [95 %]": estimated(mean, 3, "+"),
             "ended before, last H̃ counted": str(int(differences["ended"].sum()))}
        )  # fmt: skip
    return pd.DataFrame(rows)
