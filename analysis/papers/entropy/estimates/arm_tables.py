"""Table 1 of Truong et al. (2026) with every arm, and what stands beside it."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from analysis.output.formats import bounded, estimated, interval, number, p_value
from analysis.papers.entropy.estimates import manipulation
from analysis.papers.entropy.estimates.conditions import (
    BASELINE_AGAIN,
    CONDITIONS,
    GROK,
    SUSTAINED,
    Condition,
    arms,
    baseline,
    runs,
)
from analysis.runs.experiments import Experiments, NotRun
from analysis.runs.rows import UNKNOWN
from analysis.stats import effects, means, ranks, restricted, survival
from analysis.times import contrasts
from analysis.times.compare import Arm, all_tests

TIMES = "Table 1: times of grokking"
HELD = "Table 1: times from which test accuracy 0.99 holds for 5 evaluations"
TESTS = "Table 1: tests against the baseline"
TREND = "Table 1: trend over the strength"
RAISED = "Table 1: entropy of unmixed probes"
ONE_PROCESSOR = "Table 1: delays between runs of one kind of processor"
PUBLISHED_TEST = "Mann–Whitney, one-sided"
FAMILY = "log-rank"
"""the test whose p-values, adjusted for all arms that were run (Holm), stand in Table 1: it may be
made whatever the budgets and the censoring"""

Found = tuple[Condition, float | None, Arm]
"""an arm with its condition and strength"""


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """Table 1 with every arm that was run, the same for grokking that holds, its tests, the trend
    over the strengths, and H̃ of unmixed probes beside the baseline's, where that groks. Raises
    NotRun without a baseline or without any arm."""
    base, every = baseline(experiments), found(experiments)
    tested = tests(every, base)
    shown = {
        TIMES: _times(every, base, tested, experiments.generator()),
        HELD: _sustained(experiments),
        TESTS: _readable(tested),
        RAISED: _raised(experiments, every),
    }
    more = {TREND: _trend(every, base), ONE_PROCESSOR: _on_one_processor(experiments, every)}
    return shown | {name: table for name, table in more.items() if not table.empty}


def found(experiments: Experiments, event: str = GROK) -> list[Found]:
    """The arms that were run, in the order of CONDITIONS and from the weakest to the strongest.
    Raises NotRun if there are none."""
    every: list[Found] = []
    for condition in CONDITIONS:
        try:
            of_condition = arms(experiments, condition, event)
        except NotRun:
            continue
        every += [(condition, strength, arm) for strength, arm in of_condition.items()]
    if not every:
        raise NotRun("no arm beside the baseline has been run")
    return every


def tests(every: Sequence[Found], base: Arm) -> pd.DataFrame:
    """All tests of `compare.TESTS` two-sided, and the published one: arm, test, p, p_holm (over all
    arms of the same test) and method. The published one asks for later times, of arms that are
    meant to hasten for earlier ones."""
    rows = []
    for condition, _, arm in every:
        one_sided = ranks.mann_whitney(
            arm.times, base.times, (arm.budgets, base.budgets), condition.expected
        )
        rows.append((arm.label, PUBLISHED_TEST, one_sided.p, one_sided.method))
        rows += [(arm.label, t.name, t.p, t.method) for t in all_tests(arm, base)]
    long = pd.DataFrame(rows, columns=["arm", "test", "p", "method"])
    long["p_holm"] = long.groupby("test")["p"].transform(lambda p: ranks.holm(p.to_numpy()))
    return long


def _times(
    every: Sequence[Found], base: Arm, tested: pd.DataFrame, generator: np.random.Generator
) -> pd.DataFrame:
    by_test = tested.set_index(["arm", "test"])
    rows = [_alone(base, generator)]
    for _, _, arm in every:
        delay = contrasts.weighted([(1, arm), (-1, base)], generator)
        p = by_test.loc[arm.label]
        row = {
            "delay, same seeds [95 %]": estimated(delay.interval, 0, "+"),
            "p, Mann–Whitney one-sided (as published)": p_value(p["p"][PUBLISHED_TEST]),
            "p, log-rank": p_value(p["p"][FAMILY]),
            "p, log-rank, Holm": p_value(p["p_holm"][FAMILY]),
            "Cohen's d (as published)": estimated(
                effects.cohen_d(arm.times, base.times, generator), 2
            ),
            "Cliff's delta [95 %]": estimated(
                effects.cliff_delta(arm.times, base.times, generator), 2
            ),
        }
        rows.append(_alone(arm, generator) | row)
    return pd.DataFrame(rows).fillna("–")


def _sustained(experiments: Experiments) -> pd.DataFrame:
    """A run that reaches 0.99 once and falls back has grokked in Table 1, and has not here."""
    base, generator = baseline(experiments, SUSTAINED), experiments.generator()
    rows: list[dict[str, str]] = []
    for arm in (base, *(arm for _, _, arm in found(experiments, SUSTAINED))):
        alone = _alone(arm, generator)
        row = {name: alone[name] for name in ("arm", "grokked", "mean [95 %]", "median [95 %]")}
        if arm is not base:
            delay = contrasts.weighted([(1, arm), (-1, base)], generator)
            row["delay, same seeds [95 %]"] = estimated(delay.interval, 0, "+")
        rows.append(row)
    return pd.DataFrame(rows).fillna("–")


def _alone(arm: Arm, generator: np.random.Generator) -> dict[str, str]:
    times, observed = arm.times.times, arm.times.observed
    until = restricted.horizon([(arm.times, arm.budgets)])
    mean = restricted.restricted_mean(times, observed, until, generator)
    median = survival.median(times, observed)
    to = "" if np.isinf(until) else f" to {number(until)}"
    return {
        "arm": arm.label,
        "grokked": f"{observed.sum()}/{len(observed)}",
        "mean of those that grokked (as published)": (
            number(float(times[observed].mean())) if observed.any() else "–"
        ),
        "mean [95 %]": estimated(mean) + to,
        "median [95 %]": (
            bounded(median.median, median.followed, median.n)
            + f" {interval(median.lower, median.upper)}".rstrip()
        ),
    }


def _readable(tested: pd.DataFrame) -> pd.DataFrame:
    shown = tested[["arm", "test"]].copy()
    shown["p"] = tested["p"].map(p_value)
    shown["p, Holm"] = tested["p_holm"].map(p_value)
    shown["how"] = tested["method"]
    return shown


def _on_one_processor(experiments: Experiments, every: Sequence[Found]) -> pd.DataFrame:
    """Rounding parts two kinds of processor within a thousand steps, and moves T_grok of a seed by
    more than some arms do. Here are the runs on the kind of `BASELINE_AGAIN`, less that, and less
    the baseline of Table 1. Empty without it."""
    try:
        again = baseline(experiments, name=BASELINE_AGAIN)
    except NotRun:
        return pd.DataFrame()
    first = baseline(experiments)
    first = Arm(first.label, first.runs[first.seeds.isin(again.seeds)])
    kinds = set(experiments.tables(BASELINE_AGAIN).cells["processor"]) - {UNKNOWN}
    rows = []
    for condition, _, arm in every:
        cells = runs(experiments, condition).cells
        there = cells.loc[cells["processor"].isin(kinds) & cells["seed"].isin(again.seeds), "key"]
        there_too = Arm(arm.label, arm.runs[arm.runs["key"].isin(there)])
        if there_too.runs.empty:
            continue
        delays = [
            contrasts.weighted([(1, there_too), (-1, base)], experiments.generator()).interval
            for base in (again, first)
        ]
        rows.append(
            {"arm": arm.label, "runs": str(len(there_too.runs)),
             "delay, baseline on that processor [95 %]": estimated(delays[0], 0, "+"),
             "the same runs, baseline of Table 1 [95 %]": estimated(delays[1], 0, "+")}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _trend(every: Sequence[Found], base: Arm) -> pd.DataFrame:
    """Jonckheere's test over the strengths of each condition that has three at least, alone and
    with the baseline as strength 0. It takes arms as independent, which those of shared seeds are
    not: what seeds have in common widens the arms alike, so that p is rather too large."""
    rows = []
    for condition in CONDITIONS:
        of_condition = [arm for one, _, arm in every if one is condition]
        for order in (of_condition, [base, *of_condition]):
            if len(of_condition) < 3:
                continue
            result = ranks.jonckheere([arm.times for arm in order], [arm.budgets for arm in order])
            pairs = [len(a.runs) * len(b.runs) for i, a in enumerate(order) for b in order[:i]]
            share = number(result.statistic / sum(pairs), 2)
            rows.append(
                {"condition": condition.name,
                 "order": " → ".join(arm.label.rpartition(", ")[2] for arm in order),
                 "share of pairs of runs in which the stronger arm is later": share,
                 "p, Jonckheere": p_value(result.p), "how": result.method}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _raised(experiments: Experiments, every: Sequence[Found]) -> pd.DataFrame:
    rows = []
    for condition in dict.fromkeys(condition for condition, _, _ in every):
        long = manipulation.raised(experiments, condition)
        for strength, of_arm in _by_strength(long):
            if of_arm.empty:
                continue
            mean = means.mean(of_arm["raised"].to_numpy(), experiments.generator())
            rows.append(
                {"arm": condition.label(strength), "runs": str(len(of_arm)),
                 "H̃, arm less baseline [95 %]": estimated(mean, 3, "+"),
                 "ended before, last H̃ counted": str(int(of_arm["ended"].sum()))}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _by_strength(long: pd.DataFrame) -> Iterator[tuple[float | None, pd.DataFrame]]:
    if long["strength"].isna().all():
        yield None, long
        return
    for strength in sorted(long["strength"].unique(), key=abs):
        yield float(strength), long[long["strength"] == strength]
