"""Event files hold the rows of the run log, through resuming, and no step twice."""

import importlib.util
import json
import math
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from analysis.runs.adopt import sources
from analysis.runs.adopt.adopting import adopt
from analysis.runs.adopt.mapping import Map
from grokpipe.errors import InputError
from grokpipe.launch import pack_plan, worker
from grokpipe.store import event_files, run_log
from grokpipe.store.event_files import EventFile
from grokpipe.store.run_log import RunLog


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """As TensorBoard itself reads them."""
    read = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    read.Reload()
    return {
        tag: [(event.step, event.value) for event in read.Scalars(tag)]
        for tag in read.Tags()["scalars"]
    }


def row(step: int, value: float) -> dict[str, float]:
    return {"step": step, "loss": value}


def test_rows_are_written_as_they_are_logged_and_once_after_resuming(tmp_path: Path) -> None:
    events = EventFile(tmp_path / "tb", {"lr": 0.1})
    log = RunLog(tmp_path / "abc", events)
    log.start({"seed": 1}, {})
    assert log.keep(0)
    for step in (0, 10, 20):
        log.append(row(step, step / 4))
    assert scalars(tmp_path / "tb") == {"loss": [(0, 0.0), (10, 2.5), (20, 5.0)]}
    # killed after step 20, with a checkpoint that counts on two rows
    log = RunLog(tmp_path / "abc", EventFile(tmp_path / "tb", {"lr": 0.1}))
    assert log.keep(2)
    log.append(row(20, 7.0))
    log.append(row(30, math.nan))
    log.append(row(40, 8.0))
    assert scalars(tmp_path / "tb") == {"loss": [(0, 0.0), (10, 2.5), (20, 7.0), (40, 8.0)]}
    assert len(list((tmp_path / "tb").iterdir())) == 1


def test_event_files_of_a_training_give_the_curves_of_its_run_logs(
    token_cell, tmp_path: Path
) -> None:
    cells = [
        token_cell(f"outputs={tmp_path}", "log.tensorboard=true", "compile=off", f"seed={seed}")
        for seed in range(2)
    ]
    plan = pack_plan.new_plan(tmp_path / "default", cells, threads=1)
    worker.work([plan.file], Event(), Console(quiet=True))
    folders = sorted(path.name for path in (tmp_path / "default" / "tensorboard").iterdir())
    assert folders == [
        f"mod_add_transformer_wd1_lr0.001_seed{c.config.seed}-{c.key}" for c in cells
    ]
    logs = sources.read(sources.find([str(tmp_path / "default" / "tensorboard")]))
    tables = adopt(logs, Map(), tmp_path / "mine").tables
    assert tables.cells["classes"].tolist() == [11, 11]
    assert tables.cells["seed"].tolist() == [0, 1]
    for name, one in zip(folders, cells):
        expected = run_log.read_curves(tmp_path / "default" / "cells" / one.key)
        curves = tables.curves[tables.curves["key"] == name]
        assert len(curves) == len(expected) > 1
        for column in expected.dropna(axis=1, how="all"):
            np.testing.assert_allclose(curves[column], expected[column], rtol=1e-6)


def test_event_files_are_off_unless_asked_for_and_not_in_the_key(cell) -> None:
    assert not cell().config.log.tensorboard
    assert cell("log.tensorboard=true").key == cell().key


def test_without_the_package_the_configuration_is_refused(cell, monkeypatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"log.tensorboard=true: needs the package tensorboard: "
                       r"pip install 'grokpipe\[tensorboard\]'"):  # fmt: skip
        cell("log.tensorboard=true")


def test_hyperparameters_are_those_of_the_run(tmp_path: Path) -> None:
    values = {"lr": 0.1, "steps": 100, "tf32": False, "task": {"name": "mnist"}, "stop.event": None}
    event_files.of_cell(tmp_path, "abc", values).rewrite([row(0, 1.0)])
    (log,) = sources.read(sources.find([str(tmp_path)]))
    assert json.dumps(log.configuration, sort_keys=True) == json.dumps(
        {"lr": 0.1, "steps": 100, "task.name": "mnist", "tf32": False}
    )
    assert [path.name for path in tmp_path.iterdir()] == ["mnist_lr0.1-abc"]
