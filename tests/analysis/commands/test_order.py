"""order as a command: what it says, its width, its tables and which runs it leaves out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.commands.order import WIDTH, narrowed, readable, titled, words
from analysis.output.tables import table_text
from analysis.times.order import summary
from analysis.times.timescales import events
from tests.helpers.made_curves import ENTROPY, TEST, jump, made
from tests.helpers.made_runs import write_run

STEM = "order_test_accuracy_collapse_rnc1"


def test_what_turns_first_is_said_and_written(runs: Path, capsys) -> None:
    """Both curves jump at one evaluation: nothing is known, but of the run without either."""
    assert main(["order", str(runs), "--columns", "test_accuracy,collapse/rnc1"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[0] == (
        "test_accuracy turns before collapse/rnc1 in 0 of 6 runs; not known in 6."
    )
    arms = pd.read_csv(runs / "tables" / f"{STEM}.csv")
    assert arms["arm"].tolist() == [0.3, 0.1]
    assert arms["unknown"].tolist() == [3, 3] and arms["share"].isna().all()
    of_runs = pd.read_csv(runs / "tables" / f"{STEM}_runs.csv")
    assert len(of_runs) == 6 and set(of_runs["order"]) == {"not known"}
    assert (runs / "figures" / f"{STEM}.pdf").exists()
    assert "ratio" not in printed.err


def test_events_and_columns_together(runs: Path, capsys) -> None:
    for seed in range(3):
        write_run(runs, seed, 0.01, 300, state="diverged" if seed == 2 else "done")
    options = ["--event", "t_mem,test_accuracy>=0.9", "--columns", "collapse/rnc1"]
    assert main(["order", str(runs), *options]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()[:3]
    assert lines[0] == (
        "t_mem comes before test_accuracy>=0.9 in 9 of 9 runs; in 1 one of the two did not come "
        "within the budget."
    )
    # of the run that diverged the final value is not known, and never will be
    assert lines[1].startswith("t_mem comes before half(collapse/rnc1) in 9 of 9 runs; in 2 one")
    assert "note: 1 diverged" in printed.err
    assert (runs / "tables" / "order_t_mem_test_accuracy_ge_0_9_half_collapse_rnc1.tex").exists()


def test_one_command_needs_one_option(runs: Path, capsys) -> None:
    assert main(["order", str(runs)]) == 2
    assert "error: order: needs at least two events or columns, such as" in capsys.readouterr().err


def test_runs_without_training_accuracy(runs: Path, capsys) -> None:
    """Tables that another program wrote: the half is counted from the first value."""
    adopted = runs.parent / "adopted"
    assert main(["gather", str(runs), "--to", str(adopted)]) == 0
    curves = pd.read_parquet(adopted / "curves.parquet")
    curves.drop(columns="train_accuracy").to_parquet(adopted / "curves.parquet")
    options = ["order", str(adopted), "--columns", "test_accuracy,collapse/rnc1"]
    assert main(options) == 0
    assert (
        "note: 6 of 6 runs: half(collapse/rnc1) counted from the first value, without t_mem"
    ) in capsys.readouterr().err


@pytest.mark.parametrize("arms", [1, 25])
def test_tables_fit_the_screen(arms: int) -> None:
    draws = np.random.default_rng(0)
    runs = [
        {
            TEST: jump(9, 0.1, 0.9), ENTROPY: jump(int(draws.integers(7, 11)), 0.8, 0.2),
            "train_accuracy": np.ones(20), "weight_decay": 1.0 + arm / 7, "seed": seed,
            "step": np.arange(20) * 123_456, "state": "done",
        }
        for arm in range(arms) for seed in range(5)
    ]  # fmt: skip
    tables = made(*runs)
    names = [f"half({ENTROPY})", "tau2_half"]
    table, _ = summary(events(tables, names[:1]), names, ["weight_decay"], tables)
    titles = titled(names)
    table = table.assign(arm=[f"transformer, {arm}, [0.9, 0.999]" for arm in table["arm"]])
    table["runs"] += 1  # as of an event that a run may not have
    shown = readable(table, titles).drop(columns=["first", "second"])
    assert max(map(len, table_text(narrowed(shown)).splitlines())) <= WIDTH
    assert len(shown) == arms and len(words(table, titles)) == 1
