"""Comparisons within strata against sums by hand, every labelling, and the strata by themselves."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.stats.restricted import restricted_mean_difference, stratified_mean_difference
from analysis.stats.survival import Times
from analysis.times.compare import compare
from analysis.times.strata import Within, compare_within
from grokpipe.errors import InputError
from tests.helpers.arm_events import events

Table = dict[object, list[float | None]]
FAST: Table = {"base": [30, 40, 50, 60], "mixing": [70, 45, 80, None]}
SLOW: Table = {"base": [200, 210, 250, 300], "mixing": [310, 260, None, None]}


def strata(**of_rates: Table) -> pd.DataFrame:
    """Events of the arms at each rate."""
    parts = [
        events(arms).assign(lr=float(name.removeprefix("lr_")) / 1000)
        for name, arms in of_rates.items()
    ]
    made = pd.concat(parts, ignore_index=True)
    return made.assign(key=made["key"] + "-" + made["lr"].map(str))


def within(long: pd.DataFrame, test: str = "log-rank", **changed) -> Within:
    given = {"by": ["arm"], "within": ["lr"], "baseline": "base"} | changed
    runs = long.drop_duplicates("key")
    return compare_within(
        long, given["by"], given["within"], given["baseline"], np.random.default_rng(0), test,
        "two-sided", None, runs,
    )  # fmt: skip


def excess(times: np.ndarray, seen: np.ndarray, ours: np.ndarray) -> tuple[float, float]:
    """O − E of one stratum and its variance (Klein & Moeschberger 2003, eq. 7.3.1)."""
    sums = np.zeros(2)
    for at in np.unique(times[seen]):
        risk, had = times >= at, (times == at) & seen
        n, n_a, d = risk.sum(), (risk & ours).sum(), had.sum()
        spread = n_a / n * (1 - n_a / n) * (n - d) / (n - 1) * d if n > 1 else 0
        sums += [(had & ours).sum() - d * n_a / n, spread]
    return sums[0], sums[1]


def of_stratum(long: pd.DataFrame, lr: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    own = long[long["lr"] == lr]
    return (
        own["step"].to_numpy(float), own["observed"].to_numpy(bool),
        own["arm"].eq("mixing").to_numpy(),
    )  # fmt: skip


def z(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> float:
    sums = np.sum([excess(*part) for part in parts], axis=0)
    return sums[0] / np.sqrt(sums[1])


def test_the_test_is_that_of_every_labelling_within_strata() -> None:
    long = strata(lr_1=FAST, lr_3=SLOW)
    long = long[long["seed"] > 0]
    parts = [of_stratum(long, lr) for lr in (0.001, 0.003)]
    every = [
        z([(t, o, np.isin(range(6), own)) for (t, o, _), own in zip(parts, chosen, strict=True)])
        for chosen in product(combinations(range(6), 3), repeat=2)
    ]
    found = within(long)
    row = found.tests.set_index("name").loc["log-rank within lr"]
    assert row["statistic"] == pytest.approx(z(parts))
    assert row["p"] == pytest.approx(np.mean(np.abs(every) >= abs(z(parts)) - 1e-9))
    assert row["method"] == "exact, 400 labellings"
    combined = found.combined.set_index("arm")
    assert combined.loc["mixing", "p"] == row["p"] == combined.loc["mixing", "p_holm"]
    assert combined.loc["mixing", ["strata", "of_strata", "n", "reached"]].tolist() == [2, 2, 6, 3]


def test_pairs_of_seeds_within_strata_are_tested_by_their_signs() -> None:
    tests = within(strata(lr_1=FAST, lr_3=SLOW)).tests.set_index("name")
    # of eight pairs, seed for seed, the arm is later in all
    expected = stats.binomtest(8, 8).pvalue
    for name in ("stratified log-rank within lr", "sign within lr"):
        assert tests.loc[name, "p"] == pytest.approx(expected)


def test_a_difference_that_the_strata_hide_is_seen_within_them() -> None:
    """One arm has most of its runs where all are slow: pooled it is later, within it is earlier."""
    long = strata(
        lr_1={"base": [30, 31, 32, 33, 34, 35], "mixing": [20, 21]},
        lr_3={"base": [300, 301], "mixing": [280, 281, 282, 283, 284, 285]},
    )
    pooled, _ = compare(long, ["arm"], "base", np.random.default_rng(0))
    found = within(long).combined.set_index("arm").loc["mixing"]
    assert pooled["difference"][1] > 100 and pooled["p"][1] > 0.05
    assert found["difference"] == pytest.approx(((20.5 - 32.5) + (282.5 - 300.5)) / 2)
    assert found["difference_upper"] < 0 and found["p"] < 0.01


def test_the_strata_s_own_tables_are_those_of_compare() -> None:
    long = strata(lr_1=FAST, lr_3=SLOW)
    found = within(long)
    assert found.strata["lr"].tolist() == [0.003, 0.003, 0.001, 0.001]
    for lr in (0.001, 0.003):
        own, tests = compare(long[long["lr"] == lr], ["arm"], "base", np.random.default_rng(0))
        of_lr = found.strata[found.strata["lr"] == lr].reset_index(drop=True)
        for column in ("arm", "reached", "median", "difference", "p"):
            pd.testing.assert_series_equal(of_lr[column], own[column])
    mixing = found.strata[found.strata["arm"] == "mixing"]
    low, high = sorted(mixing["p"])
    assert sorted(mixing["p_holm"]) == pytest.approx([2 * low, max(2 * low, high)])
    assert len(found.strata_tests) == 2 * len(tests)


def test_strata_that_lack_an_arm_are_said() -> None:
    third = {"noise": [90, 95, 99, 92]}
    long = strata(lr_1=FAST | third, lr_3=SLOW, lr_5={"mixing": [10, 11]}, lr_7={"base": [10, 12]})
    found = within(long)
    assert found.notes == [
        "note: lr=0.007: left out: --by arm: all runs are base; nothing to compare",
        "note: lr=0.005: no run of base: left out",
        "note: lr=0.003: no run of noise",
    ]
    combined = found.combined.set_index("arm")
    assert combined["strata"].to_dict() == {"base": 2, "mixing": 2, "noise": 1}
    # the arm that is in one stratum is compared with that stratum's baseline alone
    alone, _ = compare(long[long["lr"] == 0.001], ["arm"], "base", np.random.default_rng(0))
    assert combined.loc["noise", "p"] == pytest.approx(alone.set_index("arm").loc["noise", "p"])


def test_what_cannot_be_compared_is_one_line() -> None:
    long = strata(lr_1=FAST, lr_3=SLOW)
    with pytest.raises(
        InputError, match=r"--test Wilcoxon: must be one of log-rank, strat.* --wit"
    ):
        within(long, "Wilcoxon")
    with pytest.raises(InputError, match=r"--baseline none: no such arm; valid: base \| mixing"):
        within(long, baseline="none")
    apart = strata(lr_1={"base": [1, 2]}, lr_3={"mixing": [3, 4]})
    with pytest.raises(
        InputError, match=r"--within lr: no stratum compares t_grok; lr=0.001: left"
    ):
        within(apart)


def test_the_stratified_difference_of_whole_runs_is_a_weighted_mean() -> None:
    draws = np.random.default_rng(1)
    arms = [Times(draws.uniform(1, 9, n), np.full(n, True)) for n in (4, 6, 5, 3)]
    pairs = [(arms[0], arms[1]), (arms[2], arms[3])]
    weights = np.array([4 * 6 / 10, 5 * 3 / 8])
    weights /= weights.sum()
    found = stratified_mean_difference(pairs, np.inf)
    means = [arm.times.mean() for arm in arms]
    assert found.estimate == pytest.approx(weights @ [means[0] - means[1], means[2] - means[3]])
    parts = np.array([arm.times.var(ddof=1) / len(arm) for arm in arms])
    parts *= np.repeat(weights, 2) ** 2
    freedom = parts.sum() ** 2 / (parts**2 / (np.array([4, 6, 5, 3]) - 1)).sum()
    half = stats.t.ppf(0.975, freedom) * np.sqrt(parts.sum())
    assert found.upper - found.estimate == pytest.approx(half) == found.estimate - found.lower
    one = stratified_mean_difference(pairs[:1], np.inf)
    assert one == restricted_mean_difference(*pairs[0], np.inf)
    equal = [(arms[0], Times(arms[2].times[:4], np.full(4, True)))] * 2
    paired = stratified_mean_difference(equal, np.inf, paired=True)
    apart = np.tile(equal[0][0].times - equal[0][1].times, 2)
    assert paired.estimate == pytest.approx(apart.mean())
    cut_off = [*pairs, (arms[0], Times(np.full(3, 5.0), np.zeros(3, bool)))]
    assert (
        stratified_mean_difference(cut_off, 8.0).method == "none: in a stratum not followed up to 8"
    )
    with pytest.raises(ValueError, match="no strata"):
        stratified_mean_difference([], 1.0)
