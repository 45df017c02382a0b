"""Estimates, rules and verdicts in words."""

import inspect
import math
from collections.abc import Mapping

from analysis.claims.arms import SYMBOLS
from analysis.claims.chances import DECIDED, MOST, Chances
from analysis.claims.estimate import Estimate
from analysis.claims.judge import (
    INCONCLUSIVE,
    NOT_RUN,
    PREMISE,
    REPRODUCED,
    USED,
    Earlier,
    Judged,
    Outcome,
    Part,
)
from analysis.claims.order import Order
from analysis.claims.rules import Every, Replicates, Rule, Within
from analysis.claims.schema import Claim, Criterion, Paper
from analysis.output.formats import interval, number
from analysis.stats.intervals import CONFIDENCE, Interval

DIGITS = 6
NAMES = {
    "share_reached": "{event}",
    "share_before": "{event} before {before}",
    "share_without": "{event} in runs without {without}",
    "calibrated_lead": "lead of {column}",
    "slowdown": "ratio of times",
    "repeat_spread": "spread between machines",
    "mean_lead": "lead of {event} over {before}",
    "value_at": "{column}{minus} at {at}",
    "variance_at": "variance of {column} at {at}",
    "difference_at": "difference of {column} at {at}",
    "change_between": "change of {column}",
    "correlation": "correlation of {x} and {y}",
    "gap_law": "{law} law: {what}",
    "exponent": "exponent of {event}",
    "joint_exponent": "exponent of {event} in {against}",
    "log_slope": "slope of {column}{minus} on log axes",
    "synchrony": "{what} of {first} and {second}",
    "correlation_difference": "correlation of {column} with {first} less with {second}",
    "tracking_gain": "closeness of {column} to {target} less that of {rival}",
}
"""how a reader calls an estimate, by its estimator's arguments; others by the estimator's name"""
HALF = 0.5  # probability of "reproduced" below which a rule cannot decide
LAWS = {"r_squared": "R²", "gamma": "exponent γ", "gain_over_power": "R² gain over the power law"}


def ours(outcome: Outcome) -> str:
    """An estimate: number, interval, runs and method, or k of n, for each strength that is judged;
    – where there are no runs."""
    if not outcome.estimates:
        return "–"
    every = isinstance(outcome.criterion.rule, Every)
    said = ((p.label, _said(p.estimate, every) if p.estimate else "–") for p in outcome.parts)
    return "; ".join(": ".join(filter(None, one)) for one in said)


def other(outcome: Outcome, found: Estimate | str) -> str:
    """An estimate of the same criterion under another definition, or why there is none."""
    return (
        found if isinstance(found, str) else _said(found, isinstance(outcome.criterion.rule, Every))
    )


def beside(found: Estimate | str) -> str:
    """An estimate that no rule judges, or why there is none, with its note."""
    if isinstance(found, str):
        return found
    return f"{_said(found, False)}{f'; {found.note}' if found.note else ''}"


def name(criterion: Criterion) -> str:
    """Name what a criterion estimates: mean time, falls monotonically, t_collapse before t_grok; a
    paper's own estimate with its arguments that are words."""
    call = criterion.call
    parameters = inspect.signature(call.function).parameters.values()
    args = {p.name: p.default for p in parameters if p.default is not p.empty} | {**call.args}
    if call.name in NAMES:
        at = f"step {args['at']:,}" if isinstance(args.get("at"), int) else args.get("at")
        minus = f" − {args['minus']}" if args.get("minus") else ""
        what = LAWS.get(str(args.get("what")), args.get("what"))
        return NAMES[call.name].format(**{**args, "at": at, "minus": minus, "what": what})
    said = str(args.get("test") or args.get("value") or call.name)
    said = said.rpartition(".")[2].replace("_", " ")
    chosen = [value for value in call.args.values() if isinstance(value, str)]
    return f"{said} ({', '.join(chosen)})" if "." in call.name and chosen else said


def published(paper: Paper, claim: Claim) -> str:
    """The published number, and of which version of a paper that has several."""
    return f"{claim.published} (version {claim.version})" if paper.later else claim.published


def called(judged: Judged, outcome: Outcome) -> str:
    """The name of what an outcome estimates, with its arms where another criterion of the claim
    estimates the same of other arms."""
    said, labels = name(outcome.criterion), outcome.criterion.call.labels
    same = (o.criterion.call.labels for o in judged.outcomes if name(o.criterion) == said)
    return f"{said} ({', '.join(labels)})" if any(of != labels for of in same) else said


def rule(criterion: Criterion) -> str:
    """A criterion's rule, as a clause."""
    said = _rule(criterion.rule)
    if "confidence" in criterion.call.args:
        said = said.replace(f"{CONFIDENCE:.0%}".replace("%", " %"), _level(criterion))
    if criterion.each is None:
        return said
    strength = SYMBOLS.get(criterion.each, criterion.each.rpartition(".")[2])
    if criterion.of_strengths == "all":
        return f"at every {strength}, {said}"
    return f"at one {strength} at least, at a level divided by their number, {said}"


def _level(criterion: Criterion) -> str:
    return f"{criterion.call.args['confidence']:.0%}".replace("%", " %")


def _rule(rule: Rule) -> str:
    if isinstance(rule, Every):
        return f"every run shows it, of at least {rule.runs:,}"
    if isinstance(rule, Within):
        return f"the whole 95 % interval is {_range(rule)}"
    of = f"{rule.runs} runs"
    if rule.interval is not None:
        of = f"the published interval [{_plain(rule.interval[0])}, {_plain(rule.interval[1])}]"
    said = f"{_plain(rule.value)} lies in the interval that ours predicts for a replication of {of}"
    if rule.no_effect is not None:
        said += f", and {_plain(rule.no_effect)} (no effect) not in ours"
    return said


def sentence(judged: Judged) -> str:
    """The result of each criterion, then the notes of the estimates."""
    outcomes = judged.outcomes
    if judged.verdict == NOT_RUN:
        missing = dict.fromkeys(said for outcome in outcomes for said in outcome.missing)
        return f"Nothing can be said: {'; '.join(missing)}."
    clauses = "; ".join(_clause(judged, outcome) for outcome in outcomes)
    said = [f"{capital(judged.verdict)}: {clauses}."]
    if judged.verdict == USED:
        said.append("The setting was chosen by this number, so that agreement shows nothing.")
    if judged.verdict == PREMISE:
        assert judged.premise is not None
        said = [
            f"Premise fails: {_clause(judged, judged.premise)}.",
            f"Beside it: {_clause(judged, outcomes[0])}.",
        ]
    notes = dict.fromkeys(e.note for o in outcomes for e in o.estimates if e.note)
    return " ".join([*said, *(f"{capital(note)}." for note in notes)])


def earlier(one: Earlier) -> str:
    """What an earlier rule, or fewer seeds, came to."""
    numbers = "; ".join(dict.fromkeys(map(ours, one.outcomes)))
    if one.amendment is None:
        return f"until {one.date}, by the same rule on the seeds of then: {one.verdict} ({numbers})"
    rules = "; ".join(rule(outcome.criterion) for outcome in one.outcomes)
    return (
        f"until {one.date}: {one.verdict}, by the rule that {rules} ({numbers}). Amended because "
        f"{one.amendment.why}. Known by then: {one.amendment.known}"
    )


def probabilities(found: Chances | None) -> str:
    """What the rule would say if the paper is right, and if there is no effect."""
    if found is None or (found.published is None and found.no_effect is None):
        return ""
    said = [
        f"{when}: {_verdicts(of)}"
        for when, of in (
            ("if the published value is true", found.published),
            ("if there is no effect", found.no_effect),
        )
        if of is not None
    ]
    if found.published is not None and found.published[REPRODUCED] < HALF:
        said.append(f"with the spread of {found.seeds} seeds it can hardly hold")
    return "; ".join(said)


def more_seeds(judged: Judged, found: Chances | None) -> str:
    """For an inconclusive claim, the seeds that would settle it if our estimate is true."""
    if judged.verdict != INCONCLUSIVE or found is None or found.seeds is None:
        return ""
    if found.enough is None:
        return f"no verdict with probability {DECIDED} below {MOST:,} seeds an arm"
    cost = "" if math.isnan(found.cost) else f", {found.cost / 1e6:,.1f} million seed-steps more"
    return (
        f"{found.enough:,} seeds an arm (now {found.seeds:,}{cost}) give a verdict with "
        f"probability {DECIDED} if our estimate is true"
    )


def order(found: Order | None) -> str:
    """The commit of the rule beside those of the first and the last run."""
    if found is None:
        return ""
    if found.rule is None:
        return "the rule is changed and not committed" if found.runs else ""
    said = f"rule of {found.rule}"
    if found.earliest is None:
        return said
    runs = f"runs trained by {found.earliest}"
    if found.latest != found.earliest:
        runs += f" to {found.latest}"
    return f"{said}, {runs}: {found.said}"


def _verdicts(of: Mapping[str, float]) -> str:
    return ", ".join(f"{verdict} {probability:.2f}" for verdict, probability in of.items())


def _said(estimate: Estimate, every: bool) -> str:
    if every:
        return f"{_share(estimate)} {_ends(estimate.interval)}".rstrip()
    found = estimate.interval
    of = _runs(estimate) if estimate.shown is None else _share(estimate)
    return f"{_estimate(found)} {_ends(found)}".rstrip() + f" ({of}, {found.method})"


def _clause(judged: Judged, outcome: Outcome) -> str:
    said = [_part(outcome.criterion, part) for part in outcome.parts]
    return "; ".join(f"{called(judged, outcome)} {one}" for one in said)


def _part(criterion: Criterion, part: Part) -> str:
    at = f"at {part.label} " * bool(part.label)
    estimate, rule = part.estimate, criterion.rule
    if estimate is None:
        return f"{at}unknown ({part.missing})"
    if isinstance(rule, Every):
        few = estimate.runs < rule.runs
        asked = f", where {rule.runs:,} are asked for" if few else ""
        return f"{at}in {_share(estimate)}{asked}"
    found = estimate.interval
    if math.isnan(found.lower) or math.isnan(found.upper):
        return (
            f"{at}{_estimate(found)} of {_runs(estimate)} has no interval "
            f"({found.method.removeprefix('none: ')})"
        )
    return f"{at}{_estimate(found)} {_ends(found)} of {_runs(estimate)} {_where(rule, part)}"


def _where(rule: Within | Replicates, part: Part) -> str:
    if isinstance(rule, Within):
        inside = _range(rule)
        return {
            True: f"lies {inside}",
            False: f"has no part {inside}",
            None: f"is neither wholly {inside} nor wholly outside",
        }[part.holds]
    assert part.estimate is not None
    predicted = rule.prediction(part.estimate)
    if predicted is None:
        return "has no error to predict from"
    decimals = _decimals(Interval(rule.value, *predicted, ""))
    lies = "not " if part.holds is False else ""
    said = f"predicts {interval(*predicted, decimals)}, with {_plain(rule.value)} {lies}in it"
    if part.holds is None:
        said += f", and does not exclude {_plain(rule.no_effect or 0)}"
    return said


def _range(within: Within) -> str:
    low, high = within.lower, within.upper
    if math.isinf(high):
        return f"at or above {_plain(low)}"
    if math.isinf(low):
        return f"at or below {_plain(high)}"
    return f"within {_plain(low)} to {_plain(high)}"


def _plain(value: float) -> str:
    """An end of a rule, as it was written."""
    return f"{value:,.10g}".replace("-", "−")


def _estimate(found: Interval) -> str:
    more = "> " if math.isinf(found.upper) and found.method.startswith("bound") else ""
    return more + number(found.estimate, _decimals(found))


def _ends(found: Interval) -> str:
    return interval(found.lower, found.upper, _decimals(found))


def _decimals(found: Interval) -> int:
    """So that the interval's width has two significant digits, or the estimate three."""
    width = found.upper - found.lower
    if math.isfinite(width) and width > 0:
        return _until(1 - _magnitude(width))
    known = [abs(v) for v in (found.estimate, found.lower, found.upper) if math.isfinite(v) and v]
    return _until(2 - _magnitude(max(known))) if known else 0


def _magnitude(value: float) -> int:
    return math.floor(math.log10(value))


def _until(decimals: int) -> int:
    return min(max(decimals, 0), DIGITS)


def _share(estimate: Estimate) -> str:
    return f"{estimate.shown:,} of {_runs(estimate)}"


def _runs(estimate: Estimate) -> str:
    """Count the runs of an estimate, or its random tries if it rests on no runs."""
    of = ("run", "runs") if estimate.tables is not None else ("try", "tries")
    counted = _count(estimate.runs, *of)
    return f"{counted} of {_count(estimate.seeds, 'seed', 'seeds')}" if estimate.seeds else counted


def _count(n: int, one: str, several: str) -> str:
    return f"{n:,} {one if n == 1 else several}"


def capital(text: str) -> str:
    """The first letter capital, unless the word is a symbol (H̃, t_grok)."""
    word = text.partition(" ")[0].rstrip(",:")
    a_word = word.isalpha() and word.isascii() and (len(word) > 1 or word == "a")
    return text[:1].upper() + text[1:] if a_word else text
