"""Verdicts, against the rules at the head of analysis/claims/judge.py, case by case."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.claims import judge
from analysis.claims.arms import Added, ArmNode, Runs
from analysis.claims.estimate import Estimate
from analysis.claims.judge import (
    INCONCLUSIVE,
    NOT_REPRODUCED,
    NOT_RUN,
    PREMISE,
    REPRODUCED,
    USED,
    Outcome,
    Part,
)
from analysis.claims.rules import Every, Within
from analysis.claims.schema import Amendment, Beside, Call, Claim, Criterion
from analysis.runs import gather
from analysis.runs.experiments import NotRun
from analysis.runs.tables import write_gathered
from analysis.stats.intervals import Interval
from grokpipe.errors import InputError
from tests.helpers import toy_paper
from tests.helpers.made_runs import write_run
from tests.helpers.toy_paper.entropy.estimates import times


def never(runs: object) -> Estimate:
    raise AssertionError


def call(function: Callable[..., Estimate]) -> Call:
    return Call(f"times.{function.__name__}", {}, function, {})


def within(lower: float, upper: float) -> Criterion:
    return Criterion(call(never), Within(lower, upper))


@pytest.mark.parametrize(
    ("held", "verdict", "verdict_if_used"),
    [
        ([True], REPRODUCED, USED),
        ([True, True], REPRODUCED, USED),
        ([True, None], INCONCLUSIVE, USED),
        ([None, False], NOT_REPRODUCED, USED),
        ([False], NOT_REPRODUCED, USED),
        (["missing"], NOT_RUN, NOT_RUN),
        (["missing", "missing"], NOT_RUN, NOT_RUN),
        (["missing", True], INCONCLUSIVE, USED),
        (["missing", False], NOT_REPRODUCED, USED),
    ],
)
def test_the_verdict_on_all_criteria(held, verdict: str, verdict_if_used: str) -> None:
    criterion = within(0, 1)
    estimate = Estimate(Interval(0, 0, 0, ""), 1, None)
    outcomes = [
        Outcome(criterion, (Part("", None, NotRun("x: not run"), None),))
        if one == "missing"
        else Outcome(criterion, (Part("", estimate, None, one),))
        for one in held
    ]
    for used, expected in ((False, verdict), (True, verdict_if_used)):
        claim = Claim("X", "", "", "", None, used, (criterion,) * len(held))
        assert judge.verdict(claim, outcomes) == expected


def stored(folder: Path, *steps: float) -> Runs:
    for seed, groks_at in enumerate(steps):
        write_run(folder / "logs", seed, 0.3, groks_at)
    write_gathered(gather.read(folder / "logs"), folder / "runs" / "e1_baseline")
    return toy_paper.read().runs(folder / "runs")


def test_a_paper_is_judged_and_each_estimate_computed_once(tmp_path: Path) -> None:
    runs = stored(tmp_path, 100, 200, 300)
    times.asked.clear()
    judged = judge.judge(toy_paper.read().claims, runs)
    assert {one.claim.id: one.verdict for one in judged} == {
        "A-time": REPRODUCED,  # [150, 250]
        "A-all": REPRODUCED,
        "B": NOT_RUN,
        "C": INCONCLUSIVE,
        "D": NOT_REPRODUCED,
        "E-used": USED,
        "M": REPRODUCED,
    }
    assert times.asked == ["mean_time"]
    assert judged[2].outcomes[0].missing == ["e2_mixing: not run"]


def test_a_run_that_never_groks_decides(tmp_path: Path) -> None:
    judged = judge.judge(toy_paper.read().claims, stored(tmp_path, 100, 200, 9_999))
    assert judged[1].verdict == NOT_REPRODUCED
    assert judged[1].outcomes[0].estimates[0].shown == 2


def test_what_an_estimate_refuses_names_the_claim(tmp_path: Path) -> None:
    criterion = Criterion(call(times.refuses), Within(0, 1))
    claims = [Claim("X", "", "", "", None, False, (criterion,))]
    with pytest.raises(InputError, match=r"claim X: times\.refuses: budgets differ"):
        judge.judge(claims, stored(tmp_path, 100))


def test_every_run_is_asked_of_a_share_only(tmp_path: Path) -> None:
    criterion = Criterion(call(times.mean_time), Every(3))
    claims = [Claim("X", "", "", "", None, False, (criterion,))]
    with pytest.raises(InputError, match=r"claim X: times\.mean_time: gives no share"):
        judge.judge(claims, stored(tmp_path, 100))


def test_the_experiments_behind_a_claim_are_those_that_were_read(tmp_path: Path) -> None:
    judged = {one.claim.id: one for one in judge.judge(*_all(tmp_path))}
    assert judged["A-time"].experiments == judged["D"].experiments == ("e1_baseline",)
    assert judged["M"].experiments == judged["B"].experiments == ()


def test_the_same_estimate_under_other_definitions_stands_beside_and_decides_nothing(
    tmp_path: Path,
) -> None:
    judged = {one.claim.id: one for one in judge.judge(*_all(tmp_path))}
    (outcome,) = judged["A-all"].outcomes
    others = {label: (found.shown, found.runs) for label, found in outcome.others}
    # by step 250 two of three; of evaluations at 0, 200, 400 the one of 300 shows at 400
    assert others == {"before 250": (2, 3), "evaluated every 200 steps": (3, 3)}
    assert judged["A-all"].verdict == REPRODUCED


def test_what_no_run_has_is_named_with_the_claim_and_does_not_stop_the_others(
    tmp_path: Path,
) -> None:
    claims, runs = _all(tmp_path)
    runs = replace(runs, arms={**runs.arms, "mixing": ArmNode("e1_baseline", None, {"seed": 7})})
    judged = {one.claim.id: one for one in judge.judge(claims, runs)}
    assert judged["B"].verdict == NOT_RUN
    said = "arm mixing: no run of e1_baseline has seed: 7; there are: 0, 1, 2"
    assert judged["B"].unmatched == (said,)
    assert judged["A-time"].verdict == REPRODUCED and judged["A-time"].unmatched == ()


@pytest.mark.parametrize(
    ("holds", "of_all", "of_any"),
    [
        ([True, True], True, True),
        ([True, None], None, True),
        ([True, False], False, True),
        ([None, False], False, None),
        ([False, False], False, False),
        ([None, None], None, None),
    ],
)
def test_the_strengths_of_an_arm_together(holds, of_all, of_any) -> None:
    assert judge.combined(holds) is of_all
    assert judge.combined(holds, "any") is of_any


@pytest.mark.parametrize("premise", [False, None])
def test_a_claim_without_its_premise_cannot_be_asked(premise: bool | None) -> None:
    estimate = Estimate(Interval(0, 0, 0, ""), 1, None)
    claim = Claim("X", "", "", "", None, False, (within(0, 1),))
    shown, failed = (
        Outcome(within(0, 1), (Part("", estimate, None, holds),)) for holds in (True, premise)
    )
    assert judge.verdict(claim, [shown], failed) == PREMISE
    assert judge.verdict(claim, [shown], shown) == REPRODUCED


def test_the_earlier_rule_sees_the_earlier_seeds(tmp_path: Path) -> None:
    """Its verdict stays what it was, whatever is trained later."""
    runs = stored(tmp_path, 100, 200, 300, 9_999)
    every = Criterion(call(times.grokked), Every(3))
    low = Criterion(call(times.mean_time), Within(0, 1_000))
    amendment = Amendment("2026-11-20", "too narrow", "three runs", (low,))
    claim = Claim("X", "", "", "", None, False, (every,), amended=(amendment,))
    added = [Added("2026-11-20", {"e1_baseline": "< 3"}), Added("2026-11-21", {"e2": "< 1"})]
    (judged,) = judge.judge([claim], runs, added=added)
    assert judged.verdict == NOT_REPRODUCED  # the fourth never groks
    (earlier,) = judged.earlier
    assert (earlier.verdict, earlier.amendment) == (REPRODUCED, amendment)
    assert earlier.outcomes[0].estimates[0].interval.estimate == 200


def test_seeds_that_were_added_are_told_beside_the_same_rule(tmp_path: Path) -> None:
    runs = stored(tmp_path, 100, 200, 300, 9_999)
    claim = Claim("X", "", "", "", None, False, (Criterion(call(times.grokked), Every(3)),))
    (judged,) = judge.judge([claim], runs, added=[Added("2026-11-21", {"e1_baseline": "< 3"})])
    assert judged.verdict == NOT_REPRODUCED
    assert [(one.date, one.amendment, one.verdict) for one in judged.earlier] == [
        ("2026-11-21", None, REPRODUCED)
    ]
    younger = replace(claim, written="2026-11-22")  # it never had another verdict
    (judged,) = judge.judge([younger], runs, added=[Added("2026-11-21", {"e1_baseline": "< 3"})])
    assert (judged.verdict, judged.earlier) == (NOT_REPRODUCED, ())


def test_what_stands_beside_a_claim_decides_nothing(tmp_path: Path) -> None:
    runs = stored(tmp_path, 100, 200, 9_999)
    lemma = Criterion(call(times.lemma), Every(1))
    beside = (Beside("runs that grok", call(times.grokked)), Beside("late", call(nobody_ran)))
    (judged,) = judge.judge([Claim("X", "", "", "", None, False, (lemma,), beside=beside)], runs)
    assert judged.verdict == REPRODUCED
    (label, found), (_, missing) = judged.beside
    assert label == "runs that grok" and isinstance(found, Estimate) and found.shown == 2
    assert missing == "e9: not run"


def nobody_ran(runs: object) -> Estimate:
    raise NotRun("e9: not run")


def _all(folder: Path) -> tuple[Sequence[Claim], Runs]:
    return toy_paper.read().claims, stored(folder, 100, 200, 300)
