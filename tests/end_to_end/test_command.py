"""`python -m grokpipe` as a user meets it: what it prints, leaves behind and returns."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.cli import ENVIRONMENT, SERIAL, TINY, grokpipe


def test_one_cell_leaves_a_run_log_and_a_summary(tmp_path: Path) -> None:
    ran = grokpipe(*TINY, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    (log,) = (tmp_path / "outputs/default/cells").iterdir()
    assert {path.name for path in log.iterdir()} == {
        "config.yaml", "curves.parquet", "result.json", "provenance.json", "final.pt",
    }  # fmt: skip
    for word in ("tau1", "tau2_half", str(log.relative_to(tmp_path))):
        assert word in ran.stdout
    result = json.loads((log / "result.json").read_text())
    code = json.loads((log / "provenance.json").read_text())["code"]
    expected = {"state": "done", "steps": 40, "reason": "reached its steps", "code": code}
    assert result == expected
    assert re.fullmatch("[0-9a-f]{16}:[0-9a-f]{16}", code)
    curves = pd.read_parquet(log / "curves.parquet")
    assert curves.columns[0] == "step"
    assert curves["step"].tolist() == [*range(31), 40]
    # nothing of Hydra's lies about
    assert {path.name for path in (tmp_path / "outputs/default").iterdir()} == {
        "asked", "cells", "packs",
    }  # fmt: skip
    assert [path.suffix for path in (tmp_path / "outputs/default/packs").iterdir()] == [".json"]

    # the same command again runs nothing
    stamp = (log / "result.json").stat().st_mtime_ns
    again = grokpipe(*TINY, cwd=tmp_path)
    assert again.returncode == 0
    assert "already" in again.stdout
    assert (log / "result.json").stat().st_mtime_ns == stamp

    asked = [pd.read_parquet(p) for p in sorted((tmp_path / "outputs/default/asked").iterdir())]
    assert [part["key"].tolist() for part in asked] == [[log.name], [log.name]]
    assert asked[0]["weight_decay"].tolist() == [0.1]


def test_a_sweep_has_a_line_a_cell_and_a_table(tmp_path: Path) -> None:
    ran = grokpipe("-m", SERIAL, *TINY, "weight_decay=0.3,0.1", "seed=range(2)", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    for position in range(1, 5):
        assert sum(line.startswith(f"{position}/4 ") for line in lines) == 1
    assert sum(line.startswith("weight_decay=0.3 seed=1 ") for line in lines) == 1
    assert len(list((tmp_path / "outputs/default/cells").iterdir())) == 4


def test_a_condition_stops_cells_and_has_a_column_of_its_own(tmp_path: Path) -> None:
    rule = ('stop.event="train_loss < 1e2"', "stop.sustained=1", "stop.margin=3", "arch.depth=2")
    ran = grokpipe("-m", SERIAL, *TINY, *rule, "lr=1e-2,1e-9", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    heading = next(line for line in ran.stdout.splitlines() if line.startswith("cell "))
    assert "train_loss<100" in heading
    reasons = {}
    for log in (tmp_path / "outputs/default/cells").iterdir():
        result = json.loads((log / "result.json").read_text())
        assert "event: train_loss<100\n" in (log / "config.yaml").read_text()
        reasons[result["reason"]] = pd.read_parquet(log / "curves.parquet")
    (never,) = (rows for reason, rows in reasons.items() if reason == "reached its steps")
    assert never["train_loss"].min() > 100 and never["step"].iloc[-1] == 40
    ((reason, rows),) = ((why, rows) for why, rows in reasons.items() if " at " in why)
    first = int(rows.loc[rows["train_loss"] < 100, "step"].iloc[0])
    assert reason == f"train_loss<100 at {first:,}, and 3 steps"
    assert rows["step"].iloc[-1] == first + 3 < 40
    again = grokpipe(*TINY, 'stop.event="train_loss<100.0"', *rule[1:], "lr=1e-2", cwd=tmp_path)
    assert "already" in again.stdout


def test_silent_with_a_flag(tmp_path: Path) -> None:
    ran = grokpipe(*TINY, "progress=false", cwd=tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_more_than_the_embedded_data_without_network(tmp_path: Path) -> None:
    # a proxy that refuses stands for the missing network, wherever the test runs
    nowhere = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    variables = {**nowhere, "GROKPIPE_DATA": str(tmp_path / "data")}
    ran = grokpipe("train_size=20000", cwd=tmp_path, **variables)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    for part in ("train_size=20000", "10000", str(tmp_path / "data/mnist"), "GROKPIPE_DATA"):
        assert part in ran.stderr


def test_one_wrong_cell_stops_the_sweep_before_the_first(tmp_path: Path) -> None:
    ran = grokpipe("-m", *TINY, "weight_decay=0.1,-0.1", "seed=0,1", cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert "weight_decay=-0.1: must be ≥ 0" in ran.stderr
    assert "cell 3 of 4" in ran.stderr
    assert not (tmp_path / "outputs/default/cells").exists()


def test_a_key_of_a_group_that_is_swept(tmp_path: Path) -> None:
    """The default task's architecture has no such key."""
    tokens = ("task=mod_add,mod_mul", "task.p=7", "task.fraction=0.5", "batch_size=8", "steps=2")
    ran = grokpipe("-m", SERIAL, *tokens, "arch.norm=pre", "arch.width=8", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    configs = [path.read_text() for path in tmp_path.rglob("config.yaml")]
    assert len(configs) == 2
    assert all("norm: pre" in text and "width: 8" in text for text in configs)
    wrong = grokpipe("-m", SERIAL, *tokens, "arch.norm=prre", cwd=tmp_path)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("error: arch.norm=prre: must be one of post, pre")


TOKENS = (
    "task=mod_add", "task.p=7", "task.fraction=0.5", "batch_size=8", "arch.width=8", "steps=2",
)  # fmt: skip


def test_a_dial_that_only_some_of_the_swept_interventions_have(tmp_path: Path) -> None:
    """Cells that come out equal are one."""
    swept = ("intervention=none,mixing", "intervention.alpha=0.2,0.3")
    ran = grokpipe("-m", SERIAL, *TOKENS, *swept, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    configs = [path.read_text() for path in tmp_path.rglob("config.yaml")]
    assert sorted(text.count("alpha: 0.") for text in configs) == [0, 1, 1]
    assert ran.stdout.count("\nintervention=none  ") == 1
    wrong = grokpipe("-m", SERIAL, *TOKENS, swept[0], "intervention.alhpa=0.3", cwd=tmp_path)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith(
        "error: intervention.alhpa: no such key of intervention=mixing, none; "
        "nearest: intervention.alpha"
    )


def test_the_advice_about_a_missing_baseline_works(tmp_path: Path) -> None:
    command = ("-m", SERIAL, *TOKENS, "intervention=none,norm_match", "seed=0,1")
    ran = grokpipe(*command, cwd=tmp_path)
    assert ran.returncode == 2
    assert "not finished in outputs/default: seeds 2, 3, 4, 5, 6, 7, 8, 9;" in ran.stderr
    (advice,) = re.findall(r"intervention\.baseline_seeds=\S*\]", ran.stderr)
    ran = grokpipe(*command, advice, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert len([*tmp_path.rglob("config.yaml")]) == 4


def test_wrong_key_in_a_sweep(tmp_path: Path) -> None:
    ran = grokpipe("-m", *TINY, "weightdecay=0.1,0.3", cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert "weight_decay" in ran.stderr


def test_a_diverging_cell_is_an_outcome_and_the_others_go_on(tmp_path: Path) -> None:
    ran = grokpipe("-m", SERIAL, *TINY, "optimizer=sgd", "lr=1e3,1e-6", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    results = [json.loads(path.read_text()) for path in (tmp_path / "outputs").rglob("result.json")]
    assert sorted(result["state"] for result in results) == ["diverged", "done"]
    (diverged,) = (result for result in results if result["state"] == "diverged")
    assert diverged["steps"] < 40
    assert f"step {diverged['steps']}" in diverged["reason"]


def test_a_raising_cell_is_failed_with_its_traceback_and_the_others_go_on(tmp_path: Path) -> None:
    """A file where a cell's curve belongs makes exactly that cell raise."""
    assert grokpipe("-m", SERIAL, *TINY, "seed=0,1", cwd=tmp_path).returncode == 0
    cells = sorted((tmp_path / "outputs/default/cells").iterdir())
    for path in cells[0].iterdir():
        path.unlink()
    (cells[0] / "curves.jsonl").mkdir()
    (cells[1] / "result.json").unlink()
    ran = grokpipe("-m", SERIAL, *TINY, "seed=0,1", cwd=tmp_path)
    assert ran.returncode == 1
    assert "failed" in ran.stderr
    assert str(cells[0].relative_to(tmp_path)) in ran.stderr
    states = [json.loads((cell / "result.json").read_text())["state"] for cell in cells]
    assert states == ["failed", "done"]
    assert "IsADirectoryError" in (cells[0] / "traceback.txt").read_text()

    (cells[0] / "curves.jsonl").rmdir()  # the cause removed, the same command finishes it
    assert grokpipe("-m", SERIAL, *TINY, "seed=0,1", cwd=tmp_path).returncode == 0


def test_one_cell_of_a_grid_can_be_named(tmp_path: Path) -> None:
    ran = grokpipe(*TINY, "experiment=demo", "seed=0", "weight_decay=1", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr


def test_hydras_own_launcher_is_refused(tmp_path: Path) -> None:
    ran = grokpipe("-m", *TINY, "hydra/launcher=basic", "seed=0,1", cwd=tmp_path)
    assert ran.returncode == 2
    assert "hydra/launcher=basic: must be local, slurm or serial" in ran.stderr
    assert not list(tmp_path.rglob("cells"))


def test_slurm_where_there_is_none_is_one_line_and_a_dry_run_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("-m", "hydra/launcher=slurm", *TINY, "seed=0,1")
    nowhere = {"PATH": "/nonexistent"}
    ran = grokpipe(*arguments, cwd=tmp_path, **nowhere)
    assert ran.returncode == 2
    assert ran.stderr.startswith("error: hydra/launcher=slurm: sbatch is not on this machine")
    assert ran.stderr.count("\n") == 1
    assert not list(tmp_path.rglob("asked"))
    dry = grokpipe(*arguments, "hydra.launcher.dry_run=true", cwd=tmp_path, **nowhere)
    assert dry.returncode == 0, dry.stderr
    assert "as 1 SLURM job in the default partition" in dry.stdout


def test_a_cell_that_another_process_trains_is_left_to_it(tmp_path: Path) -> None:
    longer = (*TINY, "steps=3000", "eval={schedule: regular, every: 300}")
    command = [sys.executable, "-m", "grokpipe", *longer]
    first = subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    while not list(tmp_path.rglob("curves.jsonl")):
        assert first.poll() is None
        time.sleep(0.01)
    second = grokpipe("-m", SERIAL, *longer, "seed=0,1", cwd=tmp_path)
    assert first.wait(60) == 0
    assert second.returncode == 0, second.stderr
    assert "running" in second.stdout or "done already" in second.stdout
    logs = list((tmp_path / "outputs/default/cells").iterdir())
    assert len(logs) == 2
    for log in logs:
        steps = pd.read_parquet(log / "curves.parquet")["step"].tolist()
        assert steps == list(range(0, 3001, 300))


def test_configuration_can_be_printed_without_running(tmp_path: Path) -> None:
    ran = grokpipe("--cfg", "job", cwd=tmp_path)
    assert ran.returncode == 0
    assert "weight_decay: 0.1" in ran.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_configuration_fits_one_screen() -> None:
    lines = (Path(__file__).parents[2] / "conf/config.yaml").read_text().splitlines()
    assert len(lines) <= 50
    assert max(map(len, lines)) <= 100
