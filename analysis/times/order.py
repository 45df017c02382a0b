"""Which of two events comes first: before, after or not known in each run, then over runs.

An event seen at an evaluation lies in (lower, upper], after the evaluation before. So one event is
certainly before another if its upper bound is at most the other's lower bound: intervals that only
touch are ordered, those that overlap are not. What was not seen is later than its lower bound.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.runs.tables import Tables, varied_columns
from analysis.stats import effects
from analysis.stats.intervals import CONFIDENCE, Interval, none
from analysis.times.labels import labelled
from grokpipe.curves.definitions import definition_of
from grokpipe.curves.kinds import FromFinal
from grokpipe.errors import InputError
from grokpipe.store.manifest import FINISHED

BEFORE, AFTER, UNKNOWN = "before", "after", "not known"
TIMES = ("step", "observed", "lower", "upper")
PAIR = ("first", "second")

Floats = NDArray[np.float64]


def orders(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """The order of two events in each run that has both, seen or not, from their rows of
    `timescales.events`.

    Returns a row per run, in the order of `first`: key; first_step, first_observed, first_lower,
    first_upper and the same of the second; order (of the first: BEFORE, AFTER or UNKNOWN); and the
    lag, which is the steps from the first to the second: lag, observed (whether both events were),
    lower, upper. The lag is between its bounds. If only one event was seen, `lag` is the finite
    bound; if neither was, or nothing is known of the other, it is NaN.
    """
    sides = []
    for name, rows in zip(PAIR, (first, second), strict=True):
        times = rows[["key", *TIMES]].assign(known_after=_known_after(rows))
        sides.append(times.rename(columns=lambda c, name=name: c if c == "key" else f"{name}_{c}"))
    both = sides[0].merge(sides[1], on="key")
    a, b = ({c: both[f"{side}_{c}"].to_numpy() for c in (*TIMES, "known_after")} for side in PAIR)
    seen_a, seen_b = a["observed"].astype(bool), b["observed"].astype(bool)
    before, after = a["upper"] <= b["known_after"], b["upper"] <= a["known_after"]
    lag = np.where(seen_a | seen_b, b["step"] - a["step"], math.nan)
    nothing = (~seen_a & np.isinf(a["known_after"])) | (~seen_b & np.isinf(b["known_after"]))
    found = both.drop(columns=["first_known_after", "second_known_after"])
    return found.assign(
        order=np.select([before, after], [BEFORE, AFTER], UNKNOWN),
        lag=np.where(nothing, math.nan, lag),
        observed=seen_a & seen_b,
        lower=np.maximum(b["known_after"], 0) - a["upper"],  # no time is negative
        upper=b["upper"] - np.maximum(a["known_after"], 0),
    )


def _known_after(rows: pd.DataFrame) -> Floats:
    """The step after which each event certainly is; −∞ where nothing bounds it from below: the
    first evaluation showed it already, or it needs the final value of a run that is not finished.
    """
    observed = rows["observed"].to_numpy(bool)
    at_first = observed & (rows["lower"] == rows["upper"]).to_numpy()
    needs_final = {n for n in rows["event"].unique() if isinstance(definition_of(n), FromFinal)}
    unfinished = rows["event"].isin(needs_final) & ~rows["state"].isin(FINISHED)
    waiting = ~observed & unfinished.to_numpy()
    return np.where(at_first | waiting, -math.inf, rows["lower"].to_numpy(float))


def counts(found: pd.DataFrame) -> dict[str, float]:
    """Numbers of runs by their order (n, before, after, unknown), and the exact two-sided sign test
    of before against after without the others (Dixon & Mood 1946): sign_p, NaN without any."""
    before, after = (int((found["order"] == which).sum()) for which in (BEFORE, AFTER))
    known = before + after
    return {
        "n": len(found),
        "before": before,
        "after": after,
        "unknown": len(found) - known,
        "sign_p": stats.binomtest(before, known).pvalue if known else math.nan,
    }


def summary(
    events: pd.DataFrame, names: Sequence[str], by: Sequence[str], tables: Tables
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The order of every pair of `names` in each run, and over the runs of each arm.

    Args:
        events: rows of `timescales.events`.
        names: at least two events, of which no ratio of times.
        by: configuration columns that define the arms.
        tables: all runs.

    Returns:
        A row per pair and arm: first, second, arm, `by`, runs, n (those that have both events), the
        `counts`, one_never (runs whose order is known because only one of the two was seen), the
        share of the known orders in which the first is before with its exact interval (share, …),
        that share of all runs if those not known counted as after (share_least) and as before
        (share_most), and the median lag (`median_lag`: lag, …). And a row per pair and run:
        `orders`, with first, second, arm and the configuration.

    Raises:
        InputError: runs of an arm share a seed, and so are not independent.
    """
    runs = tables.cells
    check_seeds(runs[runs["key"].isin(set(events["key"]))], by, tables)
    arms = labelled(runs, by)
    arm_of = {key: label for label, group in arms.items() for key in group["key"]}
    columns = ["key", "seed", "state", *dict.fromkeys(by)]
    rows, of_runs = [], []
    for at, first in enumerate(names):
        for second in names[at + 1 :]:
            pair = {"first": first, "second": second}
            found = orders(*(events[events["event"] == name] for name in (first, second)))
            found = found.assign(**pair, arm=found["key"].map(arm_of))
            found = runs[columns].merge(found, on="key")
            of_arms = dict(list(found.groupby("arm")))
            for label, group in arms.items():
                values = {column: group[column].iloc[0] for column in by}
                of_arm = _arm(of_arms.get(label, found[:0]))
                rows.append({**pair, "arm": label, **values, "runs": len(group), **of_arm})
            place = found["arm"].map({label: place for place, label in enumerate(arms)})
            found = found.assign(place=place).sort_values(["place", "seed", "key"])
            of_runs.append(found[["first", "second", "arm", *columns, *_PER_RUN]])
    return pd.DataFrame(rows), pd.concat(of_runs, ignore_index=True)


_PER_RUN = [
    *(f"{side}_{column}" for side in PAIR for column in TIMES),
    *("order", "lag", "observed", "lower", "upper"),
]


def _arm(found: pd.DataFrame) -> dict[str, float | str]:
    counted = counts(found)
    n, before, unknown = (int(counted[name]) for name in ("n", "before", "unknown"))
    row: dict[str, float | str] = dict(counted)
    row["one_never"] = int(((found["order"] != UNKNOWN) & ~found["observed"]).sum())
    row |= effects.proportion(before, n - unknown).columns("share")
    row["share_least"] = before / n if n else math.nan
    row["share_most"] = (before + unknown) / n if n else math.nan
    return row | (median_lag(found) if n else none(math.nan, "no runs")).columns("lag")


def check_seeds(runs: pd.DataFrame, by: Sequence[str], tables: Tables) -> None:
    """Raise InputError where runs of a group share a seed, and so are not independent."""
    by = list(by)
    if runs.duplicated([*by, "seed"]).any():
        others = ", ".join(c for c in varied_columns(tables) if c not in by)
        raise InputError(
            f"by {', '.join(by)}: runs of a group share a seed; also by: "
            f"{others or 'nothing else differs'}"
        )


def median_lag(lags: pd.DataFrame) -> Interval:
    """Median of lags (columns lag, observed, lower, upper) with an interval of order statistics.

    The exact coverage (binomial distribution; David & Nagaraja 2003, sec. 7.1) is the one nearest
    to 95 %, and the method states it; below 5 runs the interval is the whole range and covers less.
    The interval uses the bounds of each lag, so that it accounts for the evaluation grid and for
    events that were not observed. The estimate uses the observed lags, and is NaN where the other
    lags, anywhere within their bounds, could change it. No interval for one run. Raises ValueError
    for no runs.
    """
    n = len(lags)
    if not n:
        raise ValueError("a median of no runs")
    least, most = (np.where(lags["observed"], lags["lag"], lags[end]) for end in ("lower", "upper"))
    between = float(np.median(least)), float(np.median(most))
    estimate = between[0] if between[0] == between[1] else math.nan
    if n == 1:
        return none(estimate, "one run")
    ranks = np.arange(n // 2)
    coverages = 1 - 2 * stats.binom.cdf(ranks, n, 0.5)
    rank = int(np.abs(coverages - CONFIDENCE).argmin())
    return Interval(
        estimate,
        float(np.sort(lags["lower"])[rank]),
        float(np.sort(lags["upper"])[n - 1 - rank]),
        f"order statistics, {100 * coverages[rank]:.1f} %",
    )
