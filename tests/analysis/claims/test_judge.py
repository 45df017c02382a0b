"""Verdicts, against the rules at the head of analysis/papers/entropy/claims.yaml, case by case."""

import math
from pathlib import Path

import pytest
from analysis.claims.findings import Finding

from analysis.claims import judge
from analysis.claims.judge import INCONCLUSIVE, NOT_REPRODUCED, NOT_RUN, REPRODUCED, USED, Outcome
from analysis.claims.schema import Claim, Criterion
from analysis.runs import gather
from analysis.runs.experiments import Experiments
from analysis.runs.tables import write_gathered
from analysis.stats.intervals import Interval
from grokpipe.errors import InputError
from tests.analysis.conftest import write_run
from tests.helpers import toy_paper
from tests.helpers.toy_paper import times

INF, NAN = math.inf, math.nan


def never(experiments: object) -> Finding:
    raise AssertionError


def within(lower: float, upper: float) -> Criterion:
    return Criterion("times.x", never, (lower, upper), None)


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
        finding = Finding(Interval(estimate, *ends, "by hand"), 10, None)
        assert judge.holds(within(*rule), finding) is holds


@pytest.mark.parametrize(
    ("k", "n", "holds"),
    [(10, 10, True), (12, 12, True), (9, 10, False), (8, 9, False), (0, 3, False), (9, 9, None)],
)
def test_every_run_shows_it_of_enough(k: int, n: int, holds: bool | None) -> None:
    finding = Finding(Interval(k / n, 0, 1, "Clopper–Pearson"), n, None, k)
    assert judge.holds(Criterion("times.x", never, None, 10), finding) is holds


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
    finding = Finding(Interval(0, 0, 0, ""), 1, None)
    outcomes = [
        Outcome(criterion, None, "x: not run", None)
        if one == "missing"
        else Outcome(criterion, finding, "", one)
        for one in held
    ]
    for used, expected in ((False, verdict), (True, verdict_if_used)):
        claim = Claim("X", "", "", "", "", None, used, (criterion,) * len(held))
        assert judge.verdict(claim, outcomes) == expected


def stored(folder: Path, *steps: float) -> Experiments:
    for seed, groks_at in enumerate(steps):
        write_run(folder / "logs", seed, 0.3, groks_at)
    write_gathered(gather.read(folder / "logs"), folder / "runs" / "e1_baseline")
    return Experiments(folder / "runs")


def test_a_paper_is_judged_and_each_quantity_computed_once(tmp_path: Path) -> None:
    experiments = stored(tmp_path, 100, 200, 300)
    times.asked.clear()
    judged = judge.judge(toy_paper.read().claims, experiments)
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
    assert judged[1].outcomes[0].finding.shown == 2


def test_what_a_quantity_refuses_names_the_claim(tmp_path: Path) -> None:
    criterion = Criterion("times.refuses", times.refuses, (0, 1), None)
    claims = [Claim("X", "", "", "", "", None, False, (criterion,))]
    with pytest.raises(InputError, match=r"claim X: times\.refuses: budgets differ"):
        judge.judge(claims, stored(tmp_path, 100))


def test_every_run_is_asked_of_a_share_only(tmp_path: Path) -> None:
    criterion = Criterion("times.mean_time", times.mean_time, None, 3)
    claims = [Claim("X", "", "", "", "", None, False, (criterion,))]
    with pytest.raises(InputError, match=r"claim X: times\.mean_time: gives no share"):
        judge.judge(claims, stored(tmp_path, 100))
