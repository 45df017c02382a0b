"""What a sweeper that learns from results gets back."""

import math
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins

from grokpipe.__main__ import main
from grokpipe.launch import launcher
from tests.helpers.cli import SERIAL, TINY


def swept(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> tuple[int, list]:
    """The exit code, and what the launcher gave for each job."""
    Plugins.instance()  # which imports its modules anew
    from hydra_plugins.grokpipe_sweeper.grid import GridSweeper

    returns = []
    sweep = GridSweeper.sweep

    def recorded(self, arguments):
        (batch,) = sweep(self, arguments)
        returns.extend(batch)

    with monkeypatch.context() as patch:
        patch.setattr(GridSweeper, "sweep", recorded)
        patch.setattr(launcher, "failures", [])
        patch.setattr("sys.argv", ["grokpipe", "-m", *TINY, *arguments])
        GlobalHydra.instance().clear()
        return main(), returns


def test_each_job_returns_its_test_accuracy_a_failed_one_nan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    code, first = swept((SERIAL, "seed=0,1"), monkeypatch)
    assert code == 0
    assert [job.overrides[-1] for job in first] == ["seed=0", "seed=1"]
    accuracies = [job.return_value for job in first]
    assert all(0 < accuracy < 1 for accuracy in accuracies)

    # a file where its curve belongs makes a cell fail
    (log, *_) = Path("outputs/default/cells").iterdir()
    for path in log.iterdir():
        path.unlink()
    (log / "curves.jsonl").mkdir()
    code, again = swept((SERIAL, "seed=0,1"), monkeypatch)
    assert code == 1
    values = [job.return_value for job in again]
    assert sorted(map(math.isnan, values)) == [False, True]
    assert set(values) & set(accuracies)


def test_without_waiting_there_are_no_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    code, jobs = swept(("seed=0,1", "hydra.launcher.dry_run=true"), monkeypatch)
    assert code == 0
    assert all(math.isnan(job.return_value) for job in jobs)
