"""A stage counts as done until one of the things that it rests on changes."""

import os
from pathlib import Path

import pytest

from analysis.reproduce import stamps
from analysis.reproduce.stages import Stage
from grokpipe.store import manifest
from tests.helpers.made_runs import write_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two runs, each of an experiment of its own."""
    for seed, name in enumerate(("base", "held")):
        log = write_run(tmp_path, seed, 0.1, 100)
        manifest.record_asked(tmp_path, [{"key": log.name, "experiment": f"made/{name}"}])
    return tmp_path


@pytest.fixture
def stage(folder: Path) -> Stage:
    made = folder / "gathered.parquet"
    made.touch()
    return Stage("gather", "base", ("analysis", "gather"), (made,))


def test_what_is_noted_is_done_until_its_runs_change(folder: Path, stage: Stage) -> None:
    report = Stage("report", "", ("analysis", "report"))
    assert not stamps.is_done(stage, folder, "made")
    for one in (stage, report):
        stamps.note(one, folder, "made")
        assert stamps.is_done(one, folder, "made")
    base, held = (folder / "cells" / f"0100{seed:012d}" for seed in (0, 1))
    os.utime(held / "result.json", ns=(1, 1))
    assert stamps.is_done(stage, folder, "made")  # of another experiment
    assert not stamps.is_done(report, folder, "made")  # of all
    (base / "remeasured.parquet").touch()
    assert not stamps.is_done(stage, folder, "made")


def test_other_code_another_command_and_lost_files_are_seen(
    folder: Path, stage: Stage, monkeypatch
) -> None:
    stamps.note(stage, folder, "made")
    other = Stage(stage.kind, stage.experiment, (*stage.command, "--to", "x"), stage.made)
    assert not stamps.is_done(other, folder, "made")
    with monkeypatch.context() as patched:
        patched.setattr(stamps, "_code", lambda: "newer")
        assert not stamps.is_done(stage, folder, "made")
    assert stamps.is_done(stage, folder, "made")
    stage.made[0].unlink()
    assert not stamps.is_done(stage, folder, "made")
