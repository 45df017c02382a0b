"""Verdicts on the claims of a paper, by the rules of its file and nothing else.

A criterion `within: [a, b]` holds if the whole interval lies in it, fails if none of it does, and
is else undecided; `every: true` holds if all of at least `runs` runs show it, fails with the first
that does not, and is undecided for fewer runs. A claim is reproduced if all its criteria hold, not
reproduced if one fails, else inconclusive.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from analysis.claims.arms import Runs
from analysis.claims.estimate import Estimate
from analysis.claims.schema import Call, Claim, Criterion, Variant
from analysis.runs.experiments import NotRun, Unmatched
from grokpipe.errors import InputError

REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
INCONCLUSIVE = "inconclusive"
USED = "used for calibration"
NOT_RUN = "not run"
VERDICTS = (REPRODUCED, NOT_REPRODUCED, INCONCLUSIVE, USED, NOT_RUN)


@dataclass(frozen=True)
class Outcome:
    """The result of one criterion."""

    criterion: Criterion
    estimate: Estimate | None
    """None: its runs are not there"""
    missing: str
    """which runs, if so"""
    holds: bool | None
    """None: undecided"""
    others: tuple[tuple[str, Estimate | str], ...] = ()
    """the estimates of its `sensitivity` by their labels, or why there is none"""


@dataclass(frozen=True)
class Judged:
    """A claim, its outcomes, and the verdict."""

    claim: Claim
    outcomes: tuple[Outcome, ...]
    verdict: str
    experiments: tuple[str, ...] = ()
    """the experiments that its estimates read"""
    unmatched: tuple[str, ...] = ()
    """what its estimates ask for and no run of an experiment that was run has"""

    def by_estimate(self) -> list[list[Outcome]]:
        """The outcomes that share an estimate, together."""
        groups: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            groups.setdefault(outcome.criterion.call.key, []).append(outcome)
        return list(groups.values())


def judge(
    claims: Sequence[Claim], runs: Runs, track: Callable[[Sequence[Claim]], Iterable[Claim]] = iter
) -> list[Judged]:
    """All claims in their order. An estimate of several criteria is computed once. Raises
    InputError, with claim and estimator, for runs that an estimator refuses."""
    unmatched: list[str] = []

    def outcome(claim: Claim, criterion: Criterion) -> Outcome:
        found = _estimate(claim, criterion.call, runs)
        if isinstance(found, NotRun):
            unmatched.extend([str(found)] if isinstance(found, Unmatched) else [])
            return Outcome(criterion, None, str(found), None)
        if criterion.runs is not None and found.shown is None:
            name = criterion.call.name
            raise InputError(f"claim {claim.id}: {name}: gives no share, but every run is asked")
        others = tuple(_others(claim, criterion.sensitivity, runs))
        return Outcome(criterion, found, "", holds(criterion, found), others)

    def judged(claim: Claim) -> Judged:
        unmatched.clear()
        outcomes, names = runs.experiments.reading(
            lambda: tuple(outcome(claim, criterion) for criterion in claim.criteria)
        )
        said = tuple(dict.fromkeys(unmatched))
        return Judged(claim, outcomes, verdict(claim, outcomes), tuple(names), said)

    return [judged(claim) for claim in track(claims)]


def holds(criterion: Criterion, estimate: Estimate) -> bool | None:
    """Whether an estimate keeps a rule; None where the runs do not decide it."""
    if criterion.within is None:
        assert criterion.runs is not None and estimate.shown is not None
        if estimate.shown < estimate.runs:
            return False
        return True if estimate.runs >= criterion.runs else None
    (lowest, highest), found = criterion.within, estimate.interval
    if math.isnan(found.lower) or math.isnan(found.upper):
        return None
    if lowest <= found.lower and found.upper <= highest:
        return True
    return False if found.upper < lowest or found.lower > highest else None


def verdict(claim: Claim, outcomes: Sequence[Outcome]) -> str:
    """The verdict on a claim. One criterion that fails decides, even where another's runs are
    missing."""
    if all(outcome.estimate is None for outcome in outcomes):
        return NOT_RUN
    if claim.used:
        return USED
    kept = [outcome.holds for outcome in outcomes]
    if False in kept:
        return NOT_REPRODUCED
    return REPRODUCED if all(kept) else INCONCLUSIVE


def _estimate(claim: Claim, call: Call, runs: Runs) -> Estimate | NotRun:
    def compute() -> Estimate | NotRun:
        try:
            return call(runs)
        except NotRun as missing:
            return missing
        except InputError as error:
            raise InputError(f"claim {claim.id}: {call.name}: {error}") from error

    return runs.once(f"estimate {call.key}", compute)


def _others(
    claim: Claim, variants: Sequence[Variant], runs: Runs
) -> Iterator[tuple[str, Estimate | str]]:
    for variant in variants:
        try:
            for label, varied in variant.runs(runs):
                found = _estimate(claim, variant.call, varied)
                yield label, str(found) if isinstance(found, NotRun) else found
        except NotRun as missing:
            yield variant.label or variant.call.name, str(missing)
