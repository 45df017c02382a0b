"""`python -m analysis` on a small folder: tables, figures, and one line for wrong input."""

from pathlib import Path

import matplotlib.image
import pandas as pd
import pytest

from analysis.__main__ import main
from grokpipe.store.manifest import record_asked
from tests.helpers.made_runs import write_run


def test_timescales_on_screen_and_in_three_formats(runs: Path, capsys) -> None:
    assert main(["timescales", str(runs)]) == 0
    screen = capsys.readouterr().out
    table = pd.read_csv(runs / "tables" / "timescales.csv")
    assert list(table)[:7] == [
        "weight_decay", "event", "n", "reached", "median", "lower", "upper"
    ]  # fmt: skip
    half = table[table["event"] == "tau2_half"].set_index("weight_decay")
    assert half.loc[0.3, ["n", "reached", "median"]].tolist() == [3, 3, 100]
    # one of three never groks: it counts, and the median is that of all three
    assert half.loc[0.1, ["n", "reached", "median"]].tolist() == [3, 2, 300]
    assert half.loc[0.1, ["mean", "horizon", "resolution"]].tolist() == pytest.approx(
        [300, 400, 100]
    )
    assert table["weight_decay"].is_monotonic_decreasing
    for text in (screen, (runs / "tables/timescales.md").read_text()):
        assert "2/3" in text
        assert "tau2_half" in text
    assert r"\begin{tabular}" in (runs / "tables/timescales.tex").read_text()


def test_events_of_each_run_with_interval_and_censoring(runs: Path) -> None:
    write_run(runs, 9, 0.3, 100, state=None)
    main(["timescales", str(runs)])
    events = pd.read_csv(runs / "tables" / "events.csv")
    row = events[(events["seed"] == 2) & (events["weight_decay"] == 0.1)]
    never = row[row["event"] == "tau2_rise"].iloc[0]
    assert (never["step"], never["observed"], never["upper"]) == (400, False, float("inf"))
    unfinished = events[(events["seed"] == 9) & (events["event"] == "tau2_half")].iloc[0]
    assert (unfinished["observed"], unfinished["state"]) == (False, "interrupted")
    crossed = events[(events["seed"] == 9) & (events["event"] == "tau_rnc1@0.1")].iloc[0]
    assert (crossed["lower"], crossed["upper"], crossed["budget"]) == (10, 100, 400)


def test_never_reached_is_a_bound_for_people_and_infinite_in_csv(runs: Path, capsys) -> None:
    main(["timescales", str(runs), "--event", "all", "--long"])
    table = pd.read_csv(runs / "tables" / "timescales_all_long.csv")
    assert table[table["event"] == "tau_rnc1@0.05"]["median"].tolist() == [float("inf")] * 2
    assert "> 400 (3 runs)" in capsys.readouterr().out


def test_a_task_shows_its_events_and_is_asked_for_others(runs: Path, capsys) -> None:
    def shown(stem: str, *options: str) -> list[str]:
        assert main(["timescales", str(runs), *options]) == 0
        table = pd.read_csv(runs / "tables" / f"{stem}.csv")
        return list(table["event"].unique())

    usual = ["tau1", "tau2_rise", "tau2_half", "tau2_arrive", "tau_rnc1@0.1"]
    assert shown("timescales") == usual
    assert "more events: --event all" in capsys.readouterr().out
    every = list(pd.read_csv(runs / "tables" / "events.csv")["event"].unique())
    assert shown("timescales_all", "--event", "all") == every
    assert set(usual) < set(every) and "t_grok_sustained" in every
    assert "more events" not in capsys.readouterr().out
    # in the order of all tables
    assert shown("timescales_t_grok_tau1", "--event", "t_grok,tau1") == ["tau1", "t_grok"]
    condition = "sustained(test_accuracy>=0.90, 2)"
    stem = "timescales_t_mem_sustained_test_accuracy_ge_0_9_2"
    assert shown(stem, "--event", f"t_mem, {condition}") == [
        "t_mem", "sustained(test_accuracy>=0.9, 2)"
    ]  # fmt: skip


def test_a_condition_has_the_times_of_the_name_that_means_the_same(runs: Path) -> None:
    names = "tau_rnc1@0.1,collapse/rnc1<=0.1,t_mem,train_accuracy>=0.99"
    assert main(["timescales", str(runs), "--event", names]) == 0
    stem = "collapse_rnc1_le_0_1_train_accuracy_ge_0_99"
    events = pd.read_csv(runs / "tables" / f"events_{stem}.csv").set_index("event")
    for name, condition in (names.split(",")[:2], names.split(",")[2:]):
        one, other = events.loc[name], events.loc[condition]
        assert len(one) == 6
        assert one.reset_index(drop=True).equals(other.reset_index(drop=True))
    # a column with a slash is no ratio of times: its steps have no decimals
    (table,) = (runs / "tables").glob("timescales_*.md")
    assert "100.00" not in table.read_text()


def test_the_events_of_a_task_of_its_own_are_all_that_papers_speak_of(runs: Path) -> None:
    for path in (runs / "cells").glob("*/config.yaml"):
        path.write_text(path.read_text().replace("name: mnist", "name: my_own"))
    assert main(["timescales", str(runs)]) == 0
    table = pd.read_csv(runs / "tables" / "timescales.csv")
    assert {"tau1", "tau2_half", "t_mem", "t_grok", "t_grok_sustained"} <= set(table["event"])


def test_by_any_column_and_a_note_when_groups_mix(runs: Path, capsys) -> None:
    assert main(["timescales", str(runs), "--by", "seed"]) == 0
    assert "weight_decay differs within the groups" in capsys.readouterr().err
    table = pd.read_csv(runs / "tables" / "timescales_by_seed.csv")
    assert sorted(set(table["seed"])) == [0, 1, 2]
    assert main(["timescales", str(runs), "--by", "weight_decay,seed"]) == 0


def test_figures_are_drawn_and_the_same_each_time(runs: Path) -> None:
    assert main(["figures", str(runs)]) == 0
    png, pdf = (runs / "figures" / f"collapse_weight_decay.{end}" for end in ("png", "pdf"))
    image = matplotlib.image.imread(png)
    assert image.shape[0] > 500
    assert image[..., :3].std() > 0.05  # something is on it
    first = png.read_bytes(), pdf.read_bytes()
    main(["figures", str(runs)])
    assert (png.read_bytes(), pdf.read_bytes()) == first


def test_figures_by_a_column_of_words(runs: Path) -> None:
    for path in (runs / "cells").glob("0300*/config.yaml"):
        path.write_text(path.read_text() + "loss: squared_error\n")
    for path in (runs / "cells").glob("0100*/config.yaml"):
        path.write_text(path.read_text() + "loss: cross_entropy\n")
    assert main(["figures", str(runs), "--by", "loss"]) == 0
    assert (runs / "figures" / "collapse_loss.png").exists()


def notes(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]


def test_figures_of_two_tasks_part_them(runs: Path, capsys) -> None:
    """Their tasks differ, and with them another column; nothing else says more."""
    for path in (runs / "cells").glob("*/config.yaml"):
        text = path.read_text()
        if "weight_decay: 0.3" in text:
            text = text.replace("name: mnist", "name: mod_add").replace(": 1000", ": 500")
        path.write_text(text.replace("weight_decay: 0.1", "weight_decay: 0.3"))
    assert main(["figures", str(runs)]) == 0
    assert notes(capsys) == ["note: no run has a value of spectral/entropy_train: no panel"]
    assert (runs / "figures" / "collapse_task_name.png").exists()
    # what was swept beside the task parts the runs too
    for path in sorted((runs / "cells").glob("*/config.yaml"))[::2]:
        path.write_text(path.read_text() + "lr: 0.5\n")
    (runs / "cells.parquet" / "_index.json").unlink()  # so that they are read again
    assert main(["figures", str(runs)]) == 0
    assert (runs / "figures" / "collapse_task_name_lr.png").exists()


def test_figures_count_what_they_do_not_draw(runs: Path, tmp_path: Path, capsys) -> None:
    to = tmp_path / "tables"
    assert main(["gather", str(runs), "--to", str(to)]) == 0
    curves = pd.read_parquet(to / "curves.parquet")
    keys = sorted(curves["key"].unique())
    curves = curves[curves["key"] != keys[0]]  # no evaluation
    late = curves["step"] > 0
    curves.loc[late & (curves["key"] == keys[1]), "collapse/rnc1"] = float("nan")
    curves = curves[~late | (curves["key"] != keys[2])]  # none but that of step 0
    curves.drop(columns="collapse/nc2_cond").to_parquet(to / "curves.parquet")
    capsys.readouterr()
    assert main(["figures", str(to)]) == 0
    assert notes(capsys) == [
        "note: no run has a value of collapse/nc2_cond, spectral/entropy_train: no panel",
        "note: 1 of 6 runs have no evaluation yet: they are not drawn",
        "note: 1 of 6 runs have no value to draw after step 0 of train_accuracy, test_accuracy",
        "note: 2 of 6 runs have no value to draw after step 0 of collapse/rnc1",
    ]
    only = ["key", "step", "seed", "weight_decay"]
    curves[only].to_parquet(to / "curves.parquet")
    assert main(["figures", str(to)]) == 2
    assert "nothing to draw; no run has a value after step 0" in capsys.readouterr().err
    curves[only].assign(words="w", own=1.0).to_parquet(to / "curves.parquet")
    assert main(["figures", str(to)]) == 0  # what there is
    assert "no panel" not in capsys.readouterr().err


def test_figures_of_chosen_columns(runs: Path, capsys) -> None:
    columns = ["--columns", "collapse/rnc1, test_accuracy"]
    assert main(["figures", str(runs), *columns]) == 0
    assert main(["figures", str(runs), *columns, "--runs", "--linear"]) == 0
    assert notes(capsys) == []
    names = {path.name for path in (runs / "figures").glob("*.png")}
    stem = "curves_collapse_rnc1_test_accuracy_weight_decay"
    assert names == {f"{stem}.png", f"{stem}_runs_linear.png"}


def sweep(runs: Path, **values: list[str]) -> None:
    """Give the runs, in the order of their keys, the values of further columns."""
    for at, path in enumerate(sorted((runs / "cells").glob("*/config.yaml"))):
        lines = [f"{name}: {one[at]}\n" for name, one in values.items()]
        path.write_text(path.read_text() + "".join(lines))


def test_figures_of_a_sweep_of_two_columns(runs: Path) -> None:
    """The column of more values has the colours."""
    sweep(runs, lr="0.1 0.2 0.3 0.1 0.2 0.3".split())
    assert main(["figures", str(runs)]) == 0
    assert (runs / "figures" / "collapse_lr_weight_decay.png").exists()


def test_figures_of_a_sweep_of_three_columns(runs: Path, capsys) -> None:
    sweep(runs, lr="0.1 0.2 0.1 0.2 0.1 0.2".split(), batch_size="10 10 20 20 10 10".split())
    assert main(["figures", str(runs)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "swept were weight_decay (2 values), lr (2 values)" in error
    assert "batch_size (2 values); choose one or two with --by weight_decay,lr" in error
    assert (
        main(["figures", str(runs), "--by", "weight_decay,lr", "--columns", "test_accuracy"]) == 0
    )
    assert "batch_size differs within the arms" in capsys.readouterr().err
    assert main(["figures", str(runs), "--by", "weight_decay,lr,batch_size"]) == 2
    assert "a figure shows one column or two" in capsys.readouterr().err


def test_gather_to_reference_tables_and_back(runs: Path, tmp_path: Path, capsys) -> None:
    assert main(["gather", str(runs), "--to", str(tmp_path / "reference")]) == 0
    assert "6 new" in capsys.readouterr().out
    assert main(["timescales", str(tmp_path / "reference")]) == 0
    main(["timescales", str(runs)])
    ours, theirs = (p / "tables/timescales.csv" for p in (tmp_path / "reference", runs))
    assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["timescales", "nowhere"], ["nowhere", "no such folder"]),
        (["timescales", "."], ["neither run logs"]),
        (["timescales", "runs", "--by", "weigth"], ["--by weigth", "weight_decay"]),
        (
            ["figures", "runs", "--by", "steps"],
            ["--by steps: all runs are 400", "weight_decay"],
        ),
        (
            ["figures", "runs", "--columns", "colapse/rnc1"],
            ["--columns colapse/rnc1: no run logged it; nearest: collapse/rnc1; valid: train_"],
        ),
        (["figures", "runs", "--columns", "test_accuracy,"], ["--columns : no run logged it"]),
        (["figures", "runs", "--columns", "seed"], ["--columns seed: no run logged it"]),
        (["gather", "empty"], ["no run log"]),
        (["timescales", "runs", "--event", "tau9"], ["--event tau9: no such event", "tau2_half"]),
        (
            ["timescales", "runs", "--event", "test_accuracy>>1"],
            ["not a condition", "column>=number"],
        ),
        (["timescales", "runs", "--event", "sustained(x>=1"], ["not a condition", "sustained("]),
        (
            ["timescales", "runs", "--event", "rnc1<=0.1"],
            ["no run has a column rnc1", "collapse/rnc1"],
        ),
        (["timescales", "runs", "--event", "seed>=1"], ["no run has a column seed"]),
        (["timescales", "runs", "--event", "all,tau1"], ["all stands alone"]),
        (["timescales", "runs", "--event", "tau1,"], ["no such event"]),
        (
            ["timescales", "runs", "--event", "t_collapse"],
            [
                "--event t_collapse: no run has it: no run has a column spectral/entropy_train",
                "tau1",
            ],
        ),
    ],
)
def test_wrong_input_is_one_line(
    runs: Path, arguments, parts, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(runs.parent)
    (runs.parent / "empty" / "cells").mkdir(parents=True)
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    for part in parts:
        assert part in printed.err


@pytest.mark.parametrize("name", ["cells.parquet", "curves.parquet"])
def test_a_truncated_table_is_one_line(runs: Path, tmp_path: Path, capsys, name: str) -> None:
    to = tmp_path / "reference"
    assert main(["gather", str(runs), "--to", str(to)]) == 0
    content = (to / name).read_bytes()
    (to / name).write_bytes(content[: len(content) // 2])
    capsys.readouterr()
    assert main(["timescales", str(to)]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"error: {to / name}: not readable as parquet (")
    assert printed.count("\n") == 1


def test_gather_counts_rows_without_reading_the_curves(runs: Path, capsys) -> None:
    main(["gather", str(runs)])
    capsys.readouterr()
    part = runs / "curves.parquet" / "part-000000.parquet"
    content = part.read_bytes()
    part.write_bytes(b"\0" * 1000 + content[1000:])  # the counts stand at the end of the file
    write_run(runs, 7, 0.1, 200)
    assert main(["gather", str(runs)]) == 0
    told = capsys.readouterr().out
    assert "1 new, 6 gathered before" in told
    assert f"curves.parquet: {7 * 7} rows" in told
    assert "cells.parquet: 7 rows" in told


def test_gather_notes_what_is_mixed(runs: Path, capsys) -> None:
    path = runs / "cells" / "0300000000000000" / "provenance.json"
    path.write_text(path.read_text().replace("c0ffee", "beef"))
    main(["gather", str(runs)])
    assert "trained at 2 commits" in capsys.readouterr().err


def test_gather_only_what_an_experiment_asked_for(runs: Path, tmp_path: Path, capsys) -> None:
    keys = ["0100000000000001", "0300000000000000"]
    record_asked(runs, [{"key": key, "experiment": "demo", "seed": 0} for key in keys])
    to = tmp_path / "demo"
    assert main(["gather", str(runs), "--experiment", "demo", "--to", str(to)]) == 0
    assert f"{to}/cells.parquet: 2 rows" in capsys.readouterr().out
    assert pd.read_parquet(to / "cells.parquet")["key"].tolist() == keys
    assert set(pd.read_parquet(to / "curves.parquet")["key"]) == set(keys)
    assert main(["gather", str(runs), "--experiment", "dmo", "--to", str(to)]) == 2
    assert "valid: demo" in capsys.readouterr().err
