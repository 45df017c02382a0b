"""Estimates, rules and verdicts in words."""

import math
from dataclasses import replace

import pytest

from analysis.claims.chances import Chances
from analysis.claims.estimate import Estimate
from analysis.claims.judge import Earlier, Judged, Outcome, Part, verdict
from analysis.claims.order import Commit, Order
from analysis.claims.rules import Every, Replicates, Rule, Within
from analysis.claims.schema import Amendment, Call, Claim, Criterion
from analysis.report import words
from analysis.stats.intervals import Interval, none


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((14_360.4, 12_140.2, 17_100), "14,360 [12,140, 17,100]"),
        ((0.6093, 0.5951, 0.6241), "0.609 [0.595, 0.624]"),
        ((0.00047, 0.0001, 0.0009), "0.00047 [0.00010, 0.00090]"),
        ((-0.248, -0.31, -0.19), "−0.25 [−0.31, −0.19]"),
        ((5, 1, math.inf), "5.00 [1.00, ∞]"),
        ((0, 0, 0), "0 [0, 0]"),
        ((1e-9, 0, 2e-9), "0.000000 [0.000000, 0.000000]"),
    ],
)
def test_numbers_have_the_digits_that_their_intervals_know(ends, said: str) -> None:
    outcome = judged((0, 1), Estimate(Interval(*ends, "BCa"), 3, None)).outcomes[0]
    assert words.ours(outcome) == f"{said} (3 tries, BCa)"


@pytest.mark.parametrize(
    ("rule", "estimate", "said"),
    [
        ((0, 10), Estimate(Interval(5, 4, 6, "BCa"), 3, None),
         "Reproduced: x 5.0 [4.0, 6.0] of 3 tries lies within 0 to 10."),
        ((7, 10), Estimate(Interval(5, 4, 6, "BCa"), 3, None),
         "Not reproduced: x 5.0 [4.0, 6.0] of 3 tries has no part within 7 to 10."),
        ((5, math.inf), Estimate(Interval(5, 4, 6, "BCa"), 3, None, note="it is so"),
         "Inconclusive: x 5.0 [4.0, 6.0] of 3 tries is neither wholly at or above 5 nor wholly"
         " outside. It is so."),
        ((0, 10), Estimate(none(5, "one run"), 1, None),
         "Inconclusive: x 5.00 of 1 try has no interval (one run)."),
        ((0, 10), Estimate(Interval(5, 4, 6, "t"), 6, None, seeds=3),
         "Reproduced: x 5.0 [4.0, 6.0] of 6 tries of 3 seeds lies within 0 to 10."),
        (3, Estimate(Interval(1, 0, 1, "CP"), 3, None, 3), "Reproduced: x in 3 of 3 tries."),
        (4, Estimate(Interval(1, 0, 1, "CP"), 3, None, 3),
         "Inconclusive: x in 3 of 3 tries, where 4 are asked for."),
    ],
)  # fmt: skip
def test_the_sentence_a_reader_needs(rule, estimate: Estimate, said: str) -> None:
    assert words.sentence(judged(rule, estimate)) == said


def judged(rule: tuple[float, float] | int, estimate: Estimate) -> Judged:
    stated = Every(rule) if isinstance(rule, int) else Within(*rule)
    criterion = Criterion(Call("m.x", {}, lambda runs: estimate, {}), stated)
    claim = Claim("X", "", "", "", None, False, (criterion,))
    outcomes = (Outcome(criterion, (Part("", estimate, None, stated.holds(estimate)),)),)
    return Judged(claim, outcomes, verdict(claim, outcomes))


def criterion(rule: Rule, **values: object) -> Criterion:
    return Criterion(Call("m.x", {}, lambda runs: None, {}), rule, **values)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (criterion(Replicates(1_020, 10, None, 0.0)),
         "1,020 lies in the interval that ours predicts for a replication of 10 runs, and 0 (no"
         " effect) not in ours"),
        (criterion(Replicates(0.6, None, (0.5, 0.7), None)),
         "0.6 lies in the interval that ours predicts for a replication of the published interval"
         " [0.5, 0.7]"),
        (criterion(Within(1, math.inf), each="intervention.alpha"),
         "at every alpha, the whole 95 % interval is at or above 1"),
        (criterion(Within(1, math.inf), each="intervention.alpha", of_strengths="any"),
         "at one alpha at least, at a level divided by their number, the whole 95 % interval is at"
         " or above 1"),
    ],
)  # fmt: skip
def test_rules(stated: Criterion, said: str) -> None:
    assert words.rule(stated) == said


def test_the_level_of_an_interval_that_a_rule_asks_for() -> None:
    stated = criterion(Within(0, 1))
    ninety = replace(stated, call=replace(stated.call, args={"confidence": 0.9}))
    assert words.rule(ninety) == "the whole 90 % interval is within 0 to 1"


def test_the_strengths_of_an_arm_each_with_its_number() -> None:
    stated = criterion(Within(1, math.inf), each="intervention.alpha")
    weak = Estimate(Interval(1.1, 0.9, 1.3, "mixed model"), 10, None, scale="log")
    strong = Estimate(Interval(3.0, 2.4, math.inf, "bound: none of 5 runs"), 5, None, scale="log")
    parts = (Part("α = 0.1", weak, None, None), Part("α = 0.5", strong, None, True))
    outcome = Outcome(stated, parts)
    assert words.ours(outcome) == (
        "α = 0.1: 1.10 [0.90, 1.30] (10 tries, mixed model); "
        "α = 0.5: > 3.00 [2.40, ∞] (5 tries, bound: none of 5 runs)"
    )
    claim = Claim("X", "", "", "", None, False, (stated,))
    assert words.sentence(Judged(claim, (outcome,), verdict(claim, (outcome,)))) == (
        "Inconclusive: x at α = 0.1 1.10 [0.90, 1.30] of 10 tries is neither wholly at or above 1 "
        "nor wholly outside; x at α = 0.5 > 3.00 [2.40, ∞] of 5 tries lies at or above 1."
    )


def test_a_replication_names_the_interval_that_it_is_held_to() -> None:
    ours = Estimate(Interval(10, 9, 11, "t"), 10, None)
    for value, said in (
        (11.0, "Reproduced: x 10.0 [9.0, 11.0] of 10 tries predicts [8.6, 11.4], with 11 in it."),
        (20.0, "Not reproduced: x 10.0 [9.0, 11.0] of 10 tries predicts [8.6, 11.4], with 20 not"
               " in it."),
    ):  # fmt: skip
        rule = Replicates(value, 10, None, None)
        outcome = Outcome(criterion(rule), (Part("", ours, None, rule.holds(ours)),))
        claim = Claim("X", "", "", "", None, False, (outcome.criterion,))
        assert words.sentence(Judged(claim, (outcome,), verdict(claim, (outcome,)))) == said


def test_an_earlier_rule_with_its_verdict_and_the_reason() -> None:
    one = judged((7, 10), Estimate(Interval(5, 4, 6, "BCa"), 3, None))
    amendment = Amendment("2026-11-27", "it could not hold", "all runs", one.claim.criteria)
    assert words.earlier(Earlier("2026-11-27", amendment, one.outcomes, one.verdict)) == (
        "until 2026-11-27: not reproduced, by the rule that the whole 95 % interval is within 7 to "
        "10 (5.0 [4.0, 6.0] (3 tries, BCa)). Amended because it could not hold. Known by then: all "
        "runs"
    )
    assert words.earlier(Earlier("2026-11-27", None, one.outcomes, one.verdict)) == (
        "until 2026-11-27, by the same rule on the seeds of then: not reproduced (5.0 [4.0, 6.0] "
        "(3 tries, BCa))"
    )


def test_what_a_rule_would_say_and_how_many_seeds_it_needs() -> None:
    found = Chances({"reproduced": 0.73, "inconclusive": 0.27}, None, 48, 10, 849_000.0)
    assert words.probabilities(found) == (
        "if the published value is true: reproduced 0.73, inconclusive 0.27"
    )
    assert words.probabilities(None) == ""
    weak = replace(found, published={"reproduced": 0.3, "inconclusive": 0.7})
    assert words.probabilities(weak).endswith("with the spread of 10 seeds it can hardly hold")
    open_ = judged((5, 10), Estimate(Interval(5, 4, 6, "BCa"), 3, None))
    assert words.more_seeds(open_, found) == (
        "48 seeds an arm (now 10, 0.8 million seed-steps more) give a verdict with probability 0.8 "
        "if our estimate is true"
    )
    assert words.more_seeds(open_, replace(found, enough=None)) == (
        "no verdict with probability 0.8 below 2,000 seeds an arm"
    )
    assert words.more_seeds(replace(open_, verdict="reproduced"), found) == ""


def test_the_order_of_rule_and_runs() -> None:
    rule, first, last = (Commit(letter * 40, f"2026-11-2{n}") for n, letter in enumerate("abc"))
    assert words.order(Order(rule, first, last, 0, 5)) == (
        "rule of aaaaaaaaaa (2026-11-20), runs trained by bbbbbbbbbb (2026-11-21) to cccccccccc "
        "(2026-11-22): before its runs"
    )
    assert words.order(Order(rule, None, None, 0, 0)) == "rule of aaaaaaaaaa (2026-11-20)"
    assert words.order(Order(None, first, first, 0, 5)) == "the rule is changed and not committed"
    assert words.order(None) == ""
