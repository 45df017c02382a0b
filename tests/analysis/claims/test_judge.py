"""Verdicts, against the rules at the head of analysis/claims/judge.py, case by case."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.claims import judge
from analysis.claims.arms import ArmNode, Runs
from analysis.claims.estimate import Estimate
from analysis.claims.judge import INCONCLUSIVE, NOT_REPRODUCED, NOT_RUN, REPRODUCED, USED, Outcome
from analysis.claims.schema import Call, Claim, Criterion
from analysis.runs import gather
from analysis.runs.tables import write_gathered
from analysis.stats.intervals import Interval
from grokpipe.errors import InputError
from tests.helpers import toy_paper
from tests.helpers.made_runs import write_run
from tests.helpers.toy_paper.entropy.estimates import times

INF, NAN = math.inf, math.nan


def never(runs: object) -> Estimate:
    raise AssertionError


def call(function: Callable[..., Estimate]) -> Call:
    return Call(f"times.{function.__name__}", {}, function, {})


def within(lower: float, upper: float) -> Criterion:
    return Criterion(call(never), (lower, upper), None)


@pytest.mark.parametrize(
    ("rule", "ends", "holds"),
    [
        ((10, 20), (12, 18), True),
        ((10, 20), (10, 20), True),
        ((10, 20), (15, 15), True),
        ((10, 20), (9, 18), None),
        ((10, 20), (12, 21), None),
        ((10, 20), (5, 25), None),
        ((10, 20), (5, 10), None),  # an end in common
        ((10, 20), (20, 25), None),
        ((10, 20), (5, 9.999), False),
        ((10, 20), (20.001, 25), False),
        ((10, 20), (12, INF), None),
        ((10, 20), (25, INF), False),
        ((10, 20), (-INF, INF), None),
        ((1, INF), (1, INF), True),
        ((1, INF), (0.5, INF), None),
        ((1, INF), (-5, 0.9), False),
        ((-INF, -1), (-9, -1), True),
        ((-INF, -1), (-0.5, 3), False),
        ((10, 20), (NAN, NAN), None),
        ((10, 20), (12, NAN), None),
    ],
)
def test_a_range_is_held_by_the_whole_interval(rule, ends, holds) -> None:
    # the estimate decides nothing
    for estimate in (15, -1e9, NAN):
        estimate = Estimate(Interval(estimate, *ends, "by hand"), 10, None)
        assert judge.holds(within(*rule), estimate) is holds


@pytest.mark.parametrize(
    ("k", "n", "holds"),
    [(10, 10, True), (12, 12, True), (9, 10, False), (8, 9, False), (0, 3, False), (9, 9, None)],
)
def test_every_run_shows_it_of_enough(k: int, n: int, holds: bool | None) -> None:
    estimate = Estimate(Interval(k / n, 0, 1, "Clopper–Pearson"), n, None, k)
    assert judge.holds(Criterion(call(never), None, 10), estimate) is holds


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
        Outcome(criterion, None, "x: not run", None)
        if one == "missing"
        else Outcome(criterion, estimate, "", one)
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
    assert judged[2].outcomes[0].missing == "e2_mixing: not run"


def test_a_run_that_never_groks_decides(tmp_path: Path) -> None:
    judged = judge.judge(toy_paper.read().claims, stored(tmp_path, 100, 200, 9_999))
    assert judged[1].verdict == NOT_REPRODUCED
    assert judged[1].outcomes[0].estimate.shown == 2


def test_what_an_estimate_refuses_names_the_claim(tmp_path: Path) -> None:
    criterion = Criterion(call(times.refuses), (0, 1), None)
    claims = [Claim("X", "", "", "", None, False, (criterion,))]
    with pytest.raises(InputError, match=r"claim X: times\.refuses: budgets differ"):
        judge.judge(claims, stored(tmp_path, 100))


def test_every_run_is_asked_of_a_share_only(tmp_path: Path) -> None:
    criterion = Criterion(call(times.mean_time), None, 3)
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


def _all(folder: Path) -> tuple[Sequence[Claim], Runs]:
    return toy_paper.read().claims, stored(folder, 100, 200, 300)
