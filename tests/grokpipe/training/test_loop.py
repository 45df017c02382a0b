"""The loop over a pack: cells leave at their own time, and the others do not notice."""

import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import ks_2samp

from grokpipe.cell import Cell
from grokpipe.curves.definitions import run_events
from grokpipe.errors import Interrupted
from grokpipe.store import run_log
from grokpipe.store.run_log import RunLog
from grokpipe.training.pack import Pack
from tests.helpers.training import curves, quiet, same, trained

MEMORISE = ("weight_decay=0", "measures.names=[weights]")
STOP = (*MEMORISE, "stop={event: t_mem, sustained: 1, margin: 0}", "steps=600")
RATES = (0.003, 0.03, 0.01, 0.005, 0.007)  # so that the cells stop at different times


@pytest.fixture(scope="module")
def stopping(token_cell) -> list[Cell]:
    return [token_cell(*STOP, f"lr={lr}", f"seed={i}") for i, lr in enumerate(RATES)]


@pytest.fixture(scope="module")
def whole(stopping, tmp_path_factory: pytest.TempPathFactory) -> list[RunLog]:
    """The run logs of these cells, trained without any interruption."""
    return trained(stopping, tmp_path_factory.mktemp("whole"))[1]


GENTLE = (0.003, 0.012, 0.008, 0.005, 0.007)  # at 0.03 a processor decides when a cell gets unstuck


def test_cells_leave_at_their_stop_rule_and_the_rest_goes_on(token_cell, tmp_path: Path) -> None:
    stopping = [token_cell(*STOP, f"lr={lr}", f"seed={i}") for i, lr in enumerate(GENTLE)]
    pack, logs = trained(stopping, tmp_path / "together")
    results = [run_log.read_result(log.folder) for log in logs]
    steps = [result["steps"] for result in results]
    assert len(set(steps)) >= 3, steps  # else nothing was tested
    assert max(steps) < 600
    for i, (one, log, result) in enumerate(zip(stopping, logs, results)):
        rows = curves(log)
        memorised = rows["step"][rows["train_accuracy"] >= 0.99].iloc[0]
        assert result["state"] == "done"
        assert result["reason"].startswith(f"t_mem at {memorised}")
        assert result["steps"] == rows["step"].iloc[-1] == memorised + 5  # one evaluation later
        final = torch.load(log.folder / "final.pt", weights_only=True)
        assert final["step"] == result["steps"]
        _, (alone,) = trained([one], tmp_path / f"alone{i}")
        pd.testing.assert_frame_equal(curves(alone).head(8), rows.head(8), rtol=1e-2, atol=1e-4)
        assert run_log.read_result(alone.folder)["steps"] == pytest.approx(result["steps"], abs=10)
    assert len(pack.members) == 1  # five cells, then 4, 2 and 1


def test_a_pack_narrows_to_a_few_fixed_widths(stopping, tmp_path: Path, monkeypatch) -> None:
    widths = []
    keep = Pack.keep
    monkeypatch.setattr(Pack, "keep", lambda self, m: (widths.append(len(m)), keep(self, m))[1])
    trained(stopping, tmp_path)
    assert widths == sorted(widths, reverse=True)
    assert set(widths) <= {4, 2, 1}


def test_narrowing_keeps_parameters_and_moments_to_the_bit(token_cell) -> None:
    cells = [token_cell(f"seed={seed}", f"weight_decay={seed}") for seed in range(5)]
    pack = Pack(cells)
    pack.advance(7)
    before = {i: pack.cell_state(i) for i in (1, 3)}
    pack.keep([1, 3])
    assert pack.members == [1, 3]
    for i in (1, 3):
        assert same(pack.cell_state(i), before[i])
    unchanged = Pack(cells)
    unchanged.advance(12)
    pack.advance(5)
    for name, parameter in pack.cell_parameters(3).items():
        expected = unchanged.cell_parameters(3)[name]
        torch.testing.assert_close(parameter, expected, rtol=1e-3, atol=1e-5)


def interrupted_at(number: int):
    """Progress that sends this process a real SIGTERM at the evaluation of that number."""
    progress, seen = quiet(), []

    def evaluated(cell: int, row: dict[str, float]) -> None:
        seen.append(cell)
        if len(seen) == number:
            os.kill(os.getpid(), signal.SIGTERM)

    progress.evaluated = evaluated
    return progress


@pytest.mark.parametrize("number", [8, 150, 230])
def test_resumed_after_cells_have_left_to_the_bit(
    stopping, whole, tmp_path: Path, number: int
) -> None:
    with pytest.raises(Interrupted):
        trained(stopping, tmp_path / "parts", interrupted_at(number))
    assert any(run_log.read_result(tmp_path / "parts" / c.key) is None for c in stopping)
    _, parts = trained(stopping, tmp_path / "parts")
    for a, b in zip(whole, parts):
        for name in ("curves.parquet", "result.json"):
            assert (a.folder / name).read_bytes() == (b.folder / name).read_bytes()
        finals = [torch.load(log.folder / "final.pt", weights_only=True) for log in (a, b)]
        assert same(*finals)


def test_a_cell_that_finished_after_the_checkpoint_is_not_logged_again(
    stopping, whole, tmp_path: Path
) -> None:
    """The pack goes back to a checkpoint in which the cell was still trained: so it is again, for
    its neighbours' sake, and its run log stays."""
    with pytest.raises(Interrupted):
        trained(stopping, tmp_path / "parts", interrupted_at(8))
    checkpoint = (tmp_path / "parts" / "pack.pt").read_bytes()
    with pytest.raises(Interrupted):
        trained(stopping, tmp_path / "parts", interrupted_at(210))
    finished = [
        tmp_path / "parts" / one.key
        for one in stopping
        if run_log.read_result(tmp_path / "parts" / one.key)
    ]
    assert finished, "nothing was tested"
    stamps = [(folder / "result.json").stat().st_mtime_ns for folder in finished]
    (tmp_path / "parts" / "pack.pt").write_bytes(checkpoint)
    _, parts = trained(stopping, tmp_path / "parts")
    assert [(folder / "result.json").stat().st_mtime_ns for folder in finished] == stamps
    for a, b in zip(whole, parts):
        assert (a.folder / "curves.parquet").read_bytes() == (
            b.folder / "curves.parquet"
        ).read_bytes()


def test_a_diverging_cell_leaves_with_its_step_and_harms_nobody(token_cell, tmp_path: Path) -> None:
    healthy = [token_cell("steps=60", f"seed={seed}", "optimizer=sgd") for seed in (0, 1)]
    ill = token_cell("steps=60", "optimizer=sgd", "lr=1e30")
    _, (a, bad, b) = trained([healthy[0], ill, healthy[1]], tmp_path / "mixed")
    result = run_log.read_result(bad.folder)
    assert result["state"] == "diverged"
    rows = curves(bad)
    finite = np.isfinite(rows["train_loss"]) & np.isfinite(rows["weight_norm"])
    assert result["steps"] == rows["step"].iloc[-1] == rows["step"][~finite].iloc[0]
    _, expected = trained(healthy, tmp_path / "healthy")
    for log, other in zip((a, b), expected):
        assert run_log.read_result(log.folder)["state"] == "done"
        pd.testing.assert_frame_equal(curves(log), curves(other), rtol=1e-3, atol=1e-5)


def test_what_is_undefined_is_said_once_for_a_pack(cell, tmp_path: Path, monkeypatch) -> None:
    """A single training image has no within-class variance, in either cell, at any evaluation."""
    said, progress = [], quiet()
    monkeypatch.setattr(progress, "note", said.append)
    ill = [cell("train_size=1", "batch_size=1", "steps=2", f"seed={seed}") for seed in (0, 1)]
    trained(ill, tmp_path, progress)
    assert len(said) == 1 and said[0].startswith("undefined and logged as NaN: ")
    assert "collapse/nc1" in said[0]


@pytest.mark.slow
def test_event_times_do_not_depend_on_the_width(token_cell, tmp_path: Path) -> None:
    """Sixteen seeds trained together and in packs of three: the same times in distribution."""
    cells = [token_cell(*MEMORISE, "lr=0.01", "steps=300", f"seed={s}") for s in range(16)]
    times = []
    for width in (16, 3):
        logs = []
        for start in range(0, 16, width):
            part = cells[start : start + width]
            logs += trained(part, tmp_path / f"{width}-{start}")[1]
        events = [
            run_events({n: c.to_numpy() for n, c in curves(log).items()}, 1 / 11, 300, True)
            for log in logs
        ]
        assert all(found["t_mem"].observed for found in events)
        times.append([found["t_mem"].step for found in events])
    assert len(set(times[0])) > 3
    assert ks_2samp(*times).pvalue > 0.1
    assert np.median(times[0]) == pytest.approx(np.median(times[1]), rel=0.1)


def test_sparse_measures_have_a_cadence_of_their_own(token_cell, tmp_path: Path) -> None:
    """Their numbers are those that every evaluation would have, at some; the others are NaN."""
    both = ("steps=40", "measures.names=[weights, logits]")
    sparse = (
        "steps=40", "measures.names=[weights]", "measures.sparse=[logits]",
        "measures.sparse_at=log:4",
    )  # fmt: skip
    every, some = (
        curves(trained([token_cell(*overrides)], tmp_path / name)[1][0]).set_index("step")
        for name, overrides in (("every", both), ("some", sparse))
    )
    assert list(some) == list(every)
    columns = [name for name in every if name.startswith("logits/")]
    due = some.index[some[columns].notna().all(axis=1)]
    assert due.tolist() == [0, 5, 15, 40]
    assert some.drop(due)[columns].isna().all().all()
    pd.testing.assert_frame_equal(some.loc[due], every.loc[due])
    others = [name for name in every if name not in columns]
    pd.testing.assert_frame_equal(some[others], every[others])
