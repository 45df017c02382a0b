"""What the table of timescales says of runs that did not have the event."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.output.tables import FORMATS, formatted
from analysis.runs.tables import Tables
from analysis.times.timescales import events, readable, timescales
from tests.helpers.made_curves import TEST, jump, made


def censored(*steps: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "key": [f"{run:016d}" for run in range(len(steps))], "event": "t_grok",
            "step": steps, "observed": False, "lower": steps, "upper": math.inf,
            "budget": 100_000.0, "seed": range(len(steps)), "weight_decay": 0.1,
            "state": "done",
        }
    )  # fmt: skip


def test_a_median_that_no_run_reached_is_beyond_what_five_runs_were_followed_to() -> None:
    table = timescales(censored(100_000, 60_000, 60_000, 50_000, 40_000), ["weight_decay"])
    shown = readable(table).iloc[0]
    assert shown["median"] == "> 40,000"
    assert shown["95 % interval"] == "40,000 – ∞"
    assert shown["mean [95 %]"] == "–"  # the restricted mean is the horizon by itself
    # 1 − 0.025^(1/5)
    assert table.loc[0, ["share", "share_lower", "share_upper"]].tolist() == pytest.approx(
        [0, 0, 0.5218], abs=1e-4
    )


def test_runs_that_had_the_event_do_not_shorten_what_the_others_were_followed_to() -> None:
    runs = censored(89_910, 100_000, 100_000, 100_000, 100_000)
    runs.loc[0, ["observed", "lower", "upper"]] = [True, 89_000, 89_910]
    shown = readable(timescales(runs, ["weight_decay"])).iloc[0]
    assert shown["median"] == "> 100,000"
    assert shown["95 % interval"] == "89,910 – ∞"  # one of five runs by the median: 3 in 16


def test_signs_are_one_piece_of_mathematics_in_tex() -> None:
    shown = pd.DataFrame({"x": ["> 400", "< 3", "≥ 2", "0.3 → 0.1", "a_b & 5 %"]})
    lines = formatted(shown, FORMATS["tex"]).splitlines()
    rows = [line.strip().removesuffix("\\\\").strip() for line in lines if line.endswith("\\\\")]
    assert rows == [
        "x", r"\ensuremath{>} 400", r"\ensuremath{<} 3", r"$\geq$ 2", r"0.3 $\to$ 0.1",
        r"a\_b \& 5 \%",
    ]  # fmt: skip


def test_of_fewer_than_five_runs_their_number_is_said() -> None:
    for steps, said in (((100_000, 60_000), "> 60,000 (2 runs)"), ((500,), "> 500 (1 run)")):
        shown = readable(timescales(censored(*steps), ["weight_decay"])).iloc[0]
        assert shown["median"] == said
        assert shown["95 % interval"] == "–"


def diverging() -> Tables:
    """Of five runs at 0.3 four diverge at step 500, one groks at 1,900; five at 0.1 grok at 1,000
    and later. All memorise at 200. Budget: 10,000 steps."""
    memorised = jump(2, 0.1, 1.0)

    def run(decay: float, at: int, diverges: bool = False) -> dict[str, object]:
        n = 6 if diverges else 20
        return {
            "weight_decay": decay, TEST: jump(at, 0.1, 1.0, n), "train_accuracy": memorised[:n],
            "state": "diverged" if diverges else "done",
        }  # fmt: skip

    runs = [run(0.1, at) for at in range(10, 15)] + [run(0.3, 99, True) for _ in range(4)]
    return made(*runs, run(0.3, 19))


def test_a_run_that_diverged_never_has_the_event() -> None:
    long = events(diverging())
    rows = long[(long["event"] == "t_grok") & (long["state"] == "diverged")]
    assert set(rows["step"]) == set(rows["lower"]) == {10_000}
    assert not rows["observed"].any() and set(rows["diverged"]) == {500}
    table = timescales(long[long["event"].isin(["t_grok", "t_mem"])], ["weight_decay"])
    table = table.set_index(["weight_decay", "event"])
    mixed, other = table.loc[(0.3, "t_grok")], table.loc[(0.1, "t_grok")]
    assert (mixed["reached"], mixed["n"], mixed["diverged"], other["diverged"]) == (1, 5, 4, 0)
    assert mixed["median"] == math.inf and mixed["followed"] == 10_000
    assert mixed["incidence"] == mixed["share"] == 0.2
    assert mixed["mean"] == (1_900 + 4 * 10_000) / 5 and other["mean"] == 1_200
    # memorising came before, and was seen
    assert table.loc[(0.3, "t_mem"), ["reached", "median", "diverged"]].tolist() == [5, 200, 4]
    shown = readable(table.reset_index())
    assert shown["median"].tolist()[:1] == ["200"] and "> 10,000" in shown["median"].tolist()
    assert shown["diverged"].tolist() == [4, 4, 0, 0]


def test_tables_without_a_diverged_run_do_not_speak_of_it() -> None:
    tables = diverging()
    cells = tables.cells.assign(state="done")
    shown = readable(timescales(events(replace(tables, cells=cells)), ["weight_decay"]))
    assert not {"diverged", "incidence [95 %]"} & set(shown)


def test_ratios_of_runs_that_diverged() -> None:
    """Later than the budget over the time by which it had memorised; none if it had not."""
    diverged = {"state": "diverged", TEST: np.full(6, 0.1)}
    early = diverged | {"train_accuracy": jump(2, 0.1, 1.0, 6)}
    tables = made(early, diverged | {"train_accuracy": np.full(6, 0.1)})
    rows = events(tables).set_index(["event", "key"]).loc["tau2_rise/tau1"]
    assert rows.index.tolist() == ["0000000000000000"]
    assert (rows["step"].iloc[0], rows["observed"].iloc[0]) == (10_000 / 200, False)
    assert rows["diverged"].iloc[0] == 500 / 200


def test_a_run_that_diverged_before_its_first_evaluation_counts() -> None:
    tables = diverging()
    gone = tables.cells.loc[tables.cells["state"] == "diverged", "key"].iloc[0]
    tables = replace(tables, curves=tables.curves[tables.curves["key"] != gone])
    table = timescales(events(tables), ["weight_decay"]).set_index(["weight_decay", "event"])
    assert table.loc[(0.3, "t_grok"), ["n", "reached", "share"]].tolist() == [5, 1, 0.2]
    assert table.loc[(0.3, "t_mem"), ["n", "reached"]].tolist() == [5, 4]


def test_a_diverged_run_of_a_smaller_budget_does_not_leave_the_others() -> None:
    """Two of four diverge with a budget of 100; the others have the event at 300 and 400: the
    median is not reached, though only they were followed so far."""
    runs = censored(100, 100, 300, 400).assign(budget=[100, 100, 500, 500], diverged=math.nan)
    runs.loc[2:, ["observed", "lower", "upper"]] = [[True, 290, 300], [True, 390, 400]]
    runs.loc[:1, ["state", "diverged"]] = ["diverged", 40]
    row = timescales(runs, ["weight_decay"]).iloc[0]
    assert (row["median"], row["incidence"]) == (math.inf, 0.5)


def test_incidence_beside_unfinished_runs() -> None:
    """One of four diverges at 10, one is interrupted at 20, two have the event at 30 and 40: 3/4,
    as `final_incidence` has it; a share is not told."""
    runs = censored(100, 20, 30, 40).assign(budget=100, diverged=math.nan)
    runs.loc[2:, ["observed", "lower", "upper"]] = [[True, 20, 30], [True, 30, 40]]
    runs["state"] = ["diverged", "interrupted", "done", "done"]
    runs.loc[0, "diverged"] = 10
    row = timescales(runs, ["weight_decay"]).iloc[0]
    assert row["incidence"] == pytest.approx(0.75) and math.isnan(row["share"])


def test_five_runs_have_a_range_at_its_exact_level() -> None:
    runs = censored(300, 310, 320, 330, 340)
    runs["observed"], runs["upper"] = True, runs["step"]
    shown = readable(timescales(runs, ["weight_decay"])).iloc[0]
    assert (shown["95 % interval"], shown["range (level)"]) == ("300 – ∞", "300 – 340 (93.8 %)")


def test_a_mean_up_to_a_horizon_before_every_event_is_not_shown() -> None:
    """An arm followed to 3,000 ends what the means of all arms are restricted to."""
    late = censored(4_000, 4_200, 4_400).assign(weight_decay=0.3, observed=True, upper=4_400.0)
    short = censored(3_000, 3_000).assign(budget=3_000, key=["a", "b"])
    table = timescales(pd.concat([late, short], ignore_index=True), ["weight_decay"])
    shown = readable(table)
    assert shown["median"].tolist() == ["4,200", "> 3,000 (2 runs)"]
    assert shown["mean [95 %]"].tolist() == ["–", "–"]
    assert table["mean_method"][0] == "none: no event before 3000"


def test_arms_are_named_with_as_many_digits_as_tell_them_apart() -> None:
    runs = pd.concat([censored(400, 400), censored(500).assign(weight_decay=0.1000000002, key="k")])
    shown = readable(timescales(runs, ["weight_decay"]))
    assert shown["weight_decay"].tolist() == ["0.1000000002", "0.1"]
    assert shown["reached"].tolist() == ["0/1", "0/2"]
