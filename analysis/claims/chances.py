"""The probability of each verdict, by simulation from our own spread.

A rule can decide if it says yes to what the paper states and no, or not yes, where there is no
effect. An estimate is drawn as its own interval says: a share from the binomial distribution, a
variance from χ², any other number from the normal distribution around the assumed value with a χ²
spread (`rules.standard_error`). Estimates of a claim are drawn independently, criteria of one
estimate from the same draw.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from analysis.claims import judge
from analysis.claims.estimate import Estimate
from analysis.claims.judge import INCONCLUSIVE, NOT_REPRODUCED, REPRODUCED, Judged, Outcome, Part
from analysis.claims.rules import TAIL, standard_error, widened
from analysis.claims.schema import Criterion
from analysis.runs import combine
from analysis.stats import effects
from analysis.stats.intervals import Interval
from analysis.times.timescales import arms

DRAWS = 2_000
DECIDED = 0.8
"""the probability with which more seeds should lead to a verdict"""
MOST = 2_000
"""seeds an arm beyond which nobody trains"""
BY_NORMAL_VARIANCE = "χ²"


@dataclass(frozen=True)
class Chances:
    """What the rule of a claim would say, by the number of runs that it had."""

    published: Mapping[str, float] | None
    """verdict → probability if the published values are true; None where none was published, or an
    estimate has no spread to draw from"""
    no_effect: Mapping[str, float] | None
    """… if there is no effect"""
    enough: int | None
    """for an inconclusive claim: seeds an arm at which it gets a verdict with probability DECIDED
    if our estimate is true; None where MOST are too few or nothing can be drawn"""
    seeds: int | None
    """seeds an arm that it has now: of the smallest of its estimates"""
    cost: float
    """seed-steps that the missing seeds of all its arms take, at the mean length of the runs of
    each; NaN"""


def chances(judged: Judged, generator: np.random.Generator) -> Chances:
    """Simulate the verdicts of a claim."""
    used = replace(judged.claim, used=False)  # what it would be if it could be judged
    judged = replace(judged, claim=used)
    now = min((_seeds(e) for o in judged.outcomes for e in o.estimates), default=None)
    enough = None
    if judged.verdict == INCONCLUSIVE:
        enough = _enough(judged, now or 0, generator)
    return Chances(
        published=_probabilities(judged, lambda c, e: c.published, 1.0, generator),
        no_effect=_probabilities(judged, lambda c, e: c.no_effect, 1.0, generator),
        enough=enough,
        seeds=now,
        cost=math.nan if enough is None else _cost(judged, enough),
    )


Truth = Callable[[Criterion, Estimate], float | None]


def _probabilities(
    judged: Judged, truth: Truth, more: float, generator: np.random.Generator, draws: int = DRAWS
) -> dict[str, float] | None:
    """The share of the draws with each verdict; None where a criterion has no assumed value or no
    spread. `more`: the factor by which there are more seeds than now."""
    drawn: dict[str, Iterator[Estimate]] = {}
    for outcome in judged.outcomes:
        for part in outcome.parts:
            spread = _with_spread(outcome, part)
            value = None if spread is None else truth(outcome.criterion, spread)
            if spread is None or value is None:
                return None
            source = _draws(spread, value, more, generator)
            if source is None:
                return None
            drawn.setdefault(_name(outcome, part), source)
    counts = dict.fromkeys((REPRODUCED, NOT_REPRODUCED, INCONCLUSIVE), 0)
    for _ in range(draws):
        one = {name: next(source) for name, source in drawn.items()}
        outcomes = [_with(outcome, one) for outcome in judged.outcomes]
        counts[judge.verdict(judged.claim, outcomes)] += 1
    return {verdict: count / draws for verdict, count in counts.items()}


def _with_spread(outcome: Outcome, part: Part) -> Estimate | None:
    """The estimate to draw from: a strength without an event has no spread, and takes that of the
    next strength that has one."""
    one = part.estimate
    if one is None or one.shown is not None or one.interval.bounded:
        return one
    others = (other for other in outcome.estimates if other.interval.bounded)
    return next(others, one)


def _with(outcome: Outcome, drawn: Mapping[str, Estimate]) -> Outcome:
    parts = []
    several = len(outcome.parts) if outcome.criterion.of_strengths == "any" else 1
    for part in outcome.parts:
        estimate = drawn[_name(outcome, part)]
        holds = outcome.criterion.rule.holds(widened(estimate, several))
        parts.append(replace(part, estimate=estimate, holds=holds))
    return replace(outcome, parts=tuple(parts))


def _name(outcome: Outcome, part: Part) -> str:
    return f"{outcome.criterion.call.key} {part.label}"


def _draws(
    estimate: Estimate, truth: float, more: float, generator: np.random.Generator
) -> Iterator[Estimate] | None:
    """Estimates as they would be at `more` times as many seeds if `truth` were the value; None
    where the estimate has no spread."""
    if estimate.shown is not None:
        return _shares(estimate, truth, more, generator)
    if estimate.interval.method.startswith(BY_NORMAL_VARIANCE):
        return _variances(estimate, truth, more, generator)
    error = standard_error(estimate, estimate.scale)
    if error is None or (estimate.scale == "log" and truth <= 0):
        return None
    return _numbers(estimate, truth, more, error[1], generator)


def _shares(
    estimate: Estimate, truth: float, more: float, generator: np.random.Generator
) -> Iterator[Estimate]:
    n = round(more * estimate.runs)
    known: dict[int, Interval] = {}
    while True:
        k = int(generator.binomial(n, truth))
        if k not in known:
            known[k] = effects.proportion(k, n)
        yield replace(estimate, interval=known[k], runs=n, shown=k, seeds=None)


def _variances(
    estimate: Estimate, truth: float, more: float, generator: np.random.Generator
) -> Iterator[Estimate]:
    freedom = round(more * estimate.runs) - 1
    now = estimate.runs - 1
    # the level of the interval, from its own end
    tail = float(stats.chi2.cdf(now * estimate.interval.estimate / estimate.interval.upper, now))
    ends = stats.chi2.isf([tail, 1 - tail], freedom)
    while True:
        value = truth * generator.chisquare(freedom) / freedom
        lower, upper = freedom * value / ends
        found = Interval(value, float(lower), float(upper), estimate.interval.method)
        yield replace(estimate, interval=found, runs=freedom + 1)


def _numbers(
    estimate: Estimate, truth: float, more: float, error: float, generator: np.random.Generator
) -> Iterator[Estimate]:
    seeds = max(round(more * _seeds(estimate)), 2)
    error *= math.sqrt(_seeds(estimate) / seeds)
    quantile = float(stats.t.isf(TAIL, seeds - 1))
    log = estimate.scale == "log"
    centre, back = (math.log(truth), math.exp) if log else (truth, float)
    while True:
        at = centre + error * generator.standard_normal()
        half = quantile * error * math.sqrt(generator.chisquare(seeds - 1) / (seeds - 1))
        found = Interval(back(at), back(at - half), back(at + half), "drawn")
        yield replace(estimate, interval=found, runs=seeds, seeds=None)


def _enough(judged: Judged, now: int, generator: np.random.Generator) -> int | None:
    """Doubling, then halving: the least number of seeds an arm that decides often enough."""

    def decides(seeds: int) -> bool:
        found = _probabilities(
            judged, lambda c, e: e.interval.estimate, seeds / now, generator, DRAWS // 5
        )
        return found is not None and found[INCONCLUSIVE] <= 1 - DECIDED

    if now < 2:
        return None
    most = now
    while not decides(most):
        if most >= MOST:
            return None
        most = min(2 * most, MOST)
    least = max(most // 2, now)
    while least + 1 < most:
        middle = (least + most) // 2
        least, most = (least, middle) if decides(middle) else (middle, most)
    return most


def _seeds(estimate: Estimate) -> int:
    return estimate.seeds or estimate.runs


def _cost(judged: Judged, seeds: int) -> float:
    """Seed-steps until every arm behind the estimates has so many seeds: an arm that several of
    them share, as the baseline, is counted once."""
    behind = [
        estimate.tables
        for outcome in judged.outcomes
        for estimate in outcome.estimates
        if estimate.tables is not None
    ]
    if not behind:
        return math.nan
    tables = combine.join(behind, behind[0].folder)
    number = arms(tables).reindex(tables.cells["key"]).to_numpy()
    of_arms = tables.cells.groupby(number)["trained_steps"].agg(["size", "mean"])
    return float((np.maximum(seeds - of_arms["size"], 0) * of_arms["mean"]).sum())
