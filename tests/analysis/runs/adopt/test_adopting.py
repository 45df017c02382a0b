"""Logs in every form give the curves that were logged, and what does not fit is refused."""

import gzip
import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from analysis.runs.adopt import guesses, mapping, summary
from analysis.runs.adopt.mapping import Map
from grokpipe.store.event_files import EventFile
from tests.helpers import foreign_logs, foreign_tables
from tests.helpers.adopted import adopted, written


@pytest.mark.parametrize("form", foreign_logs.FORMS)
def test_every_form_gives_the_same_curves(form: str, tmp_path: Path) -> None:
    write, text = foreign_logs.FORMS[form]
    tables = adopted(write(tmp_path), text).tables
    got = tables.spread(["weight_decay", "seed"]).curves
    cells = foreign_tables.cells()[["key", "weight_decay", "seed"]]
    expected = foreign_tables.curves().merge(cells, on="key")
    order = ["weight_decay", "seed", "step"]
    names = list(expected.columns.drop("key"))
    got = got.sort_values(order, ignore_index=True)[names]
    expected = expected.sort_values(order, ignore_index=True)[names]
    # event files hold float32
    exact = {"rtol": 1e-6} if form == "tensorboard" else {"check_exact": form != "charts of W&B"}
    pd.testing.assert_frame_equal(got, expected, check_dtype=False, **exact)
    assert set(tables.configuration) == {"weight_decay", "seed", "steps"}
    assert set(tables.cells["steps"]) == {1000}
    assert set(tables.cells["state"]) == {"done"}


def test_the_map_names_columns_and_gives_what_they_lack(tmp_path: Path) -> None:
    path = written(
        tmp_path, "t,who,percent,junk\n0,a,10,1\n1,a,99.5,2\n2,a,100,3\n0,b,9,1\n1,b,10,2\n"
    )
    found = adopted(path, """
        columns: {step: t, run: who, test_accuracy: percent}
        scale: {step: 100, test_accuracy: 0.01}
        fixed: {task.name: mod_add, classes: 97, steps: 500}
        runs: {b: {state: diverged, seed: 7}, a: {seed: 3}}
        ignore: [junk]
    """)  # fmt: skip
    curves, cells = found.tables.curves, found.tables.cells.set_index("key")
    assert curves["step"].tolist() == [0, 100, 200, 0, 100]
    assert curves["test_accuracy"].tolist() == pytest.approx([0.1, 0.995, 1.0, 0.09, 0.1])
    assert list(curves) == ["key", "step", "test_accuracy"]
    assert cells.loc["b"].to_dict() == cells.loc["b"].to_dict() | {
        "state": "diverged", "seed": 7, "classes": 97, "steps": 500, "trained_steps": 100,
        "task.name": "mod_add", "commit": "unknown", "reason": "adopted",
    }  # fmt: skip
    assert cells.loc["a", "state"] == "done"
    assert found.budget_told


def test_the_budget_is_the_last_step_of_an_arm(tmp_path: Path) -> None:
    text = (
        "wd,seed,step,loss\n0.1,0,0,1\n0.1,0,40,1\n0.1,1,0,1\n0.1,1,90,1\n0.2,0,0,1\n0.2,0,70,1\n"
    )
    found = adopted(written(tmp_path, text))
    assert found.tables.cells.set_index("key")["steps"].to_dict() == {
        "weight_decay=0.1,seed=0": 90, "weight_decay=0.1,seed=1": 90, "weight_decay=0.2,seed=0": 70,
    }  # fmt: skip
    assert found.tables.cells["trained_steps"].tolist() == [40, 90, 70]
    assert not found.budget_told
    assert "note: budget not given: the last step of the runs of an arm, 70, 90" in (
        found.tables.notes
    )


def test_runs_without_seeds_are_numbered_and_said_to_be(tmp_path: Path) -> None:
    found = adopted(written(tmp_path, "run,step,f1\nx,0,0.1\nx,5,0.2\ny,0,0.3\n"))
    assert found.tables.cells["seed"].tolist() == [0, 1]
    assert found.tables.notes[0].startswith("note: no seeds: the runs are numbered")


@pytest.mark.parametrize("order", ["run,seed,step", "step,run,seed"])
def test_names_that_several_seeds_share_are_arms(order: str, tmp_path: Path) -> None:
    rows = pd.DataFrame(
        [(f"with {name}", seed, step) for name in "ab" for seed in (0, 1) for step in (0, 5, 9)],
        columns=["run", "seed", "step"],
    )
    rows = rows.assign(loss=range(len(rows))).sort_values(order.split(","), kind="stable")
    rows.to_csv(tmp_path / "runs.csv", index=False)
    found = adopted(tmp_path / "runs.csv")
    assert sorted(found.tables.cells["key"]) == [
        f"arm=with {name},seed={seed}" for name in "ab" for seed in (0, 1)
    ]
    assert "run → arm" in found.told[0]
    assert found.tables.curves["loss"].tolist() == list(range(len(rows)))


def test_constant_columns_are_configuration_and_others_measures(tmp_path: Path) -> None:
    rows = [
        f"{seed},{alpha},64,{kind},{step},{alpha * step},{0.1 / (1 + step)},0"
        for seed in (0, 1) for alpha in (0.5, 0.7) for kind in ("a", "b") for step in range(4)
    ]  # fmt: skip
    text = "seed,alpha,width,kind,step,norm,lr,zero\n" + "\n".join(rows)
    found = adopted(written(tmp_path, text))
    # width and zero tell nothing apart; the rate follows a schedule
    assert set(found.tables.configuration) == {"seed", "alpha", "kind", "steps"}
    assert list(found.tables.curves)[2:] == ["width", "norm", "lr", "zero"]
    assert len(found.tables.cells) == 8
    assert any("varying within a run: lr" in line for line in found.told)


def test_missing_values_stay_missing_and_empty_rows_go(tmp_path: Path) -> None:
    text = "seed,step,val_acc,f1\n0,0,0.1,\n0,1,nan,NaN\n0,2,,0.5\n0,2,0.3,\n0,3,,\n"
    found = adopted(written(tmp_path, text))
    curves = found.tables.curves
    assert curves["step"].tolist() == [0, 2]
    np.testing.assert_array_equal(curves["f1"], [np.nan, 0.5])
    np.testing.assert_array_equal(curves["test_accuracy"], [0.1, 0.3])
    assert found.tables.notes[:2] == (
        "note: 1 row merged with others of the same run and step",
        "note: 2 rows without a value of any measure left out",
    )


def test_a_run_that_ends_without_a_finite_loss_is_told_of(tmp_path: Path) -> None:
    path = written(tmp_path, "run,seed,step,loss\na,0,0,1\na,0,1,nan\nb,0,0,1\nb,0,1,2\n")
    told = [note for note in adopted(path).tables.notes if "finite loss" in note]
    assert len(told) == 1 and "1 runs end without a finite loss (a)" in told[0]
    said = adopted(path, "runs: {a: {state: diverged}}")
    assert not [note for note in said.tables.notes if "finite loss" in note]


def test_a_resumed_training_counts_once_in_event_files(tmp_path: Path) -> None:
    folder = tmp_path / "tb" / "run-1"
    EventFile(folder, {}).rewrite([{"step": s, "val/acc": 0.1} for s in (0, 10, 20, 30)])
    (first,) = folder.iterdir()
    kept = first.rename(tmp_path / "events.out.tfevents.1")
    EventFile(folder, {}).rewrite([{"step": s, "val/acc": 0.2} for s in (20, 40)])
    kept.rename(folder / "events.out.tfevents.1")
    curves = adopted(tmp_path / "tb").tables.curves
    assert curves["step"].tolist() == [0, 10, 20, 40]
    assert curves["test_accuracy"].tolist() == [0.1, 0.1, 0.2, 0.2]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["val_acc", "loss"], {"test_accuracy": "val_acc"}),
        (["loss", "accuracy", "val_loss", "val_accuracy"],
         {"test_loss": "val_loss", "test_accuracy": "val_accuracy", "train_loss": "loss",
          "train_accuracy": "accuracy"}),
        (["test/acc", "val/acc"], {"test_accuracy": "test/acc"}),
        (["trainLoss", "evalAcc"], {"train_loss": "trainLoss", "test_accuracy": "evalAcc"}),
        (["test_accuracy", "test/acc"], {"test_accuracy": "test_accuracy"}),
        (["accuracy", "f1", "train_acc_top5"], {}),
    ],
)  # fmt: skip
def test_guesses(names: list[str], found: dict[str, str]) -> None:
    assert guesses.measures(names) == found


def test_configuration_in_the_name_of_a_run() -> None:
    assert guesses.of_name("wd=0.1,lr=1e-3_seed=3/last") == {"wd": "0.1", "lr": "1e-3", "seed": "3"}
    assert guesses.of_name("baseline-1") == {}


def test_the_summary_says_what_is_there_and_which_events_are_not(tmp_path: Path) -> None:
    found = adopted(foreign_logs.csv(tmp_path))
    said = summary.text(found).splitlines()
    assert said[0] == (
        "runs: 10 (10 done); arms: 2, of 5 seeds; evaluations: 1,010, up to step 1,000"
    )
    assert "val_acc → test_accuracy" in said[3]
    assert said[4].startswith("events: tau1, tau2_half,") and "t_grok" in said[4]
    assert "  not tau2_rise, tau2_rise/tau1: no classes (fixed: {classes: …})" in said
    assert any(line.endswith("t_entropy_half: no spectral/entropy_train") for line in said)
    assert "tau2_rise" in summary.allowed({"test_accuracy"}, classes=True)[0]


def test_a_pattern_and_a_list_of_objects(tmp_path: Path) -> None:
    rows = [{"seed": 0, "step": s, "val_acc": 0.1 * s} for s in range(3)]
    written(tmp_path, json.dumps(rows), "a.json")
    written(tmp_path, json.dumps([{**row, "seed": 1} for row in rows]), "b.json")
    assert len(adopted(tmp_path / "*.json").tables.cells) == 2


def test_the_first_megabyte_does_not_decide_what_a_column_is(tmp_path: Path) -> None:
    rows = "".join(f"{step // 150_000},{step % 150_000},1\n" for step in range(300_000))
    path = tmp_path / "runs.csv.gz"
    path.write_bytes(gzip.compress(f"seed,step,val_loss\n{rows}1,150000,0.5\n".encode(), 1))
    assert adopted(path).tables.curves["test_loss"].iloc[-1] == 0.5


def test_the_documented_keys_of_a_map_are_those_that_are_read() -> None:
    assert mapping.__doc__ is not None
    example = mapping.__doc__.partition("\n")[2]
    assert list(yaml.safe_load(example)) == mapping._keys()
    assert pickle.loads(pickle.dumps(Map())) == Map()
