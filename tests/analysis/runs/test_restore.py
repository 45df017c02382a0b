"""Run logs from gathered tables: what the way there and back keeps, and who may rely on it."""

from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from analysis.__main__ import main
from analysis.runs import gather
from analysis.runs.tables import read_gathered, write_gathered
from grokpipe.saved_run import load_run
from grokpipe.store import files, run_log
from tests.helpers.cli import SERIAL, TOKENS, grokpipe

ARMS = ("intervention=none,norm_match", "intervention.baseline_seeds=[0,1]", "seed=0,1")


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working folder of a machine where a baseline and an arm that follows it were trained."""
    folder = tmp_path_factory.mktemp("there")
    ran = grokpipe("-m", SERIAL, *TOKENS, *ARMS, cwd=folder)
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.fixture
def tables(there: Path, tmp_path: Path) -> Path:
    """Its gathered tables, where no run log is."""
    to = tmp_path / "tables"
    main(["gather", str(there / "outputs/default"), "--to", str(to)])
    return to


def only(tables: Path, to: Path, **values: str) -> Path:
    """The tables of those runs."""
    found = read_gathered(tables)
    cells = found.cells
    for name, value in values.items():
        cells = cells[cells[name.replace("__", ".")] == value]
    write_gathered(found.only(cells["key"]), to)
    return to


def test_gathered_again_the_tables_are_the_same_to_the_last_bit(
    tables: Path, tmp_path: Path, capsys
) -> None:
    runs, again = tmp_path / "here/outputs/default", tmp_path / "again"
    assert main(["restore", str(tables), str(runs), "--experiment", "demo"]) == 0
    assert f"{runs}: 4 restored, 0 existed already" in capsys.readouterr().out
    assert main(["gather", str(runs), "--experiment", "demo", "--to", str(again)]) == 0
    for name in ("cells.parquet", "curves.parquet"):
        assert_frame_equal(
            pd.read_parquet(tables / name), pd.read_parquet(again / name), check_exact=True
        )
    assert main(["restore", str(tables), str(runs)]) == 0
    assert f"{runs}: 0 restored, 4 existed already" in capsys.readouterr().out


def test_a_sweep_goes_on_where_the_other_machine_stopped(tables: Path, tmp_path: Path) -> None:
    """What is restored is done; a restored baseline is followed, and gives followers their keys."""
    free = only(tables, tmp_path / "free", intervention__name="none")
    main(["restore", str(free), str(tmp_path / "outputs/default")])
    ran = grokpipe("-m", SERIAL, *TOKENS, *ARMS, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "2 of 4 cells are done already" in ran.stdout
    found = gather.read(tmp_path / "outputs/default")
    assert_frame_equal(found.curves, read_gathered(tables).curves, check_exact=True)


def test_a_restored_run_loads_and_says_where_it_comes_from(tables: Path, tmp_path: Path) -> None:
    runs = tmp_path / "outputs/other"
    main(["restore", str(tables), str(runs)])
    for log in (runs / "cells").iterdir():
        run = load_run(log)
        assert run.cell.key == log.name and run.model is None
        assert (run.config.outputs, run.config.name) == (str(runs.parent), "other")
        assert files.read_json(log / run_log.PROVENANCE)["restored"]["from"] == str(tables)


def test_what_is_begun_here_or_unfinished_there_is_left_alone(
    there: Path, tables: Path, tmp_path: Path, capsys
) -> None:
    found = read_gathered(tables)
    begun, unfinished = found.cells["key"][:2]
    found.cells.loc[found.cells["key"] == unfinished, "state"] = "interrupted"
    write_gathered(found, tables)
    runs = tmp_path / "runs"
    log = run_log.RunLog(runs / "cells" / begun)
    log.start(run_log.read_config(there / "outputs/default/cells" / begun), {})
    log.append({"step": 0})
    assert main(["restore", str(tables), str(runs)]) == 0
    told = capsys.readouterr().out
    for part in (
        "2 restored, 0 existed already",
        "1 are unfinished in",
        "1 are unfinished in the tables",
    ):
        assert part in told
    assert run_log.state(log.folder) == "interrupted"
    assert run_log.read_lines(log.folder) == [{"step": 0}]
    assert run_log.state(runs / "cells" / unfinished) == "missing"
    assert sorted(path.name for path in runs.iterdir()) == ["asked", "cells"]


def test_a_run_without_any_evaluation(tables: Path, tmp_path: Path) -> None:
    found = read_gathered(tables)
    key = found.cells["key"][0]
    found.cells.loc[0, ["state", "trained_steps"]] = ["diverged", 0]
    found.curves.drop(index=found.curves.index[found.curves["key"] == key], inplace=True)
    write_gathered(found, tables)
    assert main(["restore", str(tables), str(tmp_path / "runs")]) == 0
    assert run_log.state(tmp_path / "runs/cells" / key) == "diverged"
    assert len(gather.read(tmp_path / "runs").curves) == 3 * 3


def test_tables_that_do_not_give_the_key_write_nothing(
    tables: Path, tmp_path: Path, capsys
) -> None:
    found = read_gathered(tables)
    last = found.cells["key"].iloc[-1]
    found.cells.loc[found.cells["key"] == last, ["weight_decay", "optimizer.weight_decay"]] = 0.5
    write_gathered(found, tables)
    assert main(["restore", str(tables), str(tmp_path / "runs")]) == 2
    told = capsys.readouterr().err
    assert f"cell {last}: its configuration gives the key" in told and told.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_a_value_that_is_no_longer_valid_is_named(tables: Path, tmp_path: Path, capsys) -> None:
    found = read_gathered(tables)
    found.cells["optimizer.name"] = "adamq"
    write_gathered(found, tables)
    assert main(["restore", str(tables), str(tmp_path / "runs")]) == 2
    told = capsys.readouterr().err
    assert "adamq" in told and "valid: adam, adamw" in told and told.count("\n") == 1


def test_wrong_folders(there: Path, tables: Path, tmp_path: Path, capsys) -> None:
    runs = there / "outputs/default"
    reasons = {
        runs: "run logs already",
        tmp_path / "no": "no such folder",
        there: "neither run logs",
    }
    for wrong, why in reasons.items():
        assert main(["restore", str(wrong), str(tmp_path / "runs")]) == 2
        assert why in capsys.readouterr().err
