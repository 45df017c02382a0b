"""The run log on disk: torn lines, exact numbers, and reading it back as objects."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import grokpipe
from grokpipe.errors import InputError
from grokpipe.store import run_log
from grokpipe.store.run_log import RunLog
from tests.helpers.cli import ROOT, TINY
from tests.helpers.cli import grokpipe as command


def begun(folder: Path) -> RunLog:
    log = RunLog(folder / "abc")
    log.start({"seed": 1}, {"commit": None})
    return log


def test_a_cell_that_fails_before_its_log_was_begun_is_failed(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "abc")
    log.fail("no package metadata", "Traceback …")
    assert run_log.state(log.folder) == "failed"
    assert run_log.read_result(log.folder)["reason"] == "no package metadata"
    assert not run_log.is_run_log(log.folder)


ROWS = [{"step": s, "a": 0.1 * s, "b": v} for s, v in ((0, math.nan), (7, math.inf), (9, 1e-300))]


def test_numbers_survive_exactly(tmp_path: Path) -> None:
    log = begun(tmp_path)
    for row in ROWS:
        log.append(row)
    expected = pd.DataFrame(ROWS)
    pd.testing.assert_frame_equal(run_log.read_curves(log.folder), expected, check_exact=True)
    log.finish("done", 9, "reached its steps", 1.0)
    pd.testing.assert_frame_equal(run_log.read_curves(log.folder), expected, check_exact=True)


@pytest.mark.parametrize("torn", ['{"step": 10, "a"', '{"step": 10}', "\0\0\0\0", "12\n", "[]\n"])
def test_a_torn_last_line_is_dropped(tmp_path: Path, torn: str) -> None:
    log = begun(tmp_path)
    for row in ROWS:
        log.append(row)
    with open(log.folder / "curves.jsonl", "a") as file:
        file.write(torn)
    assert run_log.read_curves(log.folder)["step"].tolist() == [0, 7, 9]
    assert log.keep(3)
    log.append({"step": 11, "a": 1.0, "b": 1.0})
    assert run_log.read_curves(log.folder)["step"].tolist() == [0, 7, 9, 11]


def test_keep_cuts_and_says_whether_all_are_there(tmp_path: Path) -> None:
    log = begun(tmp_path)
    for row in ROWS:
        log.append(row)
    assert not log.keep(4)
    assert log.keep(2)
    assert run_log.read_curves(log.folder)["step"].tolist() == [0, 7]
    assert log.keep(0)


def test_a_column_that_a_resumed_run_came_to_log_is_kept(tmp_path: Path) -> None:
    log = begun(tmp_path)
    for row in [*ROWS, {**ROWS[-1], "step": 99, "logits/zero_loss": 0.5}]:
        log.append(row)
    expected = [math.nan] * len(ROWS) + [0.5]
    columns = run_log.read_columns(log.folder, ["step", "logits/zero_loss", "absent"])
    assert list(columns) == ["step", "logits/zero_loss"]
    np.testing.assert_array_equal(columns["logits/zero_loss"], expected)
    log.finish("done", 99, "reached its steps", 1.0)
    for found in (run_log.read_curves(log.folder), pd.read_parquet(log.folder / "curves.parquet")):
        np.testing.assert_array_equal(found["logits/zero_loss"], expected)
        assert next(iter(found)) == "step"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    ran = command(*TINY, "seed=3", cwd=folder)
    assert ran.returncode == 0, ran.stderr
    (log,) = (folder / "outputs/default/cells").iterdir()
    return log


def test_load_gives_module_curves_and_configuration(trained: Path) -> None:
    run = grokpipe.load(trained)
    assert run.config.seed == 3
    assert run.cell.key == trained.name
    assert run.curves["step"].iloc[-1] == 40
    assert run.model is not None
    task = run.cell.task
    with torch.no_grad():
        logits, features = run.model(task.inputs[task.test])
    assert features.shape == (10_000, 12)
    accuracy = (logits.argmax(1) == task.labels[task.test]).double().mean().item()
    assert accuracy == pytest.approx(run.curves["test_accuracy"].iloc[-1], abs=1e-3)


def test_load_refuses_what_is_no_run_log(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a run log"):
        grokpipe.load(tmp_path)


def test_load_runs_no_code_from_the_configuration(trained: Path, tmp_path: Path) -> None:
    text = (trained / "config.yaml").read_text()
    folder = tmp_path / "foreign"
    folder.mkdir()
    (folder / "config.yaml").write_text(text.replace("name: mlp", "name: ...evil"))
    with pytest.raises(InputError, match=r"arch=\.\.\.evil"):
        grokpipe.load(folder)
    (folder / "config.yaml").write_text(text + "evil: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(Exception, match="could not determine a constructor"):
        grokpipe.load(folder)


def test_provenance_says_what_trained_it(trained: Path) -> None:
    provenance = json.loads((trained / "provenance.json").read_text())
    assert provenance["versions"]["torch"] == torch.__version__
    assert provenance["threads"] == 1
    assert provenance["data"] == {
        "fingerprint": provenance["data"]["fingerprint"],
        "classes": 10,
        "train_samples": 64,
        "test_samples": 10_000,
    }
    assert "seed=3" in provenance["command"]
    assert {"commit", "dirty", "device", "pack", "started", "wall_seconds"} <= provenance.keys()


def test_reading_and_analysis_need_no_torch(trained: Path) -> None:
    code = (
        "import sys; import grokpipe, grokpipe.store.run_log, grokpipe.store.manifest;"
        "import grokpipe.curves.definitions;"
        "import analysis.__main__, analysis.times.timescales, analysis.figures.curves;"
        "run, = grokpipe.load_all(sys.argv[1], seed=3); repr(run); run.curves, [*run.snapshots];"
        "sys.exit('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(trained.parent.parent)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def test_a_column_that_a_shorter_run_lacks_is_nan_in_its_rows(tmp_path: Path) -> None:
    """A measure gained it since that run, whose rows a longer one begins with."""
    log = RunLog(tmp_path / "run")
    log.start({"seed": 1}, {})
    log.append({"step": 7, "loss": 7.0})
    log.begin_with([{"step": 0, "loss": 2.0, "gone": 5.0}])
    log.append({"step": 1, "new": 1.0, "loss": 3.0})
    unfinished = run_log.read_columns(log.folder, ["step", "new", "loss"])
    assert math.isnan(unfinished["new"][0]) and unfinished["new"][1] == 1
    log.finish("done", 1, "reached its steps", 1.0)
    expected = {"step": [0, 1], "new": [None, 1.0], "loss": [2.0, 3.0], "gone": [5.0, None]}
    pd.testing.assert_frame_equal(
        run_log.read_curves(log.folder),
        pd.DataFrame(expected).astype({"new": float, "gone": float}),
    )
