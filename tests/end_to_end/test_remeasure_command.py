"""`python -m grokpipe.remeasure` as a user meets it."""

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
import torch
from rich.console import Console

from grokpipe import remeasure
from grokpipe.store import manifest, snapshots
from tests.helpers.cli import ENVIRONMENT
from tests.helpers.snapshotted import REGULAR, train


def test_a_stop_leaves_finished_cells_finished(cell, tmp_path: Path, monkeypatch, capsys) -> None:
    cells = [cell(REGULAR, f"seed={seed}", "measures.names=[weights]") for seed in (1, 2)]
    logs = sorted(train(cells, tmp_path))
    load = snapshots.load

    def interrupted(folder: Path, step: int):
        if folder == logs[1] and step == 4:
            raise KeyboardInterrupt
        return load(folder, step)

    monkeypatch.setattr(snapshots, "load", interrupted)
    assert remeasure.main([str(tmp_path), "measures=logits"]) == 130
    assert capsys.readouterr().err.startswith("interrupted; the same command continues")
    assert [(log / "remeasured.parquet").exists() for log in logs] == [True, False]
    monkeypatch.undo()
    assert remeasure.main([str(tmp_path), "measures=logits"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "1 cell: logits has been taken already",
        "1 cell: logits measured",
    ]


def test_only_the_cells_of_an_experiment(cell, tmp_path: Path, capsys) -> None:
    cells = [cell(REGULAR, f"seed={seed}", "measures.names=[weights]") for seed in (1, 2)]
    logs = train(cells, tmp_path)
    for log, name in zip(logs, ("made/first", "made/second")):
        manifest.record_asked(tmp_path, [{"key": log.name, "experiment": name}])
    arguments = [str(tmp_path), "measures=logits"]
    assert remeasure.main([*arguments, "experiment=made/second"]) == 0
    assert [(log / "remeasured.parquet").exists() for log in logs] == [False, True]
    capsys.readouterr()
    for wrong, said in {
        "experiment=made/third": f"experiment=made/third: no run logs in {tmp_path}; "
        "valid: made/first, made/second",
        "made/second": "made/second: must be key=value, with measures, at, experiment, processes "
        "for the key",
    }.items():
        assert remeasure.main([*arguments, wrong]) == 2
        assert capsys.readouterr().err == f"error: {said}\n"


@pytest.mark.parametrize("damage", ["torn", "other network"])
def test_a_snapshot_that_cannot_be_used_is_named(cell, tmp_path: Path, capsys, damage) -> None:
    (log,) = train([cell(REGULAR, "measures.names=[weights]")], tmp_path)
    file = log / "snapshots" / "4.pt"
    if damage == "torn":
        file.write_bytes(file.read_bytes()[:200])
    else:
        snapshots.save(log, 4, {"head.weight": torch.ones(10, 12)})
    assert remeasure.main([str(tmp_path), "measures=logits"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    expected = f"{file}: damaged" if damage == "torn" else f"{log}: snapshot of step 4 does not fit"
    assert line.startswith(f"error: {expected}")
    assert not (log / "remeasured.parquet").exists()


def test_wrong_input_is_one_line_with_what_is_valid(cell, tmp_path: Path, capsys) -> None:
    (log,) = train([cell(REGULAR, "measures.names=[weights]")], tmp_path / "x")
    (tmp_path / "y").mkdir()
    train([cell(REGULAR)], tmp_path / "bare", keep=False)
    wrong = {
        ("x",): "measures=…: missing; give one or several, separated by commas: collapse, ",
        ("x", "spectral"): "measures=…: missing",
        ("x", "measures="): "measures=: no such choice; valid: collapse, ",
        ("x", "measures=logits,spectrum"): "measures=spectrum: no such choice; valid: collapse, ",
        ("y", "measures=logits"): f"{tmp_path}/y: no run logs (in a folder cells/); valid: ",
        ("z", "measures=logits"): f"{tmp_path}/z: no run logs (in a folder cells/); valid: ",
        ("x", "measures=logits,fourier"): f"{log}: measures.names=fourier: needs labels",
        ("bare", "measures=logits"): f"{tmp_path}/bare: no snapshots in 1 run log; snapshots=log:N",
        ("x", "measures=logits", "at=20"): "at=20: must be null or log:N, N ≥ 2",
        ("x", "measures=logits", "steps=20"): "steps=20: no such option; valid: measures=, at=, ",
        ("x", "measures=logits", "measures=weights"): "measures=weights: measures is given twice",
        ("x", "measures=logits", "spectral"): "spectral: must be key=value, with measures, at, ",
        ("x", "measures=logits", "processes=0"): "processes=0: must be a number, 1 or more",
    }
    for (folder, *rest), expected in wrong.items():
        assert remeasure.main([str(tmp_path / folder), *rest]) == 2
        printed = capsys.readouterr()
        (line,) = printed.err.splitlines()
        assert printed.out == ""
        assert line.startswith(f"error: {expected}")
        if folder in "yz":
            assert line.endswith(f"{tmp_path}/x")
    assert not (log / "remeasured.parquet").exists()


def test_a_bar_on_terminals_only(cell, tmp_path: Path) -> None:
    train([cell(REGULAR, "measures.names=[weights]")], tmp_path)
    for name, terminal in (("logits", False), ("spectral", True)):
        text = StringIO()
        remeasure.remeasure(tmp_path, [name], Console(file=text, force_terminal=terminal))
        assert ("cells" in text.getvalue()) == terminal


def test_as_a_command(token_cell, tmp_path: Path) -> None:
    train([token_cell(REGULAR, "measures.names=[weights]")], tmp_path / "outputs" / "x")
    command = [sys.executable, "-m", "grokpipe.remeasure"]
    for arguments, expected in (
        (["outputs/x", "measures=fourier,logits"], "1 cell: fourier, logits measured\n"),
        (["--help"], "usage: python -m grokpipe.remeasure"),
    ):
        ran = subprocess.run(
            [*command, *arguments], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout.startswith(expected)
