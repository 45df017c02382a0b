"""Measures taken from snapshots: the bits that training would have logged, and where they go."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from pyarrow import parquet
from rich.console import Console

from grokpipe import remeasure
from grokpipe.config import registry
from grokpipe.provenance import fingerprint
from grokpipe.store import manifest, remeasured, run_log, snapshots
from tests.helpers.snapshotted import KEPT, REGULAR, train


@pytest.fixture(autouse=True)
def products() -> None:
    """As launch does before it trains."""


def run(folder: Path, *names: str) -> list[str]:
    return remeasure.remeasure(folder, names, Console(quiet=True))


def notes(log: Path) -> dict[str, remeasured.Note]:
    return remeasured.read(log).notes


def pretend_other_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "source", lambda: "0123456789abcdef")


def test_a_run_that_waits_for_a_measured_event_is_remeasured(cell, tmp_path: Path) -> None:
    rule = "stop={event: 'logits/scale>=1e9', sustained: 1, margin: 0}"
    train([cell(REGULAR, "measures.names=[logits]", rule)], tmp_path)
    assert run(tmp_path, "margins") == ["1 cell: margins measured"]


UNDEFINED = {
    "cell": ["simplex"],  # is of cross-entropy
    # of layers that see one row a sample; nHSIC takes 100 samples, compression codes; the margin is
    # negative at first
    "token_cell": ["hidden_flatness", "information", "simplex"],
}


@pytest.mark.parametrize("make", UNDEFINED)
def test_the_numbers_are_those_of_training_to_the_bit(make, request, tmp_path: Path) -> None:
    make_cell = request.getfixturevalue(make)
    cyclic = make == "token_cell"
    left_out = () if cyclic else ("fourier", "fourier_paper", "information")  # which takes long
    names = [name for name in registry.names("measures") if name not in left_out]
    for folder, measures in ((tmp_path / "all", ",".join(names)), (tmp_path / "few", "logits")):
        train(
            [make_cell(f"seed={s}", REGULAR, f"measures.names=[{measures}]") for s in (1, 2)],
            folder,
        )
    others = [name for name in names if name != "logits"]
    told = run(tmp_path / "few", *others)
    assert told[0] == f"2 cells: {', '.join(others)} measured"
    assert [line.split(", NaN: ")[0] for line in told[1:]] == [
        f"2 cells: {name}: undefined at some steps" for name in UNDEFINED[make]
    ]
    by_seed = {
        folder: {
            run_log.read_config(log)["seed"]: log for log in manifest.run_logs(tmp_path / folder)
        }
        for folder in ("all", "few")
    }
    for seed in (1, 2):
        logged = run_log.read_curves(by_seed["all"][seed]).set_index("step").loc[KEPT]
        found = pd.read_parquet(by_seed["few"][seed] / "remeasured.parquet").set_index("step")
        own = run_log.read_curves(by_seed["few"][seed])
        assert set(found) == set(logged) - set(own)
        pd.testing.assert_frame_equal(found, logged[list(found)], check_exact=True)
        undefined = {name.rpartition("/")[0] for name in found.columns[found.isna().all()]}
        assert undefined <= {*UNDEFINED[make], "flatness/kappa_hidden"}


def test_nothing_else_of_a_run_log_is_touched(cell, tmp_path: Path) -> None:
    (log,) = train([cell(REGULAR, "measures.names=[weights]")], tmp_path)
    before = {path: path.read_bytes() for path in log.rglob("*") if path.is_file()}
    run(tmp_path, "logits")
    after = {path: path.read_bytes() for path in log.rglob("*") if path.is_file()}
    after.pop(log / "remeasured.parquet")
    assert after == before


def test_the_file_says_where_each_measure_comes_from(cell, tmp_path: Path, monkeypatch) -> None:
    (log,) = train([cell(REGULAR, "measures.names=[weights]")], tmp_path)
    source = fingerprint.source()
    run(tmp_path, "logits")
    pretend_other_code(monkeypatch)
    run(tmp_path, "spectral")
    metadata = parquet.read_schema(log / "remeasured.parquet").metadata
    found = json.loads(metadata[b"grokpipe"])
    assert found["logits"]["columns"] == [
        f"logits/{name}" for name in ("scale", "margin", "entropy", "zero_loss", "zero_gradient")
    ]
    assert found["logits"]["steps"] == KEPT
    assert found["logits"]["origin"].keys() == {"commit", "dirty", "source", "torch"}
    assert found["logits"]["origin"]["torch"] == torch.__version__
    assert found["logits"]["origin"]["source"] == source
    assert found["spectral"]["origin"]["source"] == "0123456789abcdef"
    table = pd.read_parquet(log / "remeasured.parquet")
    assert table["step"].tolist() == KEPT
    assert [str(kind) for kind in table.dtypes] == ["int64"] + ["float64"] * (len(table.T) - 1)


def test_what_is_there_is_kept_unless_the_code_is_another(
    cell, tmp_path: Path, monkeypatch
) -> None:
    train([cell(REGULAR, f"seed={seed}", "measures.names=[weights]") for seed in (1, 2)], tmp_path)
    assert run(tmp_path, "logits") == ["2 cells: logits measured"]
    files = [log / "remeasured.parquet" for log in manifest.run_logs(tmp_path)]
    stamps = [file.stat().st_mtime_ns for file in files]
    assert run(tmp_path, "logits") == ["2 cells: logits has been taken already"]
    assert [file.stat().st_mtime_ns for file in files] == stamps
    assert run(tmp_path, "logits", "spectral") == [
        "2 cells: logits has been taken already",
        "2 cells: spectral measured",
    ]
    before = [pd.read_parquet(file) for file in files]
    pretend_other_code(monkeypatch)
    assert run(tmp_path, "logits") == [
        "2 cells: logits taken again: the code has changed",
        "2 cells: logits measured",
    ]
    for file, table in zip(files, before):
        pd.testing.assert_frame_equal(pd.read_parquet(file)[list(table)], table)
        found = notes(file.parent)
        assert found["logits"].origin.source != found["spectral"].origin.source


def test_what_training_logged_is_left_alone(cell, tmp_path: Path) -> None:
    (log,) = train([cell(REGULAR, "measures.names=[weights, logits]")], tmp_path)
    told = "1 cell: columns of logits that training logged are kept"
    assert run(tmp_path, "logits") == [told]
    assert not (log / "remeasured.parquet").exists()
    assert run(tmp_path, "logits", "spectral") == [told, "1 cell: spectral measured"]
    assert notes(log).keys() == {"spectral"}


def test_a_column_that_a_logged_measure_has_got_since_is_measured(
    cell, tmp_path: Path, monkeypatch
) -> None:
    from grokpipe.measures import logits

    (log,) = train([cell(REGULAR, "measures.names=[logits]")], tmp_path)
    earlier = logits.measure
    monkeypatch.setattr(logits, "measure", lambda s: {**earlier(s), "logits/new": 1.0})
    assert run(tmp_path, "logits")[-1] == "1 cell: logits measured"
    assert list(remeasured.read(log).table) == ["logits/new"]


def test_cells_without_snapshots_are_counted(cell, tmp_path: Path) -> None:
    train([cell(REGULAR, f"seed={seed}") for seed in range(2)], tmp_path, keep=False)
    train([cell(REGULAR, "seed=7", "measures.names=[weights]")], tmp_path)
    (manifest.cells_folder(tmp_path) / "stranger").mkdir()
    without, measured = run(tmp_path, "logits")
    assert without.startswith("2 cells: skipped: no snapshots, which snapshots=log:N keeps")
    assert measured == "1 cell: logits measured"


def test_an_unfinished_cell_is_measured_so_far_and_again_when_it_has_more(
    cell, tmp_path: Path
) -> None:
    one = cell(REGULAR, "measures.names=[weights]")
    (log,) = train([one], tmp_path, until=6)
    assert run(tmp_path, "logits", "spectral") == ["1 cell: logits, spectral measured"]
    first = remeasured.read(log).table
    assert list(first.index) == [0, 2, 4, 6]
    for file in (log / run_log.LINES, log / run_log.PROVENANCE):
        file.unlink()
    train([one], tmp_path)
    assert run(tmp_path, "logits") == ["1 cell: logits measured"]
    table = remeasured.read(log).table
    assert list(table.index) == KEPT
    pd.testing.assert_frame_equal(table.loc[[0, 2, 4, 6], list(first)], first)
    assert table["logits/scale"].notna().all()
    assert table["spectral/entropy_train"].isna().tolist() == [False] * 4 + [True] * 2
    assert notes(log)["spectral"].steps == [0, 2, 4, 6]
    assert run(tmp_path, "logits", "spectral")[-1] == "1 cell: spectral measured"


def test_some_of_the_snapshots_and_later_the_others(cell, tmp_path: Path, monkeypatch) -> None:
    (log,) = train([cell(REGULAR, "measures.names=[weights]")], tmp_path)
    taken: list[int] = []
    load = snapshots.load
    monkeypatch.setattr(
        snapshots, "load", lambda folder, step: (taken.append(step), load(folder, step))[1]
    )
    assert remeasure.remeasure(tmp_path, ["logits"], Console(quiet=True), at=3) == [
        "1 cell: logits measured"
    ]
    assert (taken, notes(log)["logits"].steps) == ([0, 2, 20], [0, 2, 20])
    few = remeasured.read(log).table
    assert run(tmp_path, "logits") == ["1 cell: logits measured"]
    assert taken[3:] == [4, 6, 12]  # those before are kept
    assert notes(log)["logits"].steps == KEPT
    every = remeasured.read(log).table
    assert every.index.tolist() == KEPT and every.notna().all().all()
    pd.testing.assert_frame_equal(every.loc[[0, 2, 20]], few)
    again = remeasure.remeasure(tmp_path, ["logits"], Console(quiet=True), at=3)
    assert again == ["1 cell: logits has been taken already"]


@pytest.mark.slow(seconds=9)
def test_several_processes_find_the_same(token_cell, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(remeasure, "FEW", 0)
    for name in ("one", "two"):
        train(
            [token_cell(REGULAR, f"seed={s}", "measures.names=[weights]") for s in (1, 2)],
            tmp_path / name,
        )
    for name, processes in (("one", 1), ("two", 2)):
        told = remeasure.remeasure(
            tmp_path / name, ["logits"], Console(quiet=True), processes=processes
        )
        assert told == ["2 cells: logits measured"]
    for one in manifest.run_logs(tmp_path / "one"):
        other = manifest.cells_folder(tmp_path / "two") / one.name
        pd.testing.assert_frame_equal(remeasured.read(one).table, remeasured.read(other).table)
