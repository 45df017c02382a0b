"""The progress of a sweep: every cell once, in the state and the words of `status`."""

from pathlib import Path

import pytest
from rich.console import Console

from analysis.runs.status import status, text
from grokpipe.launch import pack_plan
from grokpipe.launch.dashboard import Dashboard
from grokpipe.launch.open_packs import Packs
from grokpipe.launch.outcomes import SweepReporter, read_outcome, sweep_table
from grokpipe.store import lease, manifest
from grokpipe.store.run_log import RunLog


def log(folder: Path, key: str, state: str | None) -> None:
    """A run log of a cell that ended in this state, or has begun."""
    one = RunLog(manifest.cells_folder(folder) / key)
    one.start({"seed": 0}, {})
    one.append({"step": 0, "test_accuracy": 0.1, "train_accuracy": 0.1})
    if state == "failed":
        one.fail("ValueError: x", "")
    elif state:
        one.finish(state, 20, "the reason", 1.0)


@pytest.fixture
def sweep(cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Four packs of two cells: one in training, one begun and left, one not begun, one with a cell
    that failed; and two cells that had ended before. Gives the folder, cells and plans."""
    folder = tmp_path / "o" / "mine"
    cells = [cell(f"seed={s}", f"outputs={tmp_path}/o", "name=mine") for s in range(10)]
    (folder / "packs").mkdir(parents=True)
    plans = [pack_plan.new_plan(folder, cells[i : i + 2], 1) for i in range(0, 8, 2)]
    states = {0: "diverged", 1: None, 2: None, 3: None, 6: "failed", 7: None}
    for i, state in {**states, 8: "done", 9: "diverged"}.items():
        log(folder, cells[i].key, state)
    manifest.record_asked(folder, [{"key": c.key, "steps": 20} for c in cells])
    return folder, cells, plans


def test_it_counts_each_cell_once_in_the_words_of_status(sweep) -> None:
    folder, cells, plans = sweep
    labels = [f"seed={i}" for i in range(10)]
    console = Console(quiet=True)
    reporter = SweepReporter(cells, labels, {cells[8].key, cells[9].key}, console)
    packs = Packs(plans)
    dashboard = Dashboard(reporter, packs)
    with lease.held(plans[0].lease) as held:
        assert held is not None
        assert {cells[0].key, cells[6].key} == {*packs.refresh()}
        line = dashboard.line()
        # of the pack in training one cell has diverged already
        counts = "2 missing, 1 running, 3 interrupted, 1 done, 2 diverged, 1 failed"
        assert line == f"10 cells: {counts}"
        said = text(status(folder))
        assert said.splitlines()[0] == f"{folder}: 10 cells: {counts}"
        assert f"  mnist · seeds 0, 1 (pack {plans[0].id[:8]}) on " in said
        assert read_outcome(manifest.cells_folder(folder) / cells[1].key, "", cells[1]).state == (
            "running"
        )
        of_pack = "  mnist · seeds 0, 1: starting"
        assert str([*dashboard._table().columns[0].cells][1]) == of_pack
        packs.running[plans[0].id]["host"] = "another"  # as in a job array
        assert str([*dashboard._table().columns[0].cells][1]) == f"{of_pack} on another"
    packs.refresh()
    assert dashboard.line() == (
        "10 cells: 2 missing, 4 interrupted, 1 done, 2 diverged, 1 failed"
    ) and text(status(folder)).startswith(f"{folder}: {dashboard.line()}\n")
    assert read_outcome(manifest.cells_folder(folder) / cells[1].key, "", cells[1]).state == (
        "interrupted"
    )


def test_the_table_at_the_end_counts_in_the_same_words(sweep) -> None:
    folder, cells, _ = sweep
    outcomes = [
        read_outcome(manifest.cells_folder(folder) / cells[i].key, str(i), cells[i])
        for i in (0, 6, 8, 9)
    ]
    assert "1 done, 2 diverged, 1 failed; times in steps" in sweep_table(outcomes)
    assert "all done; times in steps" in sweep_table(outcomes[2:3])
