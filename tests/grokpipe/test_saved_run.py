"""Runs come back from disk: one by one, or all that match."""

import pickle
import sys
from pathlib import Path

import pytest
import torch
from rich.console import Console

import grokpipe
from grokpipe.errors import InputError
from grokpipe.remeasure import remeasure
from grokpipe.store import run_log, snapshots
from tests.helpers.snapshotted import KEPT, REGULAR, train
from tests.helpers.training import same


@pytest.fixture(scope="module")
def outputs(token_cell, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four finished runs and one that stopped half-way, with snapshots."""
    folder = tmp_path_factory.mktemp("saved") / "mine"

    def cells(*pairs: tuple[float, int]) -> list:
        return [
            token_cell(f"weight_decay={d}", f"seed={s}", REGULAR, "measures.names=[weights]")
            for d, s in pairs
        ]

    train(cells((1.0, 1), (0.1, 1), (0.1, 0), (1.0, 0)), folder)
    train(cells((1.0, 2)), folder, until=10)
    return folder


def test_a_run_has_its_data_and_its_networks(outputs: Path) -> None:
    run = grokpipe.load_all(outputs, weight_decay=0.1, seed=1)[0]
    assert (run.state, run.steps, run.key) == ("done", 20, run.folder.name)
    assert run.cell.key == run.key
    rows = torch.cat([*run.split])
    assert torch.equal(rows.sort().values, torch.arange(121)) and run.task.classes == 11
    assert [*run.snapshots] == KEPT and len(run.snapshots) == 6
    for step in (0, 20):
        network = run.snapshots[step]
        assert same(dict(network.named_parameters()), snapshots.load(run.folder, step))
        with torch.no_grad():
            logits, _ = network(run.task.inputs[run.split.test])
        accuracy = (logits.argmax(1) == run.task.labels[run.split.test]).double().mean().item()
        logged = run.curves.set_index("step").loc[step, "test_accuracy"]
        assert accuracy == pytest.approx(logged, abs=0.01)
    assert run.model is None and 3 not in run.snapshots
    with pytest.raises(KeyError, match="no snapshot at step 3; valid: 0, 2, 4, 6, 12, 20"):
        run.snapshots[3]


def test_measures_taken_later_are_among_the_curves(outputs: Path) -> None:
    before = grokpipe.load_all(outputs, seed=0, weight_decay=1.0)[0]
    assert "spectral/entropy_train" not in before.curves
    remeasure(outputs, ["spectral"], Console(quiet=True))
    run = grokpipe.load(before.folder)
    taken = run.curves.set_index("step")["spectral/entropy_train"]
    assert taken[taken.notna()].index.tolist() == KEPT
    assert run.curves[[*before.curves]].equals(before.curves)


def test_runs_are_told_in_a_line(outputs: Path) -> None:
    runs = grokpipe.load_all(str(outputs), weight_decay=1.0)
    assert (repr(runs), repr(runs[:1])) == (f"<3 runs of {outputs}>", f"<1 run of {outputs}>")
    names = "mod_add, transformer, adamw, weight_decay 1.0"
    assert [repr(run) for run in runs] == [
        f"<run {run.key}: {names}, seed {seed}; {state}>"
        for run, seed, state in zip(
            runs, range(3), ["done at step 20", "done at step 20", "interrupted at step 10"]
        )
    ]
    assert repr(runs[0].snapshots) == "<snapshots at steps 0, 2, 4, 6, 12, 20>"


def test_runs_are_loaded_one_after_another(outputs: Path) -> None:
    """In the order of their configuration; each anew, so that its data do not pile up."""
    runs = grokpipe.load_all(outputs, state="done")
    assert [(r.config.weight_decay, r.config.seed) for r in runs] == [
        (0.1, 0), (0.1, 1), (1.0, 0), (1.0, 1),
    ]  # fmt: skip
    assert runs[0] is not runs[0] and runs[-1].values["seed"] == 1
    with pytest.raises(InputError, match=r"no run has weight_decay = 3; there are: 0\.1, 1\.0"):
        grokpipe.load_all(outputs, weight_decay=3)


class Evil:
    def __reduce__(self) -> tuple:
        return sys.exit, (3,)


@pytest.mark.parametrize("file", ["final.pt", "snapshots/20.pt"])
def test_no_code_of_a_file_runs(file: str, outputs: Path) -> None:
    run = grokpipe.load_all(outputs, seed=0)[0]
    path = run.folder / file
    before = path.read_bytes() if path.exists() else None
    path.write_bytes(pickle.dumps(Evil(), protocol=2))
    with pytest.raises(InputError, match=f"{path}: damaged"):
        _ = run.model if file == run_log.FINAL else run.snapshots[20]
    torch.save({"parameters": {"other": torch.ones(2)}} if before is None else {}, path)
    with pytest.raises(InputError, match=f"{path}: does not fit arch=transformer"):
        _ = run.model if file == run_log.FINAL else run.snapshots[20]
    path.write_bytes(before) if before else path.unlink()
