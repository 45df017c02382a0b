"""Arms beside a baseline: the table against the functions behind it, by hand, and refusals."""

import math

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from analysis.commands.compare import readable
from analysis.stats import effects, logrank, ranks, restricted, testing
from analysis.stats.survival import Times
from analysis.times.compare import (
    TESTS,
    all_tests,
    arms,
    compare,
    out_of_reach,
    paired,
    trend,
)
from grokpipe.errors import InputError
from tests.helpers.arm_events import BUDGET, events
from tests.helpers.compared_arms import RUNS, compared


def test_a_row_per_arm_the_baseline_first() -> None:
    table, _ = compared()
    assert table["arm"].tolist() == ["none", "mixing", "noise"]
    assert table["n"].tolist() == [5, 5, 5]
    assert table["reached"].tolist() == [5, 4, 5]
    assert table["median"].tolist() == [120, 180, 120]
    assert table["resolution"].tolist() == [10, 10, 10]
    assert table["horizon"].tolist() == [BUDGET] * 3  # one run was censored at the budget
    # (150 + 180 + 390 + 160 + 400)/5
    assert table["mean"].tolist() == pytest.approx([120, 256, 122])
    assert table["difference"].tolist()[1:] == pytest.approx([136, 2])
    assert pd.isna(table["difference"][0])
    assert pd.isna(table["p"][0])


def test_the_numbers_are_those_of_the_functions() -> None:
    table, tested = compared()
    of_none, of_mixing = (
        Times(rows["step"].to_numpy(float), rows["observed"].to_numpy(bool))
        for rows in (RUNS[RUNS["arm"] == "none"], RUNS[RUNS["arm"] == "mixing"])
    )
    row = table.set_index("arm").loc["mixing"]
    difference = restricted.restricted_mean_difference(of_mixing, of_none, BUDGET, paired=True)
    assert (row["difference_lower"], row["difference_upper"]) == pytest.approx(
        (difference.lower, difference.upper)
    )
    assert row["p"] == logrank.logrank(of_mixing, of_none).p
    assert (
        row["cliff_delta"]
        == effects.cliff_delta(of_mixing, of_none, np.random.default_rng(0)).estimate
    )
    p = tested[tested["arm"] == "mixing"].set_index("name")["p"]
    assert p["sign"] == ranks.sign(of_mixing, of_none).p == pytest.approx(2 / 32)
    assert p["Mann–Whitney"] == pytest.approx(2 / math.comb(10, 5))


def test_holm_is_over_all_comparisons_of_a_test() -> None:
    runs = pd.concat([RUNS, RUNS.assign(event="t_mem")])
    table, tested = compared(runs)
    assert len(tested) == 2 * 2 * len(TESTS)
    of_rank = tested[tested["name"] == "log-rank"]
    assert of_rank["p_holm"].tolist() == pytest.approx(testing.holm(of_rank["p"].to_numpy()))
    assert len(of_rank) == 4
    assert (table["p_holm"].dropna() >= table["p"].dropna()).all()


def test_any_test_may_stand_in_the_table() -> None:
    table, tested = compared(test="Wilcoxon", alternative="later")
    row = tested[(tested["name"] == "Wilcoxon") & (tested["arm"] == "mixing")].iloc[0]
    assert table.set_index("arm").loc["mixing", "p"] == row["p"] == pytest.approx(1 / 32)
    assert row["alternative"] == "later"


def test_unequal_budgets_refuse_what_ties_at_infinity() -> None:
    runs = RUNS.copy()
    runs.loc[runs["arm"] == "none", "budget"] = 300.0
    _, tested = compared(runs)
    of_mixing = tested[tested["arm"] == "mixing"].set_index("name")
    for name in ("Mann–Whitney", "Wilcoxon"):
        assert math.isnan(of_mixing.loc[name, "p"])
        assert "budgets" in of_mixing.loc[name, "method"]
    assert of_mixing.loc["log-rank", "p"] < 0.05


def test_arms_that_share_seeds_are_paired_in_their_order() -> None:
    none, mixing, _ = (
        next(arm for arm in arms(RUNS.sample(frac=1, random_state=3), ["arm"]) if arm.label == name)
        for name in ("none", "mixing", "noise")
    )
    first, second = paired(mixing, none)
    assert first.seeds.tolist() == second.seeds.tolist() == [0, 1, 2, 3, 4]
    assert first.times.times.tolist() == [150, 180, 390, 160, 400]


def test_arms_without_common_seeds_are_not_paired() -> None:
    runs = RUNS.copy()
    runs.loc[runs["arm"] == "mixing", "seed"] += 100
    table, tested = compared(runs)
    assert table.set_index("arm").loc["mixing", "paired"] == False  # noqa: E712
    of_mixing = tested[tested["arm"] == "mixing"].set_index("name")
    assert "share" in of_mixing.loc["sign", "method"]
    assert not math.isnan(of_mixing.loc["log-rank", "p"])


def test_several_runs_of_a_seed_are_not_paired() -> None:
    found = arms(pd.concat([RUNS, RUNS.assign(key=RUNS["key"] + "x")]), ["arm"])
    assert paired(*found[:2]) is None


def test_the_order_of_rows_does_not_matter() -> None:
    table, tested = compared()
    for seed in range(3):
        again, tested_again = compared(RUNS.sample(frac=1, random_state=seed))
        pd.testing.assert_frame_equal(again, table)
        pd.testing.assert_frame_equal(tested_again, tested)


def test_means_of_events_with_different_horizons_say_which() -> None:
    runs = pd.concat([RUNS, RUNS.assign(event="t_mem", observed=True)])
    both, alone = (readable(compared(of)[0]) for of in (runs, RUNS))
    assert "mean [95 %]" not in alone and "mean ≤ 400 [95 %]" in alone
    one = readable(compared(RUNS.assign(event="t_mem", observed=True))[0])
    assert not one["mean [95 %]"].str.contains(" to ").any()  # all runs had it
    of_grok = both[both["event"] == "t_grok"]
    for column in ("mean [95 %]", "difference of means [95 %]"):
        said = both[column].str.endswith(" to 400")
        assert said.tolist()[1:3] == [True, True]
    assert of_grok["mean [95 %]"].str.endswith(" to 400").all()


def test_shares_have_exact_intervals_unless_a_run_may_yet_have_the_event() -> None:
    table, _ = compared()
    row = table.set_index("arm").loc["mixing"]
    exact = effects.proportion(4, 5)
    assert row[["share", "share_lower", "share_upper"]].tolist() == pytest.approx(
        [0.8, exact.lower, exact.upper]
    )
    assert readable(table)["share [95 %]"].tolist()[1] == "0.80 [0.28, 0.99]"
    waiting = RUNS.assign(state=np.where(RUNS["observed"], "done", "running"))
    row = compared(waiting)[0].set_index("arm").loc["mixing"]
    assert math.isnan(row["share"])
    assert row["share_method"] == "none: 1 of 5 runs are not finished"


def test_the_horizon_is_what_all_arms_were_followed_to() -> None:
    assert compared()[0]["horizon"].unique().tolist() == [BUDGET]
    of_two = compared(RUNS[RUNS["arm"] != "mixing"])[0]
    assert of_two["horizon"].unique().tolist() == [math.inf]
    runs = RUNS.copy()
    interrupted = (runs["arm"] == "mixing") & (runs["seed"] > 1)
    runs.loc[interrupted, ["step", "observed"]] = [200.0, False]
    assert compared(runs)[0]["horizon"].unique().tolist() == [200]


def test_no_run_had_the_event() -> None:
    table, tested = compared(events({"none": [None] * 3, "mixing": [None] * 3}))
    assert table["median"].tolist() == [math.inf] * 2
    assert tested["p"].isna().all()
    assert tested["method"].str.startswith("refused").all()
    assert table["mean"].isna().all()  # the horizon, whatever the runs are
    assert math.isnan(table["difference"][1]) and math.isnan(table["difference_lower"][1])
    assert readable(table)["difference of means [95 %]"].tolist() == ["baseline", "–"]
    assert not np.isfinite(table["difference"]).any()  # no mark in the figure


def test_single_runs_have_estimates_and_no_invented_intervals() -> None:
    table, tested = compared(events({"none": [100], "mixing": [150]}))
    row = table.set_index("arm").loc["mixing"]
    assert row["difference"] == 50
    assert math.isnan(row["difference_lower"])
    assert row["cliff_delta_method"].startswith("none")
    # one of two labellings is as far out as this: p = 1 says that nothing can be said
    assert tested.set_index("name").loc["log-rank", "p"] == 1


def test_a_trend_over_ordered_arms() -> None:
    decays = events(
        {0.01: [300, 310, 330], 0.3: [100, 110, 105], 0.1: [200, 210, None]}, by="weight_decay"
    )
    row = trend(decays, "weight_decay").iloc[0]
    assert row["arms"] == "0.3 → 0.1 → 0.01"
    assert row["p"] < 0.05
    assert row["direction"] == "later"
    back = trend(decays.assign(weight_decay=-decays["weight_decay"]), "weight_decay").iloc[0]
    assert (back["direction"], back["p"]) == ("earlier", row["p"])
    both = trend(pd.concat([decays, decays.assign(event="t_mem")]), "weight_decay")
    assert both["p_holm"].tolist() == pytest.approx([2 * row["p"]] * 2)
    assert trend(RUNS, "arm").empty  # words have no order
    assert trend(decays[decays["weight_decay"] > 0.05], "weight_decay").empty


def test_runs_without_the_event_are_counted_and_their_arm_keeps_its_row() -> None:
    cross = RUNS[RUNS["arm"] != "noise"].assign(event="t_cross")
    cross = cross[(cross["arm"] == "none") | (cross["seed"] < 3)]

    def of(events: pd.DataFrame, baseline: str = "none") -> tuple[pd.DataFrame, pd.DataFrame]:
        return compare(events, ["arm"], baseline, np.random.default_rng(0), runs=RUNS)

    table, tested = of(cross)
    assert table["arm"].tolist() == ["none", "mixing", "noise"]
    assert table["n"].tolist() == [5, 3, 0]
    assert table["runs"].tolist() == [5, 5, 5]
    assert table.loc[2, ["median", "mean", "difference", "p"]].isna().all()
    assert set(tested["arm"]) == {"mixing"}
    shown = readable(table)
    assert shown["reached"].tolist() == ["5/5", "3/3 of 5", "0/0 of 5"]
    assert shown["median [95 %]"].tolist()[2] == "–"
    assert shown["difference of means [95 %]"].tolist()[2] == "–"
    with pytest.raises(InputError, match="noise: none of its 5 runs has t_cross: no other"):
        of(cross, "noise")
    with pytest.raises(InputError, match="t_cross: only runs of none have it"):
        of(cross[cross["arm"] == "none"])


def test_runs_without_a_value_are_an_arm_like_any_other() -> None:
    runs = RUNS.assign(beta=RUNS["arm"].map({"none": math.nan, "mixing": 0.5, "noise": 0.1}))
    by_two, _ = compare(runs, ["arm", "beta"], "none", np.random.default_rng(0))
    assert by_two["arm"].tolist() == ["none", "mixing, 0.5", "noise, 0.1"]
    assert by_two["n"].tolist() == [5, 5, 5]
    by_beta, _ = compare(runs, ["beta"], "none", np.random.default_rng(0))
    assert by_beta["arm"].tolist() == ["none", "0.5", "0.1"]
    assert by_beta["p"].tolist()[1:] == by_two["p"].tolist()[1:]
    assert trend(runs, "beta").empty  # two arms of numbers
    # what would be one label is told apart by the columns
    same = RUNS.assign(x=1.0, y=math.nan)
    same.loc[same["arm"] == "mixing", ["x", "y"]] = [math.nan, 1.0]
    labels = [arm.label for arm in arms(same, ["x", "y"])]
    assert labels == ["x=1, y=none", "x=none, y=1"]


def test_spaces_in_the_name_of_the_baseline_do_not_count() -> None:
    """A list is printed with a space after the comma, and typed on the command line without."""
    of_betas = RUNS.assign(arm=RUNS["arm"].map({"none": "[0.9, 0.98]", "noise": "[0.9, 0.999]"}))
    tables = [compared(of_betas.dropna(), name) for name in ("[0.9, 0.98]", "[0.9,0.98]")]
    assert_frame_equal(tables[0][0], tables[1][0])


def test_wrong_input_names_what_would_be_valid() -> None:
    with pytest.raises(InputError, match=r"--baseline nine: no such arm; valid: mixing \| noise"):
        compared(baseline="nine")
    with pytest.raises(InputError, match="nothing to compare"):
        compared(RUNS[RUNS["arm"] == "none"])


def test_every_test_is_there_for_every_pair() -> None:
    one, two, _ = arms(RUNS, ["arm"])
    names = [result.name for result in all_tests(one, two)]
    assert names == list(TESTS)


def test_what_holm_cannot_reach_is_said() -> None:
    """None of five against five of five, of fifteen events: 15 × 2/252."""
    apart = {"none": [None] * 5, "mixing": [100, 110, 120, 130, 140]}
    several = pd.concat([events(apart, name=f"event {i}") for i in range(15)])
    table, tested = compared(several)
    smallest = table["p_holm"].min()
    assert smallest == pytest.approx(15 * 2 / 252)
    said = out_of_reach(tested, "log-rank")
    assert "15 rows × 0.0079" in said and "are 0.12; what helps is to name fewer events" in said
    assert "\n" not in said
    # of six events it can
    _, six = compared(several[several["event"].isin([f"event {i}" for i in range(6)])])
    assert out_of_reach(six, "log-rank") == "" and six["p_holm"].min() < 0.05
    _, few = compared(events({"none": [None] * 3, "mixing": [100, 110, 120]}))
    assert out_of_reach(few, "Mann–Whitney").endswith("what helps is more runs")
    _, never = compared(events({"none": [None] * 3, "mixing": [None] * 3}))
    assert out_of_reach(never, "log-rank") == ""  # the tests were refused, and say why


def test_runs_that_diverged_never_have_the_event() -> None:
    """Four of five diverged, the fifth has the event before any of the baseline: the arm is later,
    not earlier."""
    runs = events({"none": [300, 310, 320, 330, 340], "decayed": [200, None, None, None, None]})
    gone = (runs["arm"] == "decayed") & ~runs["observed"]
    runs.loc[gone, "state"] = "diverged"
    runs["diverged"] = np.where(gone, 50.0, np.nan)
    table, _ = compared(runs)
    row = table.set_index("arm").loc["decayed"]
    assert (row["diverged"], row["reached"], row["share"], row["incidence"]) == (4, 1, 0.2, 0.2)
    assert row["median"] == math.inf and row["mean"] == (200 + 4 * BUDGET) / 5
    assert row["difference"] == row["mean"] - 320 and row["cliff_delta"] == pytest.approx(0.6)
    # tests see them later than the budget: as runs that were done without the event
    done, _ = compared(runs.assign(state="done"))
    assert done.set_index("arm").loc["decayed", "p"] == row["p"]
    assert readable(table)["diverged"].tolist() == [0, 4]
