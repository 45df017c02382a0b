"""Which runs commands read: each trajectory once, those of --where, and never pooled for a test."""

from pathlib import Path

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.figures import style
from grokpipe.store import manifest
from tests.helpers import foreign_tables, made_runs

COMPARE = ("--event", "t_grok", "--by", "weight_decay", "--baseline", "0.3")
COMPARED = "t_grok_by_weight_decay_baseline_0_3"
WITHIN = "t_grok_by_weight_decay_within_lr_baseline_0_3"
"""of names of files"""


pytestmark = pytest.mark.usefixtures("few_resamples")


def write(folder: Path, **columns: tuple[object, object]) -> Path:
    """The ten runs of `foreign_tables` at each of two values of a column."""
    ((name, values),) = columns.items()
    several = [
        foreign_tables.cells().assign(**{name: value, "lr": 0.001} | ({name: value}))
        for value in values
    ]
    for number, cells in enumerate(several):
        cells["key"] = [f"{number}{key[1:]}" for key in cells["key"]]
        cells["trained_steps"] = cells["steps"]
    cells = pd.concat(several, ignore_index=True)
    curves = foreign_tables.curves(cells)
    budget = curves["key"].map(cells.set_index("key")["steps"])
    folder.mkdir()
    cells.to_parquet(folder / "cells.parquet", index=False)
    curves[curves["step"] <= budget].to_parquet(folder / "curves.parquet", index=False)
    return folder


@pytest.fixture
def lengths(tmp_path: Path) -> Path:
    """The same cells at two budgets."""
    return write(tmp_path / "lengths", steps=(600, 1000))


@pytest.fixture
def rates(tmp_path: Path) -> Path:
    """The same cells at two rates."""
    return write(tmp_path / "rates", lr=(0.001, 0.003))


def test_five_seeds_at_two_budgets_are_five_runs(lengths: Path, capsys, monkeypatch) -> None:
    """20 runs at two budgets: p is 2/252, that of five against five, not 1e-05."""
    monkeypatch.setattr(style, "save", lambda *figure: [])  # figures are looked at elsewhere
    assert main(["compare", str(lengths), *COMPARE]) == 0
    said = capsys.readouterr().err
    assert said.count("note: 20 runs are 10 trajectories, as some differ only in steps: ") == 1
    assert "stands for all (steps=1000)" in said
    table = pd.read_csv(lengths / f"tables/compare_{COMPARED}.csv")
    assert table["n"].tolist() == table["runs"].tolist() == [5, 5]
    assert table["budget"].tolist() == [1000, 1000]
    assert table["p"][1] == pytest.approx(foreign_tables.P)
    assert main(["timescales", str(lengths), "--where", "steps=600", "--event", "t_grok"]) == 0
    events = pd.read_csv(lengths / "tables/events_where_steps_600.csv").set_index("event")
    assert events.loc["t_grok", "budget"].unique().tolist() == [600]
    assert "note: --where steps=600: 10 of 20 runs" in capsys.readouterr().err


def test_gather_keeps_all_runs_and_those_of_where(lengths: Path, tmp_path: Path, capsys) -> None:
    for extra, rows in (((), 20), (("--where", "steps=600,seed<2"), 4)):
        assert main(["gather", str(lengths), "--to", str(tmp_path / f"all{rows}"), *extra]) == 0
        assert len(pd.read_parquet(tmp_path / f"all{rows}" / "cells.parquet")) == rows
    assert main(["gather", str(lengths), "--where", "steps=600"]) == 2
    assert "--where steps=600: needs --to" in capsys.readouterr().err


def test_runs_that_differ_in_a_swept_column_are_no_repetitions(rates: Path, capsys) -> None:
    assert main(["compare", str(rates), *COMPARE]) == 2
    assert capsys.readouterr().err == (
        "error: --by weight_decay: a group mixes runs that differ in lr: 0.001, 0.003; part them by"
        " --by weight_decay,lr, or choose by --where 'lr=0.001', or compare --within lr\n"
    )
    for command in (["fit", "--against", "weight_decay"], ["synchrony", "--by", "weight_decay"]):
        assert main([command[0], str(rates), *command[1:]]) == 2
        refused = capsys.readouterr().err
        assert "a group mixes runs that differ in lr: 0.001, 0.003; part them by" in refused
    assert main(["timescales", str(rates), "--by", "weight_decay"]) == 0  # which tests nothing
    assert "note: lr differs within the groups" in capsys.readouterr().err


def test_columns_that_follow_from_another_are_not_asked_for(tmp_path: Path, capsys) -> None:
    """An intervention's own keys, or all that a task brings along, filled three lines."""
    arms = write(tmp_path / "arms", **{"intervention.name": ("none", "mixing")})
    cells = pd.read_parquet(arms / "cells.parquet")
    own = cells["intervention.name"].map({"none": None, "mixing": 0.1})
    cells.assign(**{"intervention.alpha": own}).to_parquet(arms / "cells.parquet", index=False)
    assert main(["compare", str(arms), *COMPARE]) == 2
    assert capsys.readouterr().err == (
        "error: --by weight_decay: a group mixes runs that differ in intervention.name: "
        "mixing, none; part them by --by weight_decay,intervention.name, or choose by "
        "--where 'intervention.name=none', or compare --within intervention.name\n"
    )


def test_compare_within_has_a_table_of_all_strata_and_one_of_each(rates: Path, capsys) -> None:
    assert main(["compare", str(rates), *COMPARE, "--within", "lr"]) == 0
    shown = capsys.readouterr().out
    assert "p (log-rank within lr)" in shown and "lr=0.003 (Holm: over all strata)" in shown
    tables = rates / "tables"
    combined = pd.read_csv(tables / f"compare_{WITHIN}.csv").set_index("arm")
    assert combined.loc[0.1, ["strata", "n", "reached"]].tolist() == [2, 10, 10]
    assert combined.loc[0.1, "p"] == pytest.approx(2 / 252**2)  # of 252 labellings in each stratum
    assert combined.loc[0.1, "difference"] == pytest.approx(200)
    strata = pd.read_csv(tables / f"compare_{WITHIN}_strata.csv")
    assert strata.groupby("lr")["n"].sum().to_dict() == {0.001: 10, 0.003: 10}
    assert (rates / f"figures/differences_{WITHIN}.png").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("weight_decay", "--within weight_decay: weight_decay makes the arms (--by)"),
        ("steps", "--within steps: steps is 1000 in all runs"),
        ("rate", "--within rate: no such column"),
    ],
)
def test_wrong_strata_are_one_line(rates: Path, capsys, given: str, said: str) -> None:
    assert main(["compare", str(rates), *COMPARE, "--within", given]) == 2
    refused = capsys.readouterr().err
    assert said in refused and refused.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        "timescales {}", "compare {} --event t_grok --by weight_decay --baseline 0.3", "fit {}",
        "forecast {} --predictor collapse/rnc1", "synchrony {}", "figures {}",
        "gather {} --to new", "report entropy --runs {} --to new", "status {}",
    ],
)  # fmt: skip
def test_every_command_reads_the_runs_that_are_asked_for(
    rates: Path, tmp_path: Path, capsys, command: str
) -> None:
    folder = rates
    if command.startswith("status"):
        folder = tmp_path / "logs"
        made_runs.ask(folder, [made_runs.key(0.3, 1)])
    if command.startswith("report"):
        folder = tmp_path / "runs"
        (folder / "e1_baseline").parent.mkdir()
        rates.rename(folder / "e1_baseline")
    words = command.format(folder).replace("new", str(tmp_path / "new")).split()
    wrong = [("seed=77", "no run"), ("sed=7", "no such column"), ("seed", "not a condition")]
    for where, said in wrong[: 1 if command.startswith("report") else 3]:  # a second to read
        assert main([*words, "--where", where]) == 2
        refused = capsys.readouterr().err.splitlines()[-1]
        assert f"--where {where}: " in refused and said in refused
    assert not (tmp_path / "new").exists()


def test_status_counts_the_cells_of_where_by_a_group(tmp_path: Path, capsys) -> None:
    keys = [made_runs.key(decay, seed) for decay in (0.3, 0.1) for seed in range(3)]
    made_runs.ask(tmp_path, keys, **{"task.name": "mnist", "optimizer.betas": "[0.9, 0.98]"})
    made_runs.write_run(tmp_path, 0, 0.3, 100)
    where = "weight_decay=0.30,optimizer.betas=[0.9,0.98]"
    assert main(["status", str(tmp_path), "--where", where, "--by", "task,task"]) == 0
    shown = capsys.readouterr().out
    assert f"3 cells: 2 missing, 1 done\n--where {where}: 3 of 6 cells" in shown
    assert "task.name" in shown and "mnist" in shown
    assert main(["status", str(tmp_path), "--where", "state=done", "--json"]) == 0
    assert '"total": 1' in capsys.readouterr().out
    assert manifest.cells_folder(tmp_path).is_dir()
