"""Killed in the middle, continued by the same command: the same tensors and the same rows."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from grokpipe.store import checkpoint, run_log
from grokpipe.training.loop import Run
from grokpipe.training.pack import Pack
from tests.helpers.cli import ENVIRONMENT, grokpipe
from tests.helpers.training import quiet, run_logs, same

RUN = (
    "train_size=64", "batch_size=16", "arch.width=12", "steps=3000", "threads=1",
    "eval={schedule: regular, every: 500}", "checkpoint.every=0.05",
)  # fmt: skip


def start(cwd: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "grokpipe", *RUN, *more],
        cwd=cwd,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition, process: subprocess.Popen[str], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


def the_log(cwd: Path) -> Path:
    (log,) = (cwd / "outputs/default/cells").iterdir()
    return log


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    ran = grokpipe(*RUN, cwd=folder)
    assert ran.returncode == 0, ran.stderr
    return the_log(folder)


def assert_same_run(log: Path, expected: Path) -> None:
    assert (log / "curves.parquet").read_bytes() == (expected / "curves.parquet").read_bytes()
    assert (log / "result.json").read_text() == (expected / "result.json").read_text()
    assert same(
        torch.load(log / "final.pt", weights_only=True),
        torch.load(expected / "final.pt", weights_only=True),
    )
    assert not (log / "curves.jsonl").exists()
    assert not list(log.parents[1].glob("packs/*.pt*"))


@pytest.mark.slow
def test_killed_twice_in_the_middle(tmp_path: Path, undisturbed: Path) -> None:
    for number in (1, 2):
        process = start(tmp_path)
        packs = tmp_path / "outputs/default/packs"
        before = {p: p.stat().st_mtime_ns for p in packs.glob("*.pt")}

        def wrote_anew(packs: Path = packs, before: dict = before) -> bool:
            now = {p: p.stat().st_mtime_ns for p in packs.glob("*.pt")}
            return bool(now) and now != before

        wait_for(wrote_anew, process)
        process.kill()
        process.communicate()
        provenance = json.loads((the_log(tmp_path) / "provenance.json").read_text())
        assert len(provenance.get("resumed", [])) == number - 1
    assert grokpipe(*RUN, cwd=tmp_path).returncode == 0
    assert_same_run(the_log(tmp_path), undisturbed)
    provenance = json.loads((the_log(tmp_path) / "provenance.json").read_text())
    assert len(provenance["resumed"]) == 2
    assert provenance["wall_seconds"] > 0


FREEZE = ("norm_freeze", "intervention.from_event=null", "intervention.from_step=100")


@pytest.mark.slow
@pytest.mark.parametrize("chosen", [("noise",), FREEZE], ids=lambda chosen: chosen[0])
def test_what_an_intervention_draws_and_holds_survives_a_kill(tmp_path: Path, chosen) -> None:
    more = (f"intervention={chosen[0]}", *chosen[1:])
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut):
        folder.mkdir()
    assert grokpipe(*RUN, *more, cwd=whole).returncode == 0
    process = start(cut, *more)
    wait_for(lambda: list((cut / "outputs/default/packs").glob("*.previous")), process)
    process.kill()
    process.communicate()
    assert grokpipe(*RUN, *more, cwd=cut).returncode == 0
    assert_same_run(the_log(cut), the_log(whole))
    provenance = json.loads((the_log(cut) / "provenance.json").read_text())
    assert len(provenance["resumed"]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_politely(tmp_path: Path, undisturbed: Path, number: signal.Signals) -> None:
    process = start(tmp_path)
    wait_for(lambda: list((tmp_path / "outputs/default/packs").glob("*.pt")), process)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "same command" in told
    assert told.count("\n") == 1, told
    assert grokpipe(*RUN, cwd=tmp_path).returncode == 0
    assert_same_run(the_log(tmp_path), undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["newest truncated", "both truncated", "curve truncated"])
def test_damaged_files_fall_back(tmp_path: Path, undisturbed: Path, damage: str) -> None:
    process = start(tmp_path)
    packs, cells = tmp_path / "outputs/default/packs", tmp_path / "outputs/default/cells"
    wait_for(
        lambda: (
            list(packs.glob("*.previous"))
            and any(len(p.read_text().splitlines()) > 2 for p in cells.glob("*/curves.jsonl"))
        ),
        process,
    )
    process.kill()
    process.communicate()
    for path in packs.glob("*.pt*"):
        if damage == "both truncated" or (damage == "newest truncated" and path.suffix == ".pt"):
            os.truncate(path, path.stat().st_size // 2)
    if damage == "curve truncated":
        lines = the_log(tmp_path) / "curves.jsonl"
        os.truncate(lines, lines.stat().st_size // 2)
    assert grokpipe(*RUN, cwd=tmp_path).returncode == 0
    assert_same_run(the_log(tmp_path), undisturbed)


@pytest.mark.parametrize(
    ("on_disk", "kept", "step"), [(5, 3, 30), (3, 3, 30), (2, 2, 20), (1, 0, 0)]
)
def test_resume_takes_the_newest_checkpoint_whose_rows_are_all_there(
    cell, tmp_path: Path, on_disk: int, kept: int, step: int
) -> None:
    """Checkpoints with two and three rows; on disk are more rows, as many, fewer, too few."""
    one = cell()
    (log,) = run_logs([one], tmp_path)
    file = tmp_path / "pack.pt"
    first = Run(Pack([one]), [log], file, quiet())
    for rows, trained in ((2, 20), (3, 10)):
        first.pack.advance(trained)
        first.rows = rows
        first.save()
    for row in range(on_disk):
        log.append({"step": 10 * row})
    again = Run(Pack([one]), [log], file, quiet())
    again.resume()
    assert again.rows == kept
    assert again.pack.step == step
    assert len(run_log.read_curves(log.folder)) == kept


def test_a_checkpoint_of_another_format_is_not_read(cell, tmp_path: Path) -> None:
    one = cell()
    (log,) = run_logs([one], tmp_path)
    checkpoint.save(tmp_path / "pack.pt", {"pack": {}, "rows": 0, "seconds": 1.0})
    run = Run(Pack([one]), [log], tmp_path / "pack.pt", quiet())
    run.resume()
    assert run.pack.step == 0
