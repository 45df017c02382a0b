"""E2 and E3 on made-up runs of which every delay is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.claims import arm_tables
from analysis.claims.arms import Runs
from analysis.claims.estimators.curves import differences_at
from analysis.papers.entropy.tables import arms
from analysis.papers.entropy.tables.arms import EARLIER, HELD
from analysis.runs.experiments import NotRun
from grokpipe.curves.events import ENTROPY
from tests.helpers.entropy_runs import (
    AFTER,
    BUDGET,
    LEAD,
    START,
    Run,
    arm,
    baseline,
    beside,
    claimed,
    write,
)

BASE = [1_500, 2_000, 2_600, 3_100, 1_900]
MIXED = {0.05: 100, 0.1: 300, 0.5: 1_100}  # delays by strength
NOISY = {0.05: 0, 0.1: 100}


def later(delay: int) -> list[float | None]:
    """Not by the same everywhere, or there would be no interval; on average by `delay`."""
    return [time + delay + more for time, more in zip(BASE, (-100, 100, 0, 200, -200))]


def of_strengths(name: str, delays: dict[float, int], setting: str = "alpha") -> list[Run]:
    more: dict[str, object] = {"measure": "entropy"} if setting == "beta" else {}
    return [
        run
        for strength, delay in delays.items()
        for run in arm(name, later(delay), {setting: strength, **more})
    ]


@pytest.fixture
def experiments(tmp_path: Path) -> Runs:
    matched = of_strengths("mixing_norm_match", {0.05: 400, 0.1: 400})
    matched[0] = Run(0, None, settings=matched[0].settings)
    return write(
        tmp_path,
        e1_baseline=baseline([*BASE, 2_200]),
        e2_mixing=of_strengths("mixing", MIXED),
        e2_noise=of_strengths("noise", NOISY),
        e3_norm_control=matched,
        e3_norm_alone=arm("norm_match", [round(time * 1.1, -2) for time in BASE]),
        e3_regularise=of_strengths("regularise", {-1: 900, -0.1: 300, 0.1: -100, 1: -300}, "beta"),
    )


def raised(runs: Runs, name: str) -> pd.DataFrame:
    return differences_at(runs.arm(name), runs.arm("baseline"), ENTROPY)


def test_the_delay_by_mixing_is_the_mean_over_its_strengths(experiments: Runs) -> None:
    found = claimed(experiments, "E2")
    assert found.interval.estimate == pytest.approx(np.mean(list(MIXED.values())))
    assert (found.runs, found.seeds) == (20, 5)  # five of the baseline, five at each strength
    assert found.tables is not None
    assert set(found.tables.curves["key"]) == set(found.tables.cells["key"])
    assert found.note == "seeds 5 are not in every arm; mean over α = 0.05, 0.1, 0.5"
    spread = np.std([-100, 100, 0, 200, -200], ddof=1) / 5**0.5 * stats.t.ppf(0.975, 4)
    others = {label: one.interval for label, one in beside(experiments, "E2").items()}
    assert list(others) == ["event t_grok_sustained", "α = 0.05", "α = 0.1", "α = 0.5"]
    for strength, delay in MIXED.items():
        apart = others[f"α = {strength:g}"]
        assert apart.estimate == pytest.approx(delay)
        assert apart.lower == pytest.approx(delay - spread)
    assert found.interval.upper - found.interval.estimate == pytest.approx(spread)


def test_the_sign_of_beta_tells_holding_up_from_pushing_down(experiments: Runs) -> None:
    assert claimed(experiments, "E3-cause").interval.estimate == pytest.approx(600)
    assert claimed(experiments, "E3-hasten").interval.estimate == pytest.approx(-200)
    assert claimed(experiments, "E3-cause").note.endswith("mean over β = −0.1, −1")


def test_another_measure_that_was_regularised_is_not_the_entropy(tmp_path: Path) -> None:
    other = arm("regularise", later(900), {"beta": -1.0, "measure": "norm"})
    experiments = write(tmp_path, e1_baseline=baseline(BASE), e3_regularise=other)
    with pytest.raises(
        NotRun,
        match=r"held_up: no run .*measure: entropy; there are: norm",
    ):
        claimed(experiments, "E3-cause")


def test_noise_is_compared_at_the_strengths_that_both_have(experiments: Runs) -> None:
    found = claimed(experiments, "E2-specific")
    assert found.interval.estimate == pytest.approx(150)  # of 0.05 and 0.1; 0.5 has no noise
    assert found.runs == 20
    assert "mean over α = 0.05, 0.1" in found.note
    apart = [one.interval.estimate for one in beside(experiments, "E2-specific").values()]
    assert apart == pytest.approx([100, 200])


def test_runs_that_never_grok_are_counted_and_bound_the_mean(experiments: Runs) -> None:
    found = claimed(experiments, "E3-grokked")
    assert (found.shown, found.runs) == (9, 10)
    low, high = stats.binomtest(9, 10).proportion_ci()
    assert (found.interval.lower, found.interval.upper) == pytest.approx((low, high))
    delay = claimed(experiments, "E3")
    # seed 0 would grok at 1,500 + 400 − 100, now it counts as the budget at one of two strengths
    assert delay.interval.estimate == pytest.approx(400 + (5_000 - 1_800) / 2 / 5)
    assert "1 of 15 runs were not seen to grok" in delay.note


def test_the_norm_alone_as_a_ratio(experiments: Runs) -> None:
    found = claimed(experiments, "E3-driver")
    expected = sum(round(time * 1.1, -2) for time in BASE) / sum(BASE)
    assert found.interval.estimate == pytest.approx(expected)


def test_an_arm_that_was_not_run_says_so(experiments: Runs) -> None:
    with pytest.raises(NotRun, match="e3_temperature: not run"):
        claimed(experiments, "E3-scale")


def test_without_a_baseline_nothing_is_known(tmp_path: Path) -> None:
    experiments = write(tmp_path, e2_mixing=of_strengths("mixing", MIXED))
    for id in ("E2", "E2-manipulation"):
        with pytest.raises(NotRun, match="e1_baseline: not run"):
            claimed(experiments, id)
    with pytest.raises(NotRun, match="e1_baseline: not run"):
        arms.tables(experiments)


def test_the_entropy_is_compared_where_the_baseline_groks(experiments: Runs) -> None:
    found = claimed(experiments, "E2-manipulation")

    def entropy(late: float) -> float:
        """A run's, `late` steps before it groks."""
        return 0.6 + (START - 0.6) * min(max(late, 0) / LEAD, 1)

    by_seed = [
        np.mean([entropy(later(delay)[seed] - time) - 0.6 for delay in MIXED.values()])
        for seed, time in enumerate(BASE)
    ]
    assert found.interval.estimate == pytest.approx(np.mean(by_seed))
    assert (found.runs, found.seeds) == (20, 5)


def test_runs_that_ended_before_count_with_their_last_entropy(tmp_path: Path) -> None:
    early = BASE[0] - AFTER - 400  # ends 400 steps before the baseline groks
    runs = arm("mixing", [early, 2_400], {"alpha": 0.1}, at_grok=0.7)
    experiments = write(tmp_path, e1_baseline=baseline(BASE[:2]), e2_mixing=runs)
    rows = raised(experiments, "mixing").set_index("seed")
    assert rows["difference"][0] == pytest.approx(0.1)
    assert rows["ended"].tolist() == [True, False]
    assert "1 of 2 runs had ended" in claimed(experiments, "E2-manipulation").note


def test_runs_that_broke_off_before_are_left_out(tmp_path: Path) -> None:
    runs = arm("mixing", [2_400, 2_400], {"alpha": 0.1})
    runs[0] = Run(0, None, ends=1_000, state="interrupted", settings=runs[0].settings)
    experiments = write(tmp_path, e1_baseline=baseline(BASE[:2]), e2_mixing=runs)
    assert raised(experiments, "mixing")["seed"].tolist() == [1]


def test_a_baseline_that_never_grokked_has_no_step_to_compare_at(tmp_path: Path) -> None:
    experiments = write(
        tmp_path, e1_baseline=baseline([None, 2_000]), e3_norm_alone=arm("norm_match", [1_500] * 2)
    )
    rows = raised(experiments, "norm_alone")
    assert rows["seed"].tolist() == [1]
    assert rows["strength"].isna().all()


def test_table_1_has_every_arm_in_order(experiments: Runs) -> None:
    shown = arms.tables(experiments)
    table = shown[arms.TIMES].set_index("arm")
    assert list(table.index) == [
        "baseline", "mixing, α = 0.05", "mixing, α = 0.1", "mixing, α = 0.5",
        "mixing, norm matched, α = 0.05", "mixing, norm matched, α = 0.1", "norm matched alone",
        "noise, α = 0.05", "noise, α = 0.1", "entropy held up, β = −0.1", "entropy held up, β = −1",
        "entropy pushed down, β = 0.1", "entropy pushed down, β = 1",
    ]  # fmt: skip
    assert table["grokked"]["mixing, norm matched, α = 0.05"] == "4/5"
    pairs = shown[arms.PAIRS].set_index("arm")
    assert pairs[arms.DELAY]["mixing, α = 0.5"].startswith("+1,100 [+")
    assert pairs["seeds"]["mixing, α = 0.5"] == "5"
    # the ratio is of all seeds, the baseline's sixth as well
    assert table[arms.RATIO]["mixing, α = 0.5"].startswith("1.5")
    assert table["mean [95 %]"]["mixing, norm matched, α = 0.05"].endswith("to 5,000")
    # a mean of those that grokked is shown as published; Cohen's d of censored times is not
    assert table["Cohen's d (as published)"]["mixing, norm matched, α = 0.05"] == "–"
    assert table["p, log-rank"]["baseline"] == "–"
    raised = shown[arms.RAISED]
    assert len(raised) == len(table) - 1


def test_tests_are_those_of_scipy_and_holm_counts_all_arms(experiments: Runs) -> None:
    every, base = arms.found(experiments), arms.baseline(experiments)
    tested = arm_tables.tests(every, base, EARLIER)
    one_sided = tested[tested["test"] == arm_tables.ONE_SIDED].set_index("arm")
    times = later(1_100)
    expected = stats.mannwhitneyu(times, [*BASE, 2_200], alternative="greater", method="exact")
    assert one_sided["p"]["mixing, α = 0.5"] == pytest.approx(expected.pvalue)
    # what is meant to hasten is asked whether it does
    assert one_sided["p"]["entropy pushed down, β = 1"] < 0.5
    smallest = one_sided["p"].min()
    assert one_sided["p_holm"].min() == pytest.approx(min(1, smallest * len(every)))


def test_the_trend_rises_with_the_strength(experiments: Runs) -> None:
    trend = arms.tables(experiments)[arms.TREND]
    assert trend["condition"].tolist() == ["mixing", "mixing"]  # noise has two strengths only
    assert trend["order"][0] == "α = 0.05 → α = 0.1 → α = 0.5"
    assert trend["order"][1].startswith("baseline → ")
    expected = np.mean(
        [(a < b) + (a == b) / 2
         for one, two in ((0.05, 0.1), (0.05, 0.5), (0.1, 0.5))
         for a in later(MIXED[one]) for b in later(MIXED[two])]
    )  # fmt: skip
    said = trend["share of pairs of runs in which the stronger arm is later"][0]
    assert said == f"{expected:.2f}"


def test_a_sweep_that_has_only_begun_has_tables(tmp_path: Path) -> None:
    """One seed here, none that finished there: what is not known is a dash, nothing raises."""
    begun = [
        Run(seed, None, ends=300, state="interrupted", settings=run.settings)
        for strength in (0.05, 0.1, 0.5)
        for seed, run in enumerate(arm("mixing", BASE[:2], {"alpha": strength}))
    ]
    experiments = write(
        tmp_path, e1_baseline=baseline([2_000, None]), e2_mixing=begun,
        e3_norm_alone=arm("norm_match", [1_900]),
    )  # fmt: skip
    shown = arms.tables(experiments)
    table = shown[arms.TIMES].set_index("arm")
    assert table["grokked"].tolist() == ["1/2", "0/2", "0/2", "0/2", "1/1"]
    assert shown[arms.PAIRS].set_index("arm")[arms.DELAY]["norm matched alone"] == "−100"
    assert shown[arms.TREND]["p, Jonckheere"].tolist() == ["–", "–"]
    assert shown[arms.RAISED]["arm"].tolist() == ["norm matched alone"]
    assert np.isnan(claimed(experiments, "E2").interval.lower)
    with pytest.raises(NotRun, match="no seed with t_grok in baseline and a run at every strength"):
        claimed(experiments, "E2-manipulation")


def test_a_run_that_falls_back_has_grokked_but_not_for_good(tmp_path: Path) -> None:
    once = Run(0, 1_000, settings={"intervention.name": "norm_match"}, ends=BUDGET)
    once.curves["test_accuracy"] = np.where(once.steps == 1_000, 1.0, 0.98)
    others = arm("norm_match", [1_000] * 5)[1:]
    experiments = write(tmp_path, e1_baseline=baseline([1_000] * 5), e3_norm_alone=[once, *others])
    found = claimed(experiments, "E3-driver")
    assert found.interval.estimate == 1
    (held_for,) = beside(experiments, "E3-driver").values()
    assert held_for.interval.estimate == 1.8  # (5,000 + 4 · 1,000)/5,000
    held = arms.tables(experiments)[HELD]
    assert held.set_index("arm").loc["norm matched alone", "grokked"] == "4/5"


def test_delays_on_one_processor_leave_out_what_others_trained(tmp_path: Path) -> None:
    """There the baseline is 300 steps later, and the arm 200 more."""
    there = [time + 300 for time in BASE]
    mixed = arm("mixing", [time + 200 for time in there], {"alpha": 0.1}, processor="X")
    mixed[0] = replace(mixed[0], processor="unknown", groks=4_900)
    noisy = arm("noise", BASE, {"alpha": 0.1})  # of no known processor
    experiments = write(
        tmp_path,
        e1_baseline=baseline(BASE),
        e1_other_machine=baseline(there, processor="X"),
        e2_mixing=mixed,
        e2_noise=noisy,
    )
    (row,) = arms.tables(experiments)[arms.ONE_PROCESSOR].to_dict("records")
    assert list(row.values()) == ["mixing, α = 0.1", "4", "+200", "+500"]


def test_without_a_baseline_again_there_is_no_such_table(experiments: Runs) -> None:
    assert arms.ONE_PROCESSOR not in arms.tables(experiments)
