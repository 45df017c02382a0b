"""E1, E4, E5, E8, E9, D1, D3 and E0 on made-up runs whose answers are known beforehand."""

import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.claims.arms import Runs
from analysis.claims.estimators.laws import forecasts
from analysis.claims.estimators.times import leads
from analysis.papers.entropy.estimates import (
    phases,
    pilots,
    predictors,
    setting_calibration,
    stopping,
)
from analysis.papers.entropy.tables import leads as lead_tables
from analysis.papers.entropy.tables import norms, probes
from analysis.runs.experiments import NotRun, Unmatched
from tests.helpers import entropy_runs
from tests.helpers.entropy_runs import Run, claimed

TIMES = [2_000, 2_400, 2_900, 3_100]
LEVELS = [0.52, 0.59, 0.62, 0.64]


def of_levels(folder: Path, **more: list[Run]) -> Runs:
    """Four seeds that grok at TIMES with H̃ of LEVELS, after a fall of 500 steps."""
    base = [Run(s, t, at_grok=h) for s, (t, h) in enumerate(zip(TIMES, LEVELS))]
    return entropy_runs.write(folder, e1_baseline=base, **more)


def test_the_baseline_in_numbers(tmp_path: Path) -> None:
    experiments = of_levels(tmp_path)
    assert claimed(experiments, "E1-time").interval.estimate == 2_600
    assert claimed(experiments, "E1-threshold").interval.estimate == pytest.approx(0.5925)
    variance = np.var(LEVELS, ddof=1)
    assert claimed(experiments, "E1-spread").interval.estimate == pytest.approx(variance)
    assert claimed(experiments, "E1-start").interval.estimate == 0.8
    assert claimed(experiments, "E1-memorises").shown == 4
    found = claimed(experiments, "E1-time", 1)
    assert (found.shown, found.runs) == (4, 4)


def test_a_run_that_never_groks_is_counted(tmp_path: Path) -> None:
    experiments = entropy_runs.write(
        tmp_path, e1_baseline=entropy_runs.baseline([2_000, 3_000, None])
    )
    assert claimed(experiments, "E1-time", 1).shown == 2
    # restricted to the budget that the third was followed to
    assert claimed(experiments, "E1-time").interval.estimate == pytest.approx(10_000 / 3)
    assert "not seen to grok" in claimed(experiments, "E1-time").note


def test_leads_by_hand(tmp_path: Path) -> None:
    """The entropy falls on a line from 0.8 to its level over 500 steps, and stays there."""
    arm = of_levels(tmp_path).arm("baseline")
    crossing, falling = (leads(arm, event).set_index("seed") for event in ("t_cross", "t_collapse"))
    for seed, level in enumerate(LEVELS):
        others = np.mean([h for s, h in enumerate(LEVELS) if s != seed])
        line = {before: level + (0.8 - level) * before / 500 for before in range(0, 600, 100)}
        crossed = [before for before, h in line.items() if h <= others + 1e-12]
        expected = max(crossed) if crossed else math.nan  # it stays above: never
        assert crossing["lead"][seed] == pytest.approx(expected, nan_ok=True)
        fallen = [before for before, h in line.items() if 0.8 - h > 0.05]
        assert falling["lead"][seed] == max(fallen)


def test_shares_and_means_of_leads(tmp_path: Path) -> None:
    experiments = of_levels(tmp_path)
    crossed = claimed(experiments, "E1a")
    arm = experiments.arm("baseline")
    assert leads(arm, "t_cross")["lead"].tolist()[:2] == [100, 0]
    assert crossed.shown == 1  # at T_grok itself is not before it
    assert claimed(experiments, "E1b").shown == 4
    mean = claimed(experiments, "E1b-lead").interval.estimate
    assert mean == leads(arm, "t_collapse")["lead"].mean()
    never = claimed(experiments, "E1a-lead")  # the lowest level is never crossed by the highest
    assert never.interval.lower == -math.inf and "no more than this" in never.note
    assert {"seed", "T_grok"} <= set(next(iter(lead_tables.tables(experiments).values())))


def test_norm_phases_by_hand() -> None:
    curve = pd.DataFrame(
        {
            "step": [0, 100, 200, 300, 400, 500],
            "weight_norm": [100.0, 40.0, 42.0, 45.0, 50.0, 30.0],
            "spectral/entropy_train": [0.8, 0.82, 0.79, 0.7, 0.6, 0.65],
        }
    )
    assert phases.growth(curve["weight_norm"].to_numpy()) == 1.25
    assert phases.expanded(curve) == 300
    assert phases.growth_ends(curve) == (1, 4)
    # from 0.82 at the least norm to 0.6 at the peak
    assert phases.entropy_moved(curve) == pytest.approx(0.22)
    assert phases.stable_while_expanding(curve) is False
    assert not phases.falls_monotonically(curve)  # 0.65 after 0.6
    falling = curve.assign(weight_norm=np.arange(6, 0, -1.0))
    assert math.isnan(phases.expanded(falling)) and phases.entropy_moved(falling) == 0
    assert phases.stable_while_expanding(falling) is None


def test_the_slope_after_grokking(tmp_path: Path) -> None:
    (run,) = entropy_runs.baseline([2_000])
    entropy = np.where(run.steps < 2_000, 0.8, 0.6 - 0.05 * (run.steps - 2_000) / 1_000)
    sloped = Run(0, 2_000, curves={"spectral/entropy_train": entropy})
    experiments = entropy_runs.write(tmp_path, e1_baseline=[sloped])
    found = norms.slopes(experiments.arm("baseline"))
    assert found.tolist() == pytest.approx([-0.05])


def test_norm_and_entropy_correlate_as_numpy_says(tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    every = []
    for seed, time in enumerate(TIMES):
        norm = draws.normal(50, 3, len(Run(seed, time).steps))
        every.append(Run(seed, time, curves={"weight_norm": norm}))
    experiments = entropy_runs.write(tmp_path, e1_baseline=every)
    curves = experiments.tables("e1_baseline").curves
    until = pd.concat(c[c["step"] <= TIMES[c["seed"].iloc[0]]] for _, c in curves.groupby("key"))
    expected = np.corrcoef(until["weight_norm"], until["spectral/entropy_train"])[0, 1]
    found = claimed(experiments, "E4-correlation")
    assert found.interval.estimate == pytest.approx(expected)
    assert f"{len(until):,} evaluations" in found.note


def test_pairs_of_equal_norm_by_brute_force(tmp_path: Path) -> None:
    draws = np.random.default_rng(1)
    every = []
    for seed in range(3):
        n = len(Run(seed, 2_000).steps)
        columns = {
            "weight_norm": draws.uniform(40, 60, n),
            "spectral/entropy_train": draws.uniform(0.3, 0.9, n),
            "test_accuracy": np.r_[draws.uniform(0, 0.9, n - 11), np.ones(11)],
        }
        every.append(Run(seed, 2_000, curves=columns))
    tables = entropy_runs.write(tmp_path, e1_baseline=every).tables("e1_baseline")
    rows = tables.curves[["weight_norm", "spectral/entropy_train", "test_accuracy"]].to_numpy()
    count, widest = 0, 0.0
    for (n1, h1, a1), (n2, h2, a2) in itertools.combinations(rows, 2):
        if max(n1, n2) <= 1.01 * min(n1, n2):
            count += abs(h1 - h2) >= 0.2 and abs(a1 - a2) >= 0.5
            widest = max(widest, abs(h1 - h2))
    found = predictors.pairs(tables)
    assert found.count == count > 0
    assert np.ptp(found.widest["spectral/entropy_train"]) == widest


def test_probes_agree_and_differ_as_made(tmp_path: Path) -> None:
    every = []
    for seed, time in enumerate(TIMES):
        made = Run(seed, time)
        entropy = made.table("k")["spectral/entropy_train"].to_numpy()
        every.append(Run(seed, time, curves={probes.TEST: entropy + 0.01 * (seed + 1)}))
    experiments = entropy_runs.write(tmp_path, e1_baseline=every)
    curves = experiments.tables("e1_baseline").curves
    r = np.corrcoef(curves["spectral/entropy_train"], curves[probes.TEST])[0, 1]
    assert claimed(experiments, "E8").interval.estimate == pytest.approx(r)
    assert claimed(experiments, "E8", 1).interval.estimate == pytest.approx(-0.025)
    both, at_grok = probes.tables(experiments)["The two probes"].to_dict("records")
    assert both["r [95 %]"].startswith(f"{r:.4f} [")
    assert at_grok["pairs"] == "4" and at_grok["training − test [95 %]"].startswith("−0.0250 [")
    with pytest.raises(NotRun, match="no column spectral/entropy_test; nearest: spectral/"):
        claimed(of_levels(tmp_path / "without"), "E8")


def test_pilots_by_brute_force() -> None:
    values = np.array([0.5, 0.6, 0.65, 0.7, 0.9])
    found = []
    for chosen in itertools.combinations(range(5), 3):
        rest = [values[i] for i in range(5) if i not in chosen]
        found.append(abs(values[list(chosen)].mean() - np.mean(rest)))
    assert sorted(pilots.errors(values, 3)) == pytest.approx(sorted(found))


def test_stopping_by_hand(tmp_path: Path) -> None:
    """Test accuracy is 1 from T_grok on, so whoever stops before loses all but chance."""
    found = stopping.stops(of_levels(tmp_path)).set_index(["rule", "key"])
    plain = found.loc[stopping.ACCURACY]
    assert plain["stop"].tolist() == [time + 400 for time in TIMES]
    assert (plain["lost"] == 0).all()
    assert plain["saved"].tolist() == [1 - (time + 400) / entropy_runs.BUDGET for time in TIMES]
    crossing = found.loc[stopping.CROSSING]  # a run that never crosses takes its budget
    assert crossing["stop"].tolist() == [2_900, 3_400, entropy_runs.BUDGET, entropy_runs.BUDGET]
    mean = found.loc[stopping.MEAN]
    for (_, row), time in zip(mean.iterrows(), TIMES):
        assert row["stop"] == pytest.approx((sum(TIMES) - time) / 3)
        assert row["lost"] == (0.99 if row["stop"] < time else 0)


def test_necessity_counts_who_grokked_above_the_threshold(tmp_path: Path) -> None:
    arm = [
        Run(0, 2_000, at_grok=0.55, settings={"intervention.name": "mixing"}),
        Run(1, 2_000, at_grok=0.75, settings={"intervention.name": "mixing"}),
        Run(2, None, settings={"intervention.name": "mixing"}),
    ]
    found = claimed(of_levels(tmp_path, e2_mixing=arm), "E9")
    assert (found.shown, found.runs) == (1, 2)
    with pytest.raises(NotRun, match="no run that groks"):
        claimed(of_levels(tmp_path / "alone"), "E9")


def test_forecasts_beside_the_trivial_ones(tmp_path: Path) -> None:
    experiments = of_levels(tmp_path)
    long = forecasts(experiments, "baseline")
    assert forecasts(experiments, "baseline") is long  # made once
    last = long.sort_values("step").groupby("key").tail(1)
    expected = ((last["law"] - last["truth"]).abs() / last["truth"]).mean()
    assert claimed(experiments, "E5-error").interval.estimate == pytest.approx(expected)
    assert "now" in claimed(experiments, "E5-error").note
    with pytest.raises(NotRun):
        claimed(
            entropy_runs.write(tmp_path / "two", e1_baseline=entropy_runs.baseline([2_000, 3_000])),
            "E5-error",
        )


PUBLISHED = {"published": 100, "lower": 80, "upper": 125, "scale": "log"}


def test_distances_are_in_half_widths() -> None:
    assert setting_calibration.half_widths(100, PUBLISHED) == 0
    assert setting_calibration.half_widths(125, PUBLISHED) == pytest.approx(1)
    assert setting_calibration.half_widths(80, PUBLISHED) == pytest.approx(-1)
    linear = {"published": 0.5, "lower": 0.4, "upper": 0.6, "scale": "linear"}
    assert setting_calibration.half_widths(0.75, linear) == pytest.approx(2.5)
    assert math.isnan(setting_calibration.half_widths(math.nan, linear))


def test_the_nearest_admissible_variant_comes_first(tmp_path: Path) -> None:
    rule = {
        "terms": {
            "t_grok": {"published": 2_000, "lower": 1_600, "upper": 2_500, "scale": "log"},
            "entropy_initial": {"published": 0.8, "lower": 0.7, "upper": 0.9, "scale": "linear"},
            "entropy_at_grok": {"published": 0.6, "lower": 0.5, "upper": 0.7, "scale": "linear"},
        },
        "expansion": {"factor": 1.1, "weight": 2},
    }

    def variant(norm: str, times: list[float | None], state: str = "done") -> list[Run]:
        settings = {"arch.norm": norm, "arch.tokens": 3, "arch.embedding": "unit"}
        settings["optimizer.betas"] = "[0.9, 0.98]"
        grows = {"weight_norm": np.linspace(40, 60, 61)} if norm == "a" else {}
        return [
            Run(s, t, settings=settings, state=state, ends=6_000, budget=6_000, curves=grows)
            for s, t in enumerate(times)
        ]

    every = variant("a", [2_500, 2_500]) + variant("b", [2_000, None])
    every += variant("c", [2_000, 2_000], state="interrupted") + variant("d", [2_000, 2_000])
    tables = entropy_runs.write(tmp_path, e0_fingerprint=every).tables("e0_fingerprint")
    found = setting_calibration.variants(tables, rule).set_index("arch.norm")
    assert found["admissible"].to_dict() == {"a": True, "b": False, "c": False, "d": True}
    # a: a half-width late, its norm expands; d: on time, but its norm does not
    assert found.loc["a", "distance"] == pytest.approx(1)
    assert found.loc["d", "distance"] == pytest.approx(2)
    assert list(found.index[:2]) == ["a", "d"]
    shown = setting_calibration.readable(setting_calibration.variants(tables, rule))
    assert shown["admissible"].tolist()[2:] in (
        ["not finished", "not all grokked"], ["not all grokked", "not finished"],
    )  # fmt: skip
    with pytest.raises(Unmatched, match=r"no column arch\.norm"):
        setting_calibration.variants(of_levels(tmp_path / "x").tables("e1_baseline"), rule)
