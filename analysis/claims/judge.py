"""Verdicts on the claims of a paper, by the rules of its file and nothing else.

A criterion holds, fails or is undecided (`rules`). One that is asked of each strength of an arm
holds if all strengths keep it and fails if one fails; with `of_strengths: any` it holds if one
keeps it, at a level divided by their number, and fails if all fail. A claim is reproduced if all
its criteria hold, not reproduced if one fails, else inconclusive; without its premise it cannot be
asked. Rules that were amended are judged beside those in force, on the seeds that they were written
for.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from analysis.claims.arms import Added, Runs
from analysis.claims.estimate import Estimate
from analysis.claims.rules import Every, widened
from analysis.claims.schema import Amendment, Beside, Call, Claim, Criterion, Variant
from analysis.runs.experiments import NotRun, Unmatched
from grokpipe.errors import InputError

REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
INCONCLUSIVE = "inconclusive"
PREMISE = "premise fails"
USED = "used for calibration"
NOT_RUN = "not run"
VERDICTS = (REPRODUCED, NOT_REPRODUCED, INCONCLUSIVE, PREMISE, USED, NOT_RUN)


@dataclass(frozen=True)
class Part:
    """The result of a criterion at one strength, or of all runs."""

    label: str
    """α = 0.3; empty where the arm is not divided"""
    estimate: Estimate | None
    """None: its runs are not there"""
    missing: NotRun | None
    """which runs, if so"""
    holds: bool | None
    """None: undecided"""


@dataclass(frozen=True)
class Outcome:
    """The result of one criterion."""

    criterion: Criterion
    parts: tuple[Part, ...]
    others: tuple[tuple[str, Estimate | str], ...] = ()
    """the estimates of its `sensitivity` by their labels, or why there is none"""

    @property
    def holds(self) -> bool | None:
        """None: undecided."""
        return combined([part.holds for part in self.parts], self.criterion.of_strengths)

    @property
    def estimates(self) -> list[Estimate]:
        """Those whose runs are there."""
        return [part.estimate for part in self.parts if part.estimate is not None]

    @property
    def missing(self) -> list[str]:
        """Which runs are not there."""
        return [str(part.missing) for part in self.parts if part.missing is not None]


@dataclass(frozen=True)
class Earlier:
    """What a claim came to by an earlier rule, or by the same rule on earlier seeds."""

    date: str
    """the day until which that was the verdict"""
    amendment: Amendment | None
    """None: the rule is the same, seeds were added"""
    outcomes: tuple[Outcome, ...]
    verdict: str


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
    premise: Outcome | None = None
    beside: tuple[tuple[str, Estimate | str], ...] = ()
    """estimates that no rule judges, by their labels, or why there is none"""
    earlier: tuple[Earlier, ...] = ()
    """oldest first"""

    def by_estimate(self) -> list[list[Outcome]]:
        """The outcomes that share an estimate, together."""
        groups: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            key = f"{outcome.criterion.call.key} {outcome.criterion.each}"
            groups.setdefault(key, []).append(outcome)
        return list(groups.values())


def judge(
    claims: Sequence[Claim],
    runs: Runs,
    track: Callable[[Sequence[Claim]], Iterable[Claim]] = iter,
    added: Sequence[Added] = (),
) -> list[Judged]:
    """All claims in their order. An estimate of several criteria is computed once. Raises
    InputError, with claim and estimator, for runs that an estimator refuses."""
    return [_judged(claim, runs, added) for claim in track(claims)]


def combined(holds: Sequence[bool | None], of_strengths: str = "all") -> bool | None:
    """Whether a rule holds that is asked of each strength; None: undecided."""
    decides = of_strengths == "any"  # the result of one strength that settles it
    if decides in holds:
        return decides
    return None if None in holds else not decides


def verdict(claim: Claim, outcomes: Sequence[Outcome], premise: Outcome | None = None) -> str:
    """The verdict on a claim. One criterion that fails decides, even where another's runs are
    missing."""
    if not any(outcome.estimates for outcome in outcomes):
        return NOT_RUN
    if claim.used:
        return USED
    if premise is not None and premise.holds is not True:
        return PREMISE
    kept = [outcome.holds for outcome in outcomes]
    if False in kept:
        return NOT_REPRODUCED
    return REPRODUCED if all(kept) else INCONCLUSIVE


def _judged(claim: Claim, runs: Runs, added: Sequence[Added]) -> Judged:
    criteria = [*claim.criteria, *([claim.premise] if claim.premise else [])]
    every, names = runs.experiments.reading(lambda: [_outcome(claim, c, runs) for c in criteria])
    outcomes = tuple(every[: len(claim.criteria)])
    premise = every[-1] if claim.premise else None
    unmatched = [
        part.missing
        for outcome in every
        for part in outcome.parts
        if isinstance(part.missing, Unmatched)
    ]
    return Judged(
        claim=claim,
        outcomes=outcomes,
        verdict=verdict(claim, outcomes, premise),
        experiments=tuple(names),
        unmatched=tuple(dict.fromkeys(map(str, unmatched))),
        premise=premise,
        beside=tuple(_beside(claim, one, runs) for one in claim.beside),
        earlier=tuple(_earlier(claim, runs, added, names)),
    )


def _earlier(
    claim: Claim, runs: Runs, added: Sequence[Added], names: Sequence[str]
) -> Iterator[Earlier]:
    replaced = [(one.date, one, one.criteria) for one in claim.amended]
    since = replaced[-1][0] if replaced else claim.written
    same = [one.date for one in added if one.date > since and set(one.earlier) & set(names)]
    for date, amendment, criteria in (*replaced, *((day, None, claim.criteria) for day in same)):
        seen = runs.before([one for one in added if one.date >= date])
        outcomes = tuple(_outcome(claim, replace(c, sensitivity=()), seen) for c in criteria)
        yield Earlier(date, amendment, outcomes, verdict(claim, outcomes))


def _outcome(claim: Claim, criterion: Criterion, runs: Runs) -> Outcome:
    try:
        divided = [("", runs)]
        if criterion.each is not None:
            divided = list(criterion.call.strengths(runs, criterion.each))
        several = len(divided) if criterion.of_strengths == "any" else 1
        parts = [_part(claim, criterion, label, one, several) for label, one in divided]
    except NotRun as missing:
        parts = [Part("", None, missing, None)]
    return Outcome(criterion, tuple(parts), tuple(_others(claim, criterion.sensitivity, runs)))


def _part(claim: Claim, criterion: Criterion, label: str, runs: Runs, several: int) -> Part:
    found = _estimate(claim, criterion.call, runs)
    if isinstance(found, NotRun):
        return Part(label, None, found, None)
    if isinstance(criterion.rule, Every) and found.shown is None:
        name = criterion.call.name
        raise InputError(f"claim {claim.id}: {name}: gives no share, but every run is asked")
    return Part(label, found, None, criterion.rule.holds(widened(found, several)))


def _estimate(claim: Claim, call: Call, runs: Runs) -> Estimate | NotRun:
    def compute() -> Estimate | NotRun:
        try:
            return call(runs)
        except NotRun as missing:
            return missing
        except InputError as error:
            raise InputError(f"claim {claim.id}: {call.name}: {error}") from error

    return runs.once(f"estimate {call.key}", compute)


def _beside(claim: Claim, beside: Beside, runs: Runs) -> tuple[str, Estimate | str]:
    found = _estimate(claim, beside.call, runs)
    return beside.label, str(found) if isinstance(found, NotRun) else found


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
