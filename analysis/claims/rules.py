"""Rules: whether an estimate shows what a claim says, does not, or leaves it open."""

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
from scipy import stats

from analysis.claims.estimate import Estimate, Scale
from analysis.stats.intervals import CONFIDENCE

TAIL = (1 - CONFIDENCE) / 2
FARTHEST = 700.0
"""logarithm beyond which a number is not told from 0 or infinity"""


@dataclass(frozen=True)
class Within:
    """The whole interval lies in a range; it fails if none of it does."""

    lower: float
    upper: float
    """an end may be infinite"""

    def holds(self, estimate: Estimate) -> bool | None:
        """None: the interval lies partly outside, or there is none."""
        found = estimate.interval
        if math.isnan(found.lower) or math.isnan(found.upper):
            return None
        if self.lower <= found.lower and found.upper <= self.upper:
            return True
        return False if found.upper < self.lower or found.lower > self.upper else None


@dataclass(frozen=True)
class Every:
    """All of at least so many runs show it; it fails with the first that does not."""

    runs: int

    def holds(self, estimate: Estimate) -> bool | None:
        """None: all show it, but they are too few."""
        assert estimate.shown is not None
        if estimate.shown < estimate.runs:
            return False
        return True if estimate.runs >= self.runs else None


@dataclass(frozen=True)
class Replicates:
    """The published number could come from a replication of our runs, and no effect could not.

    The published value is held against the 95 % prediction interval for it: our estimate, with the
    error of ours and that of theirs, which is taken from their interval or, without one, from our
    spread at their number of runs (Patil, Peng & Leek 2016). For a share both counts are compared
    by Fisher's exact test.
    """

    value: float
    runs: int | None
    """of the published number"""
    interval: tuple[float, float] | None
    """the published one, 95 %"""
    no_effect: float | None
    """the value that means no effect"""
    scale: Scale | Literal["as estimated"] = "as estimated"
    """log: values are compared by their ratio"""

    def holds(self, estimate: Estimate) -> bool | None:
        """False: the published value lies outside; None: so does not the value of no effect, or
        our estimate has no error."""
        found = self.prediction(estimate)
        if found is None:
            return None
        if not found[0] <= self.value <= found[1]:
            return False
        if self.no_effect is None:
            return True
        ours = estimate.interval
        return None if ours.lower <= self.no_effect <= ours.upper else True

    def prediction(self, estimate: Estimate) -> tuple[float, float] | None:
        """The 95 % interval in which a replication of the published size falls; None where our
        estimate has no error. An end that ours leaves open is infinite."""
        if estimate.shown is not None:
            return self._shares(estimate)
        ours = estimate.interval
        if math.isinf(ours.upper) and math.isfinite(ours.lower):  # a bound: nothing below it
            return ours.lower, math.inf
        error = standard_error(estimate, self._scale(estimate))
        if error is None:
            return None
        centre, own, freedom = error
        theirs = self._their_error(own, estimate, self._scale(estimate))
        half = stats.t.isf(TAIL, freedom) * math.hypot(own, theirs)
        if self._scale(estimate) == "linear":
            return centre - half, centre + half
        return math.exp(max(centre - half, -FARTHEST)), math.exp(min(centre + half, FARTHEST))

    def _scale(self, estimate: Estimate) -> Scale:
        return estimate.scale if self.scale == "as estimated" else self.scale

    def _their_error(self, own: float, estimate: Estimate, scale: Scale) -> float:
        if self.interval is None:
            assert self.runs is not None
            return own * math.sqrt((estimate.seeds or estimate.runs) / self.runs)
        ends = np.log(self.interval) if scale == "log" else np.asarray(self.interval)
        return float(ends[1] - ends[0]) / (2 * stats.norm.isf(TAIL))

    def _shares(self, estimate: Estimate) -> tuple[float, float]:
        assert estimate.shown is not None and self.runs is not None
        least, most = shares_alike(estimate.shown, estimate.runs, self.runs)
        # a share is published with few digits: half a run either way
        return (least - 0.5) / self.runs, (most + 0.5) / self.runs


Rule = Within | Every | Replicates


@cache
def shares_alike(k: int, n: int, of: int) -> tuple[int, int]:
    """The least and the largest count of `of` runs that Fisher's exact test does not part from k of
    n at 5 %."""
    alike = [
        other
        for other in range(of + 1)
        if stats.fisher_exact([(k, n - k), (other, of - other)]).pvalue >= 1 - CONFIDENCE
    ]
    return alike[0], alike[-1]


def widened(estimate: Estimate, several: int) -> Estimate:
    """The estimate with an interval for one of several that are looked at (Bonferroni): each may
    err with a probability of 5 % over their number. Shares and bounds stay as they are."""
    error = None if estimate.shown is not None else standard_error(estimate, estimate.scale)
    if several < 2 or error is None:
        return estimate
    centre, own, freedom = error
    half = float(stats.t.isf(TAIL / several, freedom)) * own
    back = math.exp if estimate.scale == "log" else float
    found = replace(estimate.interval, lower=back(centre - half), upper=back(centre + half))
    return replace(estimate, interval=found)


def standard_error(estimate: Estimate, scale: Scale) -> tuple[float, float, int] | None:
    """Centre, standard error and degrees of freedom of an estimate on a scale, from its 95 %
    interval as if that were Student's over its seeds; None where it has no two finite ends."""
    found, freedom = estimate.interval, (estimate.seeds or estimate.runs) - 1
    if not found.bounded or found.lower >= found.upper or freedom < 1:
        return None
    quantile = float(stats.t.isf(TAIL, freedom))
    if scale == "linear":
        return found.estimate, (found.upper - found.lower) / (2 * quantile), freedom
    if found.estimate <= 0:
        return None
    if found.lower <= 0:  # the relative error, by the delta method
        width = (found.upper - found.lower) / found.estimate
    else:
        width = math.log(found.upper / found.lower)
    return math.log(found.estimate), width / (2 * quantile), freedom
