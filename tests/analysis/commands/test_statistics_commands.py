"""compare and fit as commands: tables, figures; one line for wrong input."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.figures import power_law
from tests.helpers.made_runs import write_run
from tests.helpers.written import names

pytestmark = pytest.mark.usefixtures("few_resamples")

OF_DECAYS = "_by_weight_decay_baseline_0_3"
"""the end of the names of what compare writes of the two decays"""


def test_compare_prints_writes_and_draws(runs: Path, capsys) -> None:
    command = ["compare", str(runs), "--event", "tau2_half", "--by", "weight_decay"]
    assert main([*command, "--baseline", "0.3"]) == 0
    screen = capsys.readouterr().out
    table = pd.read_csv(runs / "tables" / f"compare_tau2_half{OF_DECAYS}.csv")
    assert table["arm"].tolist() == [0.3, 0.1]
    assert table["reached"].tolist() == [3, 2]
    # seeds 0, 1, 2: 200 − 100, 300 − 100, 400 (censored) − 200, to a horizon of 400
    assert table["difference"][1] == pytest.approx(500 / 3)
    assert "p (log-rank)" in screen
    assert "2/3" in screen
    tests = pd.read_csv(runs / "tables" / f"compare_tau2_half{OF_DECAYS}_tests.csv")
    assert len(tests) == 6
    assert names(runs / "figures") == {
        f"{name}.{ending}"
        for name in ("survival_tau2_half_by_weight_decay", f"differences_tau2_half{OF_DECAYS}")
        for ending in ("pdf", "png")
    }
    assert r"\begin{tabular}" in (runs / "tables" / f"compare_tau2_half{OF_DECAYS}.tex").read_text()
    assert (runs / "tables" / f"compare_tau2_half{OF_DECAYS}.why.json").exists()


def test_compare_prints_all_of_it_if_asked(runs: Path, capsys) -> None:
    command = ["compare", str(runs), "--event", "tau2_half", "--by", "weight_decay"]
    assert main([*command, "--baseline", "0.3"]) == 0
    written = names(runs / "tables") | names(runs / "figures")
    short = capsys.readouterr().out.split("written:")[0]
    assert main([*command, "--baseline", "0.3", "--long"]) == 0
    long = capsys.readouterr().out.split("written:")[0]
    assert names(runs / "tables") | names(runs / "figures") == written
    for told in ("share [95 %]", "Cliff's δ", "Mann–Whitney"):
        assert told in long and told not in short
    assert max(map(len, short.splitlines())) <= 100


def test_compare_is_the_same_each_time(runs: Path) -> None:
    command = ["compare", str(runs), "--event", "tau2_half", "--by", "weight_decay"]
    main([*command, "--baseline", "0.3"])
    files = [*(runs / "tables").iterdir(), *(runs / "figures").iterdir()]
    first = {path: path.read_bytes() for path in files}
    main([*command, "--baseline", "0.3"])
    assert {path: path.read_bytes() for path in files} == first


def test_compare_by_a_group_and_with_a_margin(runs: Path, capsys) -> None:
    command = ["compare", str(runs), "--event", "tau2_half", "--by", "task", "--baseline", "mnist"]
    assert main(command) == 2
    assert "all runs are mnist" in capsys.readouterr().err
    command = ["compare", str(runs), "--event", "tau2_half", "--by", "weight_decay"]
    assert main([*command, "--baseline", "0.3", "--margin", "10%"]) == 0
    assert "in ±13" in capsys.readouterr().out  # a tenth of 400/3


def test_compare_with_conditions(runs: Path) -> None:
    command = ["compare", str(runs), "--by", "weight_decay", "--baseline", "0.3", "--event"]
    assert main([*command, "test_accuracy>=0.9,sustained(test_accuracy>=0.9, 2)"]) == 0
    stem = "test_accuracy_ge_0_9_sustained_test_accuracy_ge_0_9_2"
    table = pd.read_csv(runs / "tables" / f"compare_{stem}{OF_DECAYS}.csv")
    assert table.loc[table["event"] == "test_accuracy>=0.9", "reached"].tolist() == [3, 2]
    assert main([*command, "tau2_half"]) == 0
    assert names(runs / "figures") == {
        f"{name}.{end}" for end in ("pdf", "png") for name in (
            "survival_test_accuracy_ge_0_9_by_weight_decay", f"differences_{stem}{OF_DECAYS}",
            "survival_sustained_test_accuracy_ge_0_9_2_by_weight_decay",
            "survival_tau2_half_by_weight_decay", f"differences_tau2_half{OF_DECAYS}",
        )
    }  # fmt: skip
    # the accuracy jumps from 0.1 to 0.9, so that the half-change is the crossing
    named = pd.read_csv(runs / "tables" / f"compare_tau2_half{OF_DECAYS}.csv")
    same = table[table["event"] == "test_accuracy>=0.9"]
    others = ["event", "p_holm"]  # which is over two events there, over one here
    assert named.drop(columns=others).equals(same.drop(columns=others).reset_index(drop=True))


def test_fit_and_forecast_with_a_condition(runs: Path, grokking: Path, capsys) -> None:
    for seed in range(3):
        write_run(runs, seed, 0.01, 400)
    condition = "sustained(collapse/rnc1<=0.1, 2)"
    assert main(["fit", str(runs), "--event", f"tau_rnc1@0.1,{condition}"]) == 0
    stem = "fit_weight_decay_tau_rnc1_0_1_sustained_collapse_rnc1_le_0_1_2"
    table = pd.read_csv(runs / "tables" / f"{stem}.csv").set_index("event")
    assert table.loc["tau_rnc1@0.1", "observed"] == 8
    assert table.loc[condition, "observed"] == 5  # the last evaluation has none after it
    assert main(["forecast", str(grokking), "--event", "test_accuracy > 0.5"]) == 0
    errors = pd.read_csv(grokking / "tables" / "forecast_errors_test_accuracy_gt_0_5.csv")
    assert main(["forecast", str(grokking)]) == 0
    assert errors.equals(pd.read_csv(grokking / "tables" / "forecast_errors_t_grok.csv"))


def test_compare_tests_a_trend_over_three_arms(runs: Path, capsys) -> None:
    for seed in range(3):
        write_run(runs, seed, 0.01, 400)
    command = ["compare", str(runs), "--event", "tau2_rise", "--by", "weight_decay"]
    assert main([*command, "--baseline", "0.3"]) == 0
    screen = capsys.readouterr().out
    assert "trend of tau2_rise along 0.3 → 0.1 → 0.01: Jonckheere" in screen
    assert "later along the arms" in screen
    tests = pd.read_csv(runs / "tables" / f"compare_tau2_rise{OF_DECAYS}_tests.csv")
    row = tests[tests["name"] == "Jonckheere"].iloc[0]
    assert (row["arm"], row["direction"]) == ("0.3 → 0.1 → 0.01", "later")
    assert 0 < row["p"] == row["p_holm"] < 1
    command[3] = "tau_rnc1@0.01"  # which no run has
    assert main([*command, "--baseline", "0.3"]) == 0
    screen = capsys.readouterr().out
    assert "along 0.3 → 0.1 → 0.01: not tested: no two runs are known to differ" in screen
    assert "nan" not in screen


def never_groks_alone(folder: Path) -> None:
    """In the arm of 3000 none but seed 0 groks: it has no t_cross, which its others have."""
    curves = pd.read_parquet(folder / "curves.parquet")
    curves.loc[curves["key"].isin(["30001", "30002", "30003"]), "test_accuracy"] = 0.01
    curves.to_parquet(folder / "curves.parquet")


def test_runs_without_an_event_are_told_of_and_counted(grokking: Path, capsys) -> None:
    never_groks_alone(grokking)
    assert main(["timescales", str(grokking)]) == 0
    told = "note: 1 of 4 runs of [0.9, 0.999] are without t_cross: no other seed of the arm grokked"
    printed = capsys.readouterr()
    assert told in printed.err
    assert "0/3 of 4" in printed.out or "3/3 of 4" in printed.out
    table = pd.read_csv(grokking / "tables" / "timescales.csv")
    of_cross = table[table["event"] == "t_cross"].set_index("optimizer.betas")
    assert of_cross.loc["[0.9, 0.999]", ["n", "runs"]].tolist() == [3, 4]
    command = ["compare", str(grokking), "--event", "t_cross", "--by", "optimizer.betas"]
    assert main([*command, "--baseline", "[0.9, 0.98]"]) == 0
    assert told in capsys.readouterr().err
    assert (
        "/3 of 4"
        in (grokking / "tables/compare_t_cross_by_optimizer_betas_baseline_0_9_0_98.md").read_text()
    )


def test_an_arm_without_the_event_is_no_unknown_arm(grokking: Path, capsys) -> None:
    curves = pd.read_parquet(grokking / "curves.parquet")
    curves.loc[curves["key"].str.startswith("3000"), "test_accuracy"] = 0.01
    curves.to_parquet(grokking / "curves.parquet")
    command = ["compare", str(grokking), "--event", "t_cross", "--by", "optimizer.betas"]
    assert main([*command, "--baseline", "[0.9, 0.999]"]) == 2
    assert "none of its 4 runs has t_cross: no other seed" in capsys.readouterr().err
    assert main(["timescales", str(grokking)]) == 0
    table = pd.read_csv(grokking / "tables" / "timescales.csv")
    row = table[table["event"] == "t_cross"].set_index("optimizer.betas").loc["[0.9, 0.999]"]
    assert row[["n", "reached", "runs"]].tolist() == [0, 0, 4]
    assert row[["median", "lower", "mean"]].isna().all()
    curves["test_accuracy"] = 0.01
    curves.to_parquet(grokking / "curves.parquet")
    assert main([*command, "--baseline", "[0.9, 0.98]"]) == 2
    assert "--event t_cross: no run has it: no other seed" in capsys.readouterr().err


def test_runs_without_a_value_stay_in_every_command(grokking: Path, capsys) -> None:
    cells = pd.read_parquet(grokking / "cells.parquet")
    cells["intervention.beta"] = np.where(cells["optimizer.betas"] == "[0.9, 0.98]", np.nan, 0.3)
    cells.to_parquet(grokking / "cells.parquet")
    curves = pd.read_parquet(grokking / "curves.parquet")
    curves["collapse/rnc1"] = curves["collapse/nc2_cond"] = 1.0
    curves["intervention.beta"] = curves["key"].map(cells.set_index("key")["intervention.beta"])
    curves.to_parquet(grokking / "curves.parquet")
    by = ["--by", "intervention.beta"]
    assert main(["compare", str(grokking), "--event", "t_grok", *by, "--baseline", "none"]) == 0
    table = pd.read_csv(grokking / "tables/compare_t_grok_by_intervention_beta_baseline_none.csv")
    assert table["n"].tolist() == [4, 4]
    assert main(["timescales", str(grokking), *by]) == 0
    shown = (grokking / "tables/timescales_by_intervention_beta.md").read_text()
    assert "nan" not in shown and "| –" in shown
    capsys.readouterr()
    assert main(["figures", str(grokking), *by]) == 0
    assert "4 runs have no intervention.beta: they are not drawn" in capsys.readouterr().err
    assert main(["fit", str(grokking), "--against", "intervention.beta"]) == 2
    assert "intervention.beta: not finite in" in capsys.readouterr().err


@pytest.mark.filterwarnings("error::FutureWarning")
def test_fit_prints_writes_and_draws(runs: Path, capsys) -> None:
    for seed in range(3):
        write_run(runs, seed, 0.01, 400 if seed else 9999)
    assert main(["fit", str(runs), "--event", "tau_rnc1@0.1,tau_rnc1@0.01"]) == 0
    screen = capsys.readouterr().out
    assert "observed in 0 of 9 runs" in screen
    stem = "fit_weight_decay_tau_rnc1_0_1_tau_rnc1_0_01"
    table = pd.read_csv(runs / "tables" / f"{stem}.csv").set_index("event")
    row = table.loc["tau_rnc1@0.1"]
    assert 0 < row["lower"] < row["k"] < row["upper"]
    assert row["observed"] == 7
    assert names(runs / "figures") == {
        "fit_tau_rnc1_0_1_weight_decay.pdf", "fit_tau_rnc1_0_1_weight_decay.png"
    }  # fmt: skip


@pytest.mark.filterwarnings("error")
def test_fit_of_nothing_fails_with_the_reasons(runs: Path, capsys) -> None:
    assert main(["fit", str(runs), "--event", "tau_rnc1@0.05,tau_rnc1@0.01"]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: nothing can be fitted: tau_rnc1@0.05: observed in 0 of 6")
    assert "tau_rnc1@0.01: observed in 0 of 6 runs" in printed.err
    assert printed.err.count("\n") == 1
    assert not (runs / "tables").exists()


def test_a_power_law_counts_the_runs_that_it_does_not_draw() -> None:
    events = pd.DataFrame(
        {"weight_decay": [0.1, 0.0, np.nan, 0.3, 0.3], "lr": [1, 1, 1, np.nan, 1.0],
         "upper": [5, 5, 5, 5, 0.0]}
    )  # fmt: skip
    assert power_law.not_drawn(events, ["weight_decay", "lr"]).tolist() == [False, *[True] * 4]
    assert power_law.not_drawn(events, ["weight_decay"]).tolist() == [
        False, True, True, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ("compare --event tau9 --by weight_decay --baseline 0.3", ["--event tau9", "tau2_half"]),
        ("compare --event tau1 --by decay --baseline 0.3", ["--by decay", "weight_decay"]),
        ("compare --event tau1 --by weight_decay --baseline 3", ["--baseline 3", "0.3 | 0.1"]),
        ("compare --event tau1 --by weight_decay --baseline 0.3 --test t", ["--test t", "sign"]),
        (
            "compare --event tau1 --by weight_decay --baseline 0.3 --margin -5",
            ["--margin -5", "positive"],
        ),
        ("fit --against lr", ["lr", "no such column", "weight_decay"]),
        ("fit --against task", ["task.name", "numbers"]),
        ("fit --event tau9", ["--event tau9", "tau2_half"]),
        ("fit --event rnc1>=1", ["--event rnc1>=1: no run has a column rnc1", "collapse/rnc1"]),
        ("forecast --event x==1", ["--event x==1: not a condition", "sustained(column>="]),
        (
            "compare --event sustained(tau1,2) --by weight_decay --baseline 0.3",
            ["--event sustained(tau1,2): not a condition"],
        ),
        ("forecast", ["spectral/entropy_train", "no such measure", "collapse/rnc1"]),
        ("forecast --event tau1,t_mem --predictor collapse/rnc1", ["name one of them"]),
        ("forecast --tolerance 2", ["--tolerance 2", "between 0 and 1"]),
        ("synchrony --second collapse/rnc", ["collapse/rnc", "collapse/rnc1"]),
        ("forecast --predictor collapse/rnc1", ["t_grok was not observed in 3 of 3"]),
    ],
)  # fmt: skip
def test_wrong_input_is_one_line(
    runs: Path, arguments: str, parts: list[str], monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(runs.parent)
    command, *options = arguments.split()
    assert main([command, "runs", *options]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    for part in parts:
        assert part in errors[0]


def test_fit_leaves_out_runs_without_a_logarithm(
    grokking: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = pd.read_parquet(grokking / "cells.parquet")
    decay = cells["optimizer.betas"].map({"[0.9, 0.98]": 0.1, "[0.9, 0.999]": 0.3})
    cells["weight_decay"] = decay.where(cells["seed"] > 0, 0.0)
    cells.to_parquet(grokking / "cells.parquet")
    assert main(["fit", str(grokking), "--event", "t_grok"]) == 0
    printed = capsys.readouterr()
    assert "note: 2 of 8 runs are left out: weight_decay=0 has no logarithm" in printed.err
    table = pd.read_csv(grokking / "tables" / "fit_weight_decay_t_grok.csv")
    assert table[["n", "observed", "min"]].iloc[0].tolist() == [6, 5, 0.1]


def test_compare_says_what_holm_cannot_reach(
    grokking: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four against four: 2/70, of two events."""
    command = ["compare", str(grokking), "--event", "t_grok,t_cross", "--by", "optimizer.betas"]
    assert main([*command, "--baseline", "[0.9,0.98]", "--test", "Mann–Whitney"]) == 0
    assert "2 rows × 0.029, the least p of an exact Mann–Whitney" in capsys.readouterr().err
