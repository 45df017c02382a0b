"""Compare arms with a baseline: times to one or several events, censored runs counted.

An arm is the runs that share the values of the columns compared by. Arms that share seeds share
split, initial weights and batches. The paired tests (PAIRED) use that over the seeds in common, and
the interval of the difference of means (a paired t) where both arms have the same seeds, one run
each. Cliff's delta, Cohen's d, and the median and mean of an arm do not.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from analysis.output.formats import p_value
from analysis.runs.selection.conditions import Condition
from analysis.stats import (
    effects,
    equivalence,
    logrank,
    ranks,
    restricted,
    shares,
    survival,
    testing,
)
from analysis.stats.intervals import Interval, none
from analysis.stats.survival import Times
from analysis.stats.testing import TestResult, refused
from analysis.times.labels import labelled
from analysis.times.timescales import (
    DIVERGED,
    NO_RUN,
    UNDEFINED,
    incidence,
    lasting,
    order_range,
    share,
)
from grokpipe.curves.definitions import is_ratio
from grokpipe.errors import InputError

UNPAIRED = ("log-rank", "Mann–Whitney", "Fisher")
PAIRED = ("stratified log-rank", "sign", "Wilcoxon")
TESTS = (*UNPAIRED, *PAIRED)
HALF = 0.5  # share of the runs with the event below which means do not tell that arms are alike


@dataclass(frozen=True)
class Arm:
    """The runs of an arm and one event, in the order of their seeds and keys."""

    label: str
    runs: pd.DataFrame
    """rows of the events table"""

    @property
    def times(self) -> Times:
        """For tests and fits: a run that diverged without the event is later than its budget."""
        return Times(self.runs["step"].to_numpy(float), self.runs["observed"].to_numpy(bool))

    @property
    def budgets(self) -> NDArray[np.float64]:
        return self.runs["budget"].to_numpy(float)

    @property
    def seeds(self) -> pd.Series:
        return self.runs["seed"]


def arms(events: pd.DataFrame, by: Sequence[str]) -> list[Arm]:
    """The arms of one event's rows, in the order and with the labels of `labels.labelled`."""
    return [Arm(label, runs) for label, runs in labelled(events, by).items()]


def paired(arm: Arm, baseline: Arm) -> tuple[Arm, Arm] | None:
    """Both arms reduced to the seeds that they share, in one order; None if they share fewer than
    two, or if a seed has several runs in an arm."""
    if arm.seeds.duplicated().any() or baseline.seeds.duplicated().any():
        return None
    shared = sorted(set(arm.seeds) & set(baseline.seeds))
    if len(shared) < 2:
        return None
    first, second = (
        Arm(one.label, one.runs.set_index("seed", drop=False).loc[shared])
        for one in (arm, baseline)
    )
    return first, second


def all_tests(arm: Arm, baseline: Arm, alternative: str = "two-sided") -> Iterator[TestResult]:
    """All tests of TESTS, in their order; those that do not apply are refused, with the reason."""
    a, b, budgets = arm.times, baseline.times, (arm.budgets, baseline.budgets)
    yield logrank.logrank(a, b, alternative, budgets)
    yield ranks.mann_whitney(a, b, budgets, alternative)
    yield shares.fisher(a, b, budgets, alternative)
    pairs = paired(arm, baseline)
    if pairs is None:
        why = "the arms do not share two seeds with one run each"
        yield from (refused(name, why, alternative) for name in PAIRED)
        return
    first, second = pairs
    a, b = first.times, second.times
    yield logrank.stratified(a, b, alternative)
    yield ranks.sign(a, b, alternative)
    yield ranks.wilcoxon(a, b, (first.budgets, second.budgets), alternative)


def compare(
    events: pd.DataFrame,
    by: Sequence[str],
    baseline: str,
    generator: np.random.Generator,
    test: str = TESTS[0],
    alternative: str = "two-sided",
    margin: "Margin | None" = None,
    runs: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every arm beside the baseline, for each event in `events`: the table and the tests.

    `runs` holds all runs (key, seed, columns `by`), by default those of `events`.

    The table has a row per event and arm: event, arm, n, reached, runs (n have the event, seen or
    censored; without any the row has no numbers), diverged, share and incidence
    (`timescales.timescales`), budget; the Kaplan–Meier median and the mean restricted to the
    `horizon`, with 95 % intervals, and the median's range; the difference of these means, arm −
    baseline; `test` with p and p_holm; Cliff's delta (positive: the arm is later) and Cohen's d.
    With a margin: the 90 % interval of the difference and whether it lies within the margin,
    which is not shown unless half of the runs of both arms had the event by the horizon: means of
    what was cut off are alike whatever the runs do later.
    The tests are all of TESTS by event and arm, p_holm over all rows of the same test.
    `alternative` is of testing.ALTERNATIVES: "later" if the arms are expected after the baseline.
    Raises InputError if there is no such baseline, or nothing to compare with it, and for a margin
    in steps of an event that is a ratio.
    """
    ratios = [name for name in events["event"].unique() if is_ratio(name)]
    if margin is not None and not margin.relative and ratios:
        raise InputError(
            f"--margin {margin.size:g}: steps, but {ratios[0]} is a ratio of times; valid: a share "
            "of the baseline's mean, like 10%"
        )
    rows, tested = [], []
    every = labelled((events if runs is None else runs).drop_duplicates("key"), by)
    baseline = label_of(baseline, every, by)
    for event, of_event in events.groupby("event", sort=False):
        ordered = of_event.sort_values(["seed", "key"])
        found = [Arm(label, ordered[ordered["key"].isin(of_arm["key"])])
                 for label, of_arm in every.items()]  # fmt: skip
        base = next(arm for arm in found if arm.label == baseline)
        defined = [arm for arm in found if len(arm.runs)]
        if not len(base.runs):
            why = UNDEFINED.get(event, "no evaluation yet")
            runs_of = f"none of its {len(every[baseline])} runs has {event}"
            raise InputError(f"--baseline {baseline}: {runs_of}: {why}")
        if len(defined) < 2:
            raise InputError(f"{event}: only runs of {baseline} have it; nothing to compare")
        until = restricted.horizon((arm.times, arm.budgets) for arm in defined)
        if not until > 0:
            raise InputError(f"{event}: an arm was followed for 0 steps; nothing to compare")
        for arm in [base, *(arm for arm in found if arm is not base)]:
            row: dict[str, object] = {"event": event, "arm": arm.label}
            if len(arm.runs):
                row |= _alone(arm, until, generator)
            else:
                row |= {"n": 0, "reached": 0, "median_method": NO_RUN, "mean_method": NO_RUN}
            of_arm = every[arm.label]
            row |= {"runs": len(of_arm), "diverged": int(of_arm["state"].eq(DIVERGED).sum())}
            if len(arm.runs) and arm is not base:
                row |= _beside(arm, base, until, generator, margin)
                for result in all_tests(arm, base, alternative):
                    tested.append({"event": event, "arm": arm.label} | vars(result))
            rows.append(row)
    long = pd.DataFrame(tested)
    long["p_holm"] = long.groupby("name")["p"].transform(lambda p: testing.holm(p.to_numpy()))
    chosen = long.loc[long["name"] == test, ["event", "arm", "name", "p", "p_holm", "method"]]
    chosen = chosen.rename(columns={"name": "test", "method": "test_method"})
    return pd.DataFrame(rows).merge(chosen, on=["event", "arm"], how="left"), long


def out_of_reach(tested: pd.DataFrame, test: str, level: float = 0.05) -> str:
    """A note if Holm's p of this test cannot fall below `level` in any row of the table of tests,
    however far apart the arms are: with so few runs and so many rows; else an empty text."""
    rows = tested[tested["name"] == test]
    made = rows[rows["p"].notna()]
    least = float(made["least_p"].min(skipna=False)) if len(made) else math.nan
    if not len(rows) * least >= level:
        return ""
    m, bound = len(rows), p_value(min(1.0, len(rows) * least))
    helps = "more runs" if least >= level else "to name fewer events or compare fewer arms"
    return (
        f"note: p, Holm cannot fall below {level:g}: {m} rows × {p_value(least)}, the least p of an"
        f" exact {test} test of these runs, are {bound}; what helps is {helps}"
    )


def label_of(baseline: str, every: Mapping[str, pd.DataFrame], by: Sequence[str]) -> str:
    """The label of the baseline as it is among those of all arms. Spaces do not count: a list is
    printed as [0.9, 0.98] and typed as [0.9,0.98]; nor does how a number is written. Raises
    InputError if there is no such arm, or no other."""
    found = next((label for label in every if _dense(label) == _dense(baseline)), None)
    if found is None and len(by) == 1:
        condition = Condition(by[0], "=", (baseline,))
        rows = pd.concat([runs.iloc[:1] for runs in every.values()])
        equal = zip(every, condition.matches(rows[by[0]]), strict=True)
        alike = [label for label, same in equal if same]
        found = alike[0] if len(alike) == 1 else None
    if found is None:
        raise InputError(f"--baseline {baseline}: no such arm; valid: {' | '.join(every)}")
    if len(every) < 2:
        raise InputError(f"--by {','.join(by)}: all runs are {found}; nothing to compare")
    return found


def _dense(label: str) -> str:
    return label.replace(" ", "")


def trend(events: pd.DataFrame, by: str) -> pd.DataFrame:
    """Jonckheere's test that the times rise or fall along the arms of one numeric column, for each
    event: event, arms, direction ("later": the times rise along the arms), name, statistic, p,
    alternative, method, p_holm. Empty for words and for fewer than three arms; a run
    without a number is in none."""
    rows = []
    for event, of_event in events.groupby("event", sort=False):
        found = arms(of_event.dropna(subset=[by]), [by])
        if is_numeric_dtype(of_event[by]) and len(found) > 2:
            budgets = [arm.budgets for arm in found]
            result = ranks.jonckheere([arm.times for arm in found], budgets)
            order = " → ".join(arm.label for arm in found)
            sizes = np.array([len(arm.runs) for arm in found])
            by_chance = (sizes.sum() ** 2 - (sizes**2).sum()) / 4  # half of the pairs
            ways = {1.0: "later", -1.0: "earlier"}
            way = ways.get(float(np.sign(result.statistic - by_chance)), "")
            rows.append({"event": event, "arms": order, "direction": way} | vars(result))
    table = pd.DataFrame(rows)
    return table.assign(p_holm=testing.holm(table["p"].to_numpy())) if rows else table


@dataclass(frozen=True)
class Margin:
    """The largest difference that counts as none: steps, or a share of the baseline's mean."""

    size: float
    relative: bool

    def steps(self, baseline: float) -> float:
        return self.size * baseline if self.relative else self.size


def _alone(arm: Arm, until: float, generator: np.random.Generator) -> dict[str, object]:
    runs = arm.runs
    times = lasting(runs)
    median = survival.median(times.times, times.observed)
    mean = restricted.restricted_mean(times.times, times.observed, until, generator)
    widths = (runs["upper"] - runs["lower"])[runs["observed"]]
    return {
        "n": median.n,
        "reached": median.reached,
        **share(runs).columns("share"),
        **incidence(runs).columns("incidence"),
        "budget": arm.budgets.min(),
        "followed": median.followed,
        "resolution": widths.max(),
        "median": median.median,
        "median_lower": median.lower,
        "median_upper": median.upper,
        "median_method": median.method,
        **order_range(times, median.upper),
        "horizon": until,
        **mean.columns("mean"),
    }


def _beside(
    arm: Arm, base: Arm, until: float, generator: np.random.Generator, margin: Margin | None
) -> dict[str, object]:
    pairs = paired(arm, base)
    whole = pairs is not None and len(pairs[0].runs) == len(arm.runs) == len(base.runs)
    first, second = pairs if pairs is not None and whole else (arm, base)
    a, b = first.times, second.times

    def difference(confidence: float) -> Interval:
        return restricted.restricted_mean_difference(
            a, b, until, generator, paired=whole, confidence=confidence
        )

    found: dict[str, object] = {
        "paired": whole,
        **difference(0.95).columns("difference"),
        **effects.cliff_delta(a, b, generator).columns("cliff_delta"),
        **effects.cohen_d(a, b, generator).columns("cohen_d"),
    }
    if margin is not None:
        of_base = restricted.restricted_means(b.times, b.observed, until)
        steps = margin.steps(float(of_base))
        if min((of.observed & (of.times <= until)).mean() for of in (a, b)) < HALF:
            seen = none(math.nan, "fewer than half of the runs of an arm had the event")
        else:
            seen = difference(0.90)
        same = equivalence.equivalent_intervals(seen, steps)
        found |= {
            "margin": steps,
            "equivalent": same.equivalent,
            "equivalent_method": same.method if math.isfinite(seen.lower) else seen.method,
            "difference_lower_90": same.difference.lower,
            "difference_upper_90": same.difference.upper,
        }
    return found
