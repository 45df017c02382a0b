"""Sweeps by the local launcher through the faults of real machines. What a disturbed sweep leaves
is held, to the byte, to what an undisturbed one leaves."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grokpipe.executors.local import cores
from tests.helpers.cli import ENVIRONMENT, ROOT, SERIAL, TINY, grokpipe
from tests.helpers.machine import little_memory, mounted
from tests.helpers.sweeps import (
    GRID,
    LONG,
    assert_same_tables,
    results,
    start,
    wait_for,
    workers,
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    ran = grokpipe("-m", SERIAL, *LONG, cwd=folder)
    assert ran.returncode == 0, ran.stderr
    assert len(results(folder / "outputs/default")) == 12
    return folder / "outputs/default"


@pytest.mark.slow(seconds=60)
def test_killed_twenty_times_at_random_moments(tmp_path: Path, undisturbed: Path) -> None:
    folder, draws = tmp_path / "outputs/default", random.Random()
    launcher = start(tmp_path, *LONG)
    for _ in range(20):
        time.sleep(draws.uniform(0.1, 3))
        victims = [launcher.pid] if launcher.poll() is None else []
        victims += workers(folder)
        if victims:
            victim = draws.choice(victims)
            os.kill(victim, signal.SIGKILL)
        if launcher.poll() is not None or victim == launcher.pid:
            launcher.communicate()
            launcher = start(tmp_path, *LONG)
    out, err = launcher.communicate(timeout=300)
    assert launcher.returncode == 0, out + err
    assert_same_tables(folder, undisturbed)
    assert not workers(folder)
    assert not list((folder / "packs").glob("*.claim"))


@pytest.mark.slow
def test_the_first_interrupt_checkpoints_and_the_same_command_goes_on(
    tmp_path: Path, undisturbed: Path
) -> None:
    folder = tmp_path / "outputs/default"
    launcher = start(tmp_path, *LONG)
    wait_for(lambda: len(list(folder.glob("packs/*.pt"))) == 2)
    launcher.send_signal(signal.SIGINT)
    _, told = launcher.communicate(timeout=60)
    assert launcher.returncode == 130
    assert told.count("\n") == 1 and "same command" in told
    assert not workers(folder)
    assert not list((folder / "packs").glob("*.claim"))
    assert len(list(folder.glob("packs/*.pt"))) == 2
    assert grokpipe("-m", *LONG, cwd=tmp_path).returncode == 0
    assert_same_tables(folder, undisturbed)


@pytest.mark.slow
@pytest.mark.skipif(cores() < 2, reason="two sweeps at once need two cores")
def test_an_interrupt_leaves_the_workers_of_another_sweep_alone(tmp_path: Path) -> None:
    folder, endless = tmp_path / "outputs/default", (*GRID, "weight_decay=0.1", "steps=1000000")
    first = start(tmp_path, *endless, "seed=0")
    wait_for(lambda: list(folder.glob("packs/*.pt")))
    ours = workers(folder)
    second = start(tmp_path, *endless, "seed=1")
    wait_for(lambda: len(list(folder.glob("packs/*.pt"))) == 2)
    others = [pid for pid in workers(folder) if pid not in ours]
    first.send_signal(signal.SIGINT)
    _, told = first.communicate(timeout=60)
    assert first.returncode == 130, told
    assert workers(folder) == others and len(others) == 1
    second.send_signal(signal.SIGINT)
    second.communicate(timeout=60)
    assert not workers(folder)


@pytest.mark.slow
def test_the_second_interrupt_ends_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "outputs/default"
    launcher = start(tmp_path, *LONG, "steps=1000000")
    wait_for(lambda: list(folder.glob("packs/*.pt")))
    for pid in workers(folder):
        os.kill(pid, signal.SIGSTOP)  # they cannot hear the first
    launcher.send_signal(signal.SIGINT)
    time.sleep(1)
    assert launcher.poll() is None
    launcher.send_signal(signal.SIGINT)
    launcher.communicate(timeout=20)
    assert launcher.returncode == 130
    wait_for(lambda: not workers(folder), 10)


@pytest.mark.slow
def test_workers_outlive_their_launcher_and_the_next_one_attaches(
    tmp_path: Path, undisturbed: Path
) -> None:
    folder = tmp_path / "outputs/default"
    launcher = start(tmp_path, *LONG)
    wait_for(lambda: len(workers(folder)) == len(list(folder.glob("packs/*.pt"))) > 0)
    before = workers(folder)
    os.killpg(launcher.pid, signal.SIGKILL)  # as a terminal that closes
    launcher.communicate()
    assert workers(folder) == before
    second = start(tmp_path, *LONG)
    out, err = second.communicate(timeout=300)
    assert second.returncode == 0, out + err
    assert_same_tables(folder, undisturbed)


@pytest.mark.slow
def test_two_launchers_at_once_run_each_cell_once(tmp_path: Path) -> None:
    """Over grids that overlap: of six seeds and two decays, and of three seeds and four decays.
    They share the cores."""
    short = (*GRID, "steps=2000")
    other = [*short, "weight_decay=0.1,0.2,0.3,0.4", "seed=range(3)"]
    first, second = start(tmp_path, *short), start(tmp_path, *other)
    folder = tmp_path / "outputs/default"
    at_once = 0
    while first.poll() is None or second.poll() is None:
        at_once = max(at_once, len(workers(folder)))
        time.sleep(0.1)
    said = [process.communicate(timeout=300) for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert 0 < at_once <= cores()
    found = results(folder)
    assert len(found) == 18
    assert {result["state"] for result in found.values()} == {"done"}
    packs = [json.loads(path.read_text())["keys"] for path in (folder / "packs").glob("*.json")]
    assert sorted(key for keys in packs for key in keys) == sorted(found)
    for path in (folder / "cells").glob("*/provenance.json"):
        assert "resumed" not in json.loads(path.read_text())


@pytest.mark.slow
def test_without_waiting_it_returns_and_says_so(tmp_path: Path) -> None:
    short = (*GRID, "steps=2000")
    ran = grokpipe("-m", *short, "hydra.launcher.wait=false", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "wait=false returns no results to a sweeper" in ran.stdout
    folder = tmp_path / "outputs/default"
    assert len(results(folder)) < 12
    again = grokpipe("-m", *short, cwd=tmp_path)  # attaches
    assert again.returncode == 0, again.stderr
    assert len(results(folder)) == 12
    for path in (folder / "cells").glob("*/provenance.json"):
        assert "resumed" not in json.loads(path.read_text())


def test_a_dry_run_tells_and_does_nothing(tmp_path: Path) -> None:
    ran = grokpipe("-m", *GRID, "hydra.launcher.dry_run=true", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "12 missing" in ran.stdout
    assert "4 of 3 cells" in ran.stdout
    assert "nothing was submitted" in ran.stdout
    assert not list(tmp_path.rglob("cells")) and not list(tmp_path.rglob("asked"))


@pytest.mark.slow
def test_a_configuration_edited_while_packs_wait_changes_nothing(tmp_path: Path) -> None:
    """One core, so that packs wait; the edited files would not even be read."""
    conf = tmp_path / "code"
    for package in ("grokpipe", "analysis", "hydra_plugins", "conf"):
        shutil.copytree(ROOT / package, conf / package)
    bound = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(bound)})
    try:
        launcher = start(tmp_path, *GRID, "steps=2000", PYTHONPATH=str(conf))
    finally:
        os.sched_setaffinity(0, bound)
    folder = tmp_path / "outputs/default"
    wait_for(lambda: list(folder.glob("workers/*.claim")))
    asked = {key for p in (folder / "packs").glob("*.json")
             for key in json.loads(p.read_text())["keys"]}  # fmt: skip
    for path in (conf / "conf").rglob("*.yaml"):
        path.write_text("nonsense: [")
    out, err = launcher.communicate(timeout=300)
    assert launcher.returncode == 0, out + err
    assert results(folder).keys() == asked
    assert {result["state"] for result in results(folder).values()} == {"done"}


@pytest.mark.slow(seconds=40)
def test_a_full_disk_stops_with_a_clear_line_and_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    command = (*GRID, "steps=2000", "save.final=true")
    with mounted(tmp_path / "outputs", "-t", "tmpfs", "-o", "size=16m", "tmpfs"):
        filler = tmp_path / "outputs/filler"
        launcher = start(tmp_path, *command)
        wait_for(lambda: list(tmp_path.glob("outputs/default/packs/*.pt")))
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        out, err = launcher.communicate(timeout=300)
        assert launcher.returncode == 2, out + err
        assert "No space left on device" in err and err.count("\n") == 1
        filler.unlink()
        again = grokpipe("-m", *command, cwd=tmp_path)
        assert again.returncode == 0, again.stdout + again.stderr
        found = results(tmp_path / "outputs/default")
        assert len(found) == 12
        assert {result["state"] for result in found.values()} == {"done"}


COMMANDS = {"one cell": (), "a sweep": ("-m", "seed=0,1"), "serial": ("-m", SERIAL, "seed=0,1")}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_read_only_folder_is_one_line(tmp_path: Path, command: str) -> None:
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    with mounted(outputs, "--bind", str(outputs)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(outputs)], check=True)
        ran = grokpipe(*COMMANDS[command], *TINY, cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr == "error: outputs/default: Read-only file system\n"


@pytest.mark.parametrize(
    ("command", "free"),
    [*((command, 0) for command in COMMANDS), ("one cell", 40_000), ("serial", 40_000)],
)
def test_a_disk_that_is_full_at_the_start_is_one_line(
    tmp_path: Path, command: str, free: int
) -> None:
    """With no space, nothing is written; with a little, the disk is full after the first files."""
    outputs = tmp_path / "outputs"
    with mounted(outputs, "-t", "tmpfs", "-o", "size=64k", "tmpfs"):
        (outputs / "filler").write_bytes(bytes(61_440 - free))
        ran = grokpipe(*COMMANDS[command], *TINY, cwd=tmp_path)
        (outputs / "filler").unlink()
        assert ran.returncode == 2, ran.stdout
        assert re.fullmatch(
            r"error: outputs/default[\w./]*: .*No space left on device\n", ran.stderr
        ), ran.stderr
        if free == 0:
            assert not [path for path in outputs.rglob("*") if path.is_file()]


FAULTY = """
        if step >= 20 and any(cell.config.seed == 3 for cell in self.cells):
            {fault}
"""
FAULTS = {
    "raises": ("raise RuntimeError('a fault of seed 3')", "RuntimeError: a fault of seed 3"),
    "crashes": ("import ctypes; ctypes.string_at(0)", "Segmentation fault"),
    "eats": ("eaten = bytearray(10**10)", "lack of memory"),
}


@pytest.mark.slow(seconds=50)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_cell_fails_alone_among_healthy_ones(tmp_path: Path, fault: str) -> None:
    """Cells whose weights are not finite are there too. The pack of four is split down to the
    faulty cell, by an exception, by two crashes in a row, or by two kills for lack of memory."""
    for package in ("grokpipe", "analysis", "hydra_plugins", "conf"):
        shutil.copytree(ROOT / package, tmp_path / package)
    code, reason = FAULTS[fault]
    stack = (tmp_path / "grokpipe/training/stack.py").read_text()
    where = "        advance = self._compiled_steps if self.compiled else self._plain_steps\n"
    assert where in stack
    faulty = FAULTY.format(fault=code)
    (tmp_path / "grokpipe/training/stack.py").write_text(stack.replace(where, faulty + where))
    command = (*TINY, "steps=200", "seed=3,4", "lr=1e-3,1e30", "pack.width=12",
               "eval={schedule: regular, every: 50}", "checkpoint.every=0.01")  # fmt: skip

    def sweep(enter=None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "grokpipe", "-m", *command], cwd=tmp_path, text=True,
            env={**ENVIRONMENT, "PYTHONPATH": str(tmp_path)}, capture_output=True, timeout=500,
            preexec_fn=enter,
        )  # fmt: skip

    if fault == "eats":
        with little_memory(3 * 10**9) as enter:
            ran = sweep(enter)
    else:
        ran = sweep()
    assert ran.returncode == 1, ran.stdout + ran.stderr
    found = results(tmp_path / "outputs/default")
    states = sorted(result["state"] for result in found.values())
    assert states == ["diverged", "done", "failed", "failed"]
    for result in found.values():
        if result["state"] == "failed":
            assert reason in result["reason"]
    assert ran.stderr.count(reason) >= 1
