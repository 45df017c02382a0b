"""Verdicts on the claims of a paper, by the rules of its file and nothing else.

The rules are stated at the head of analysis/papers/entropy/claims.yaml.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.claims.findings import Finding
from analysis.claims.schema import Claim, Criterion
from analysis.runs.experiments import Experiments, NotRun
from grokpipe.errors import InputError

REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
INCONCLUSIVE = "inconclusive"
USED = "used for calibration"
NOT_RUN = "not run"
VERDICTS = (REPRODUCED, NOT_REPRODUCED, INCONCLUSIVE, USED, NOT_RUN)


@dataclass(frozen=True)
class Outcome:
    """What came of one criterion."""

    criterion: Criterion
    finding: Finding | None
    """None: its runs are not there"""
    missing: str
    """which runs, if so"""
    holds: bool | None
    """None: undecided"""


@dataclass(frozen=True)
class Judged:
    """A claim, what was found, and the verdict."""

    claim: Claim
    outcomes: tuple[Outcome, ...]
    verdict: str

    def by_quantity(self) -> list[list[Outcome]]:
        """Those of one quantity, which have one finding, together."""
        groups: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            groups.setdefault(outcome.criterion.quantity, []).append(outcome)
        return list(groups.values())


def judge(claims: Sequence[Claim], experiments: Experiments,
          track: Callable[[Sequence[Claim]], Iterable[Claim]] = iter) -> list[Judged]:  # fmt: skip
    """All claims in their order. A quantity of several criteria is computed once. Raises
    InputError, with the claim and the quantity, for runs that a quantity refuses."""
    known: dict[str, Finding | NotRun] = {}

    def outcome(claim: Claim, criterion: Criterion) -> Outcome:
        name = criterion.quantity
        if name not in known:
            known[name] = _found(claim, criterion, experiments)
        found = known[name]
        if isinstance(found, NotRun):
            return Outcome(criterion, None, str(found), None)
        if criterion.runs is not None and found.shown is None:
            raise InputError(f"claim {claim.id}: {name}: gives no share, but every run is asked")
        return Outcome(criterion, found, "", holds(criterion, found))

    return [
        Judged(claim, outcomes, verdict(claim, outcomes))
        for claim in track(claims)
        for outcomes in [tuple(outcome(claim, criterion) for criterion in claim.criteria)]
    ]


def holds(criterion: Criterion, finding: Finding) -> bool | None:
    """Whether a finding keeps a rule; None where the runs do not decide it."""
    if criterion.within is None:
        assert criterion.runs is not None and finding.shown is not None
        if finding.shown < finding.runs:
            return False
        return True if finding.runs >= criterion.runs else None
    (lowest, highest), found = criterion.within, finding.interval
    if math.isnan(found.lower) or math.isnan(found.upper):
        return None
    if lowest <= found.lower and found.upper <= highest:
        return True
    return False if found.upper < lowest or found.lower > highest else None


def verdict(claim: Claim, outcomes: Sequence[Outcome]) -> str:
    """Of a claim. One criterion that fails decides, even where another's runs are missing."""
    if all(outcome.finding is None for outcome in outcomes):
        return NOT_RUN
    if claim.used:
        return USED
    kept = [outcome.holds for outcome in outcomes]
    if False in kept:
        return NOT_REPRODUCED
    return REPRODUCED if all(kept) else INCONCLUSIVE


def _found(claim: Claim, criterion: Criterion, experiments: Any) -> Finding | NotRun:
    try:
        return criterion.compute(experiments)
    except NotRun as missing:
        return missing
    except InputError as error:
        raise InputError(f"claim {claim.id}: {criterion.quantity}: {error}") from error
