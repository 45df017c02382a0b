"""Estimates, rules and verdicts in words."""

import inspect
import math

from analysis.claims.estimate import Estimate
from analysis.claims.judge import NOT_RUN, USED, Judged, Outcome
from analysis.claims.schema import Criterion
from analysis.output.formats import interval, number
from analysis.stats.intervals import Interval

DIGITS = 6
NAMES = {
    "share_reached": "{event}",
    "share_before": "{event} before {before}",
    "mean_lead": "lead of {event} over {before}",
    "value_at": "{column}{minus} at {at}",
    "variance_at": "variance of {column} at {at}",
    "difference_at": "difference of {column} at {at}",
    "change_between": "change of {column}",
    "correlation": "correlation of {x} and {y}",
    "gap_law": "{law} law: {what}",
}
"""how a reader calls an estimate, by its estimator's arguments; others by the estimator's name"""
LAWS = {"r_squared": "R²", "gamma": "exponent γ", "gain_over_power": "R² gain over the power law"}


def ours(outcome: Outcome) -> str:
    """An estimate: number, interval, runs and method, or k of n; – where there are no runs."""
    if outcome.estimate is None:
        return "–"
    return _said(outcome.estimate, outcome.criterion.runs is not None)


def other(outcome: Outcome, found: Estimate | str) -> str:
    """An estimate of the same criterion under another definition, or why there is none."""
    return found if isinstance(found, str) else _said(found, outcome.criterion.runs is not None)


def name(criterion: Criterion) -> str:
    """Name what a criterion estimates: mean time, falls monotonically, t_collapse before t_grok."""
    call = criterion.call
    parameters = inspect.signature(call.function).parameters.values()
    args = {p.name: p.default for p in parameters if p.default is not p.empty} | {**call.args}
    if call.name in NAMES:
        at = f"step {args['at']:,}" if isinstance(args.get("at"), int) else args.get("at")
        minus = f" − {args['minus']}" if args.get("minus") else ""
        what = LAWS.get(str(args.get("what")))
        return NAMES[call.name].format(**{**args, "at": at, "minus": minus, "what": what})
    said = str(args.get("test") or args.get("value") or call.name)
    return said.rpartition(".")[2].replace("_", " ")


def rule(criterion: Criterion) -> str:
    if criterion.within is None:
        return f"every run shows it, of at least {criterion.runs:,}"
    return f"the whole 95 % interval is {_range(criterion.within)}"


def sentence(judged: Judged) -> str:
    """The result of each criterion, then the notes of the estimates."""
    outcomes = judged.outcomes
    if judged.verdict == NOT_RUN:
        missing = dict.fromkeys(outcome.missing for outcome in outcomes)
        return f"Nothing can be said: {'; '.join(missing)}."
    said = [f"{_capital(judged.verdict)}: {'; '.join(map(_clause, outcomes))}."]
    if judged.verdict == USED:
        said.append("The setting was chosen by this number, so that agreement shows nothing.")
    notes = dict.fromkeys(o.estimate.note for o in outcomes if o.estimate and o.estimate.note)
    return " ".join([*said, *(f"{_capital(note)}." for note in notes)])


def _said(estimate: Estimate, every: bool) -> str:
    if every:
        return f"{_share(estimate)} {_ends(estimate.interval)}".rstrip()
    found = estimate.interval
    of = _runs(estimate) if estimate.shown is None else _share(estimate)
    return f"{_estimate(found)} {_ends(found)}".rstrip() + f" ({of}, {found.method})"


def _clause(outcome: Outcome) -> str:
    criterion, estimate = outcome.criterion, outcome.estimate
    if estimate is None:
        return f"{name(criterion)} unknown ({outcome.missing})"
    if criterion.within is None:
        few = estimate.runs < (criterion.runs or 0)
        asked = f", where {criterion.runs:,} are asked for" if few else ""
        return f"{name(criterion)} in {_share(estimate)}{asked}"
    found, inside = estimate.interval, _range(criterion.within)
    if math.isnan(found.lower) or math.isnan(found.upper):
        return (
            f"{name(criterion)} {_estimate(found)} of {_runs(estimate)} has no interval "
            f"({found.method.removeprefix('none: ')})"
        )
    where = {
        True: f"lies {inside}",
        False: f"has no part {inside}",
        None: f"is neither wholly {inside} nor wholly outside",
    }[outcome.holds]
    return f"{name(criterion)} {_estimate(found)} {_ends(found)} of {_runs(estimate)} {where}"


def _range(within: tuple[float, float]) -> str:
    low, high = within
    if math.isinf(high):
        return f"at or above {_plain(low)}"
    if math.isinf(low):
        return f"at or below {_plain(high)}"
    return f"within {_plain(low)} to {_plain(high)}"


def _plain(value: float) -> str:
    """An end of a rule, as it was written."""
    return f"{value:,.10g}".replace("-", "−")


def _estimate(found: Interval) -> str:
    return number(found.estimate, _decimals(found))


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


def _capital(text: str) -> str:
    """The first letter capital, unless the word is a symbol (H̃, t_grok)."""
    word = text.partition(" ")[0].rstrip(",:")
    a_word = word.isalpha() and word.isascii() and (len(word) > 1 or word == "a")
    return text[:1].upper() + text[1:] if a_word else text
