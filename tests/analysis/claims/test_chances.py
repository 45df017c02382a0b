"""Probabilities of verdicts, against closed forms."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.claims.chances import MOST, chances
from analysis.claims.estimate import Estimate
from analysis.claims.judge import INCONCLUSIVE, NOT_REPRODUCED, REPRODUCED, Judged, Outcome, Part
from analysis.claims.judge import verdict as of
from analysis.claims.rules import Every, Replicates, Rule, Within
from analysis.claims.schema import Call, Claim, Criterion
from analysis.runs.tables import Tables
from analysis.stats import effects, means, variances
from analysis.stats.intervals import Interval

INF = math.inf


def judged(*stated: tuple[Estimate, Rule], of_strengths: str = "all", **values: float) -> Judged:
    """A claim of several criteria, or of the strengths of one if they share the rule itself."""
    strengths = len({id(rule) for _, rule in stated}) == 1
    criterion = [
        Criterion(
            Call(f"m.{number}", {}, lambda runs: None, {}), rule,  # type: ignore[arg-type, return-value]
            "x" if strengths else None, of_strengths, **values,  # type: ignore[arg-type]
        )
        for number, (_, rule) in enumerate(stated)
    ]  # fmt: skip
    parts = [
        Part(str(number), estimate, None, rule.holds(estimate))
        for number, (estimate, rule) in enumerate(stated)
    ]
    if strengths:
        outcomes = (Outcome(criterion[0], tuple(parts)),)
    else:
        outcomes = tuple(Outcome(c, (part,)) for c, part in zip(criterion, parts, strict=True))
    claim = Claim("X", "", "", "", None, False, tuple(outcome.criterion for outcome in outcomes))
    return Judged(claim, outcomes, of(claim, outcomes))


def mean(n: int, centre: float = 0.0, sd: float = 1.0) -> Estimate:
    values = np.random.default_rng(5).normal(size=n)
    values = centre + sd * (values - values.mean()) / values.std(ddof=1)
    return Estimate(means.mean(values, np.random.default_rng(0)), n, None)


def share(k: int, n: int) -> Estimate:
    return Estimate(effects.proportion(k, n), n, None, k)


def simulated(one: Judged) -> tuple[dict[str, float], dict[str, float]]:
    found = chances(one, np.random.default_rng(2))
    assert found.published is not None and found.no_effect is not None
    return dict(found.published), dict(found.no_effect)


def test_the_power_of_a_t_test() -> None:
    """A mean above 0, of 10 values of spread 1: noncentral t."""
    published, no_effect = simulated(
        judged((mean(10), Within(0, INF)), published=1.0, no_effect=0.0)
    )
    power = stats.nct.sf(stats.t.isf(0.025, 9), 9, math.sqrt(10))
    assert published[REPRODUCED] == pytest.approx(power, abs=0.03)
    assert no_effect[REPRODUCED] == pytest.approx(0.025, abs=0.012)
    assert no_effect[NOT_REPRODUCED] == pytest.approx(0.025, abs=0.012)
    assert sum(no_effect.values()) == pytest.approx(1)


def test_every_run_of_a_share() -> None:
    published, no_effect = simulated(judged((share(5, 5), Every(5)), published=1.0, no_effect=0.5))
    assert published == {REPRODUCED: 1, NOT_REPRODUCED: 0, INCONCLUSIVE: 0}
    assert no_effect[REPRODUCED] == pytest.approx(0.5**5, abs=0.015)


def test_a_replication_comes_out_in_95_of_100() -> None:
    published, _ = simulated(
        judged((mean(10), Replicates(3.0, 10, None, None)), published=3.0, no_effect=0.0)
    )
    # the published value itself is taken for the truth, and has no error of its own here
    assert published[REPRODUCED] > 0.98
    assert published[INCONCLUSIVE] == 0


def test_a_variance_by_its_chi_square() -> None:
    values = np.random.default_rng(6).normal(size=20)
    estimate = Estimate(variances.variance(values, 0.9), 20, None)
    published, no_effect = simulated(
        judged((estimate, Within(0, 1.0)), published=0.5, no_effect=1.0)
    )
    power = stats.chi2.cdf(stats.chi2.isf(0.95, 19) / 0.5, 19)
    assert published[REPRODUCED] == pytest.approx(power, abs=0.03)
    assert no_effect[REPRODUCED] == pytest.approx(0.05, abs=0.02)


def test_one_of_several_strengths_errs_no_more_often_than_one_alone() -> None:
    rule = Within(0, INF)
    parts = [(mean(10), rule)] * 4
    _, no_effect = simulated(judged(*parts, of_strengths="any", published=1.0, no_effect=0.0))
    assert no_effect[REPRODUCED] == pytest.approx(0.025, abs=0.012)


def test_more_seeds_until_a_verdict_is_likely() -> None:
    """Our mean of 0.5 at n = 10; 34 pairs are the textbook's for a power of 0.8 (two-sided 5 %)."""
    found = chances(judged((mean(10, 0.5), Within(0, INF))), np.random.default_rng(3))
    assert found.seeds == 10
    assert found.enough is not None and 28 <= found.enough <= 40
    nothing = chances(judged((mean(10, 0.0), Within(0, INF))), np.random.default_rng(3))
    assert nothing.enough is None or nothing.enough > MOST // 4
    decided = chances(judged((mean(10, 5.0), Within(0, INF))), np.random.default_rng(3))
    assert decided.enough is None


def test_a_baseline_that_strengths_share_is_paid_once(tmp_path: Path) -> None:
    """Two strengths of 10 runs of 300 steps, a baseline of 20 of 200: at `enough` seeds each."""

    def runs(decay: float, n: int, steps: int) -> pd.DataFrame:
        keys = [f"{decay}-{seed}" for seed in range(n)]
        return pd.DataFrame(
            {"key": keys, "trained_steps": steps, "weight_decay": decay, "seed": range(n)}
        )

    rule, parts = Within(0, INF), []
    for decay in (0.1, 0.3):
        cells = pd.concat([runs(1.0, 20, 200), runs(decay, 10, 300)], ignore_index=True)
        tables = Tables(cells[["key"]].assign(step=0), cells, tmp_path)
        parts.append((replace(mean(10, 0.5), tables=tables), rule))
    found = chances(judged(*parts), np.random.default_rng(3))
    assert found.enough is not None and found.enough > 20
    assert found.cost == 2 * (found.enough - 10) * 300 + (found.enough - 20) * 200


def test_without_an_assumed_value_or_a_spread_there_is_no_probability() -> None:
    counted = Estimate(Interval(7, 7, 7, "counted"), 10, None)
    found = chances(judged((counted, Within(0, INF)), published=7.0), np.random.default_rng(0))
    assert (found.published, found.no_effect) == (None, None)
    found = chances(judged((mean(10), Within(0, INF))), np.random.default_rng(0))
    assert (found.published, found.no_effect) == (None, None)


def test_a_strength_without_an_event_borrows_the_spread_of_another() -> None:
    rule, bound = Within(0, INF), Estimate(Interval(3, 2, INF, "bound"), 10, None)
    found = chances(
        judged((bound, rule), (mean(10), rule), published=1.0), np.random.default_rng(0)
    )
    assert found.published is not None and found.published[REPRODUCED] > 0.5
