"""Rates of training: read from run logs whose numbers are known."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from grokpipe.cell import Cell
from grokpipe.store import manifest
from grokpipe.store.run_log import RunLog
from grokpipe.survey import rates
from grokpipe.training.device import processor


def several(one: Cell, count: int) -> list[Cell]:
    return [replace(one, config=replace(one.config, seed=seed)) for seed in range(count)]


def write(cells: list[Cell], pack: str, seconds: float, **more) -> None:
    """Run logs of one pack that has ended."""
    for cell in cells:
        log = RunLog(manifest.cells_folder(cell.folder) / cell.key)
        facts = {"pack": pack, "width": len(cells), "processor": processor(), **more}
        log.start(asdict(cell.config), facts)
        log.append({"step": 20})
        log.finish("done", 20, "reached its steps", seconds)


def test_the_rate_of_a_pack_and_their_median(cell, tmp_path: Path) -> None:
    cells = several(cell(f"outputs={tmp_path}"), 6)
    write(cells[:2], "a", 4.0)  # 40 seed-steps in 4 s
    write(cells[2:4], "b", 2.0)
    write(cells[4:], "c", 1.0, parent={"step": 15})  # trained 5 steps of each
    assert rates.of_runs(cells * 2) == {rates.shape(cells[0]): pytest.approx(10)}
    assert rates.of_runs(cells[2:4]) == {rates.shape(cells[0]): pytest.approx(20)}


def test_other_processors_and_packs_in_training_tell_nothing(cell, tmp_path: Path) -> None:
    cells = several(cell(f"outputs={tmp_path}"), 3)
    write(cells[:1], "a", 4.0, processor="another")
    write(cells[1:], "b", 4.0)
    assert rates.of_runs(cells[:2]) == {}  # of the second pack one cell is missing
    assert rates.of_runs([]) == {}


def test_what_changes_a_step_is_in_its_shape(cell) -> None:
    one = cell()

    def shape(**changed) -> str:
        return rates.shape(replace(one, config=replace(one.config, **changed)))

    same = {"seed": 3, "weight_decay": 0.5, "lr": 0.1, "steps": 900, "train_size": 100}
    for name, value in same.items():
        assert shape(**{name: value}) == shape(), name
    assert shape(batch_size=8) != shape()
    assert shape(arch=replace(one.config.arch, width=13)) != shape()
    full = {"batches": "full", "batch_size": None}
    assert shape(**full) != shape(**full, train_size=100)
