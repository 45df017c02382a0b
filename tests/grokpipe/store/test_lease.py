"""Claims: one owner at a time, and a dead one's is taken over. The owners are real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from grokpipe.store import lease
from tests.helpers.cli import ENVIRONMENT
from tests.helpers.machine import little_memory

HOLD = """
import faulthandler, sys, time
from pathlib import Path
from grokpipe.store import lease
with lease.held(Path(sys.argv[1]), mark=sys.argv[2]) as held:
    if held is not None:
        faulthandler.enable(open(lease.crash_file(Path(sys.argv[1])), "w"))
    print("no" if held is None else held.deaths, flush=True)
    eaten = bytearray(int(sys.argv[3]))
    time.sleep(1000)
"""


def holder(
    path: Path, mark: str = "here", eats: int = 0, **how: Any
) -> tuple[subprocess.Popen[str], str]:
    """A process that holds the lease, once it has said so, and what it said; then it takes so many
    bytes of memory."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), mark, str(eats)],
        env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, **how,
    )  # fmt: skip
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_living_owner_keeps_it_and_a_dead_one_loses_it(tmp_path: Path) -> None:
    path = tmp_path / "x.claim"
    process, _ = holder(path)
    with lease.held(path) as held:
        assert held is None
    found = lease.read_live(path)
    assert found is not None and found["pid"] == process.pid
    process.send_signal(signal.SIGSTOP)  # standing still is not being dead, on the same machine
    old = time.time() - 10 * lease.DEAD_AFTER
    os.utime(path, (old, old))
    assert lease.read_live(path) is not None
    process.send_signal(signal.SIGCONT)
    kill(process)
    assert path.exists()
    assert lease.read_live(path) is None
    with lease.held(path) as held:
        assert held is not None
    assert list(tmp_path.iterdir()) == []


def test_deaths_by_a_fault_count_while_the_mark_stays(tmp_path: Path) -> None:
    path = tmp_path / "x.claim"
    said = []
    for mark in ("a", "a", "a", "b", "b"):
        process, deaths = holder(path, mark)
        said.append(deaths)
        process.send_signal(signal.SIGSEGV)
        process.communicate()
    assert said == ["0", "1", "2", "0", "1"]
    assert "Segmentation fault" in lease.crash_file(path).read_text()
    with lease.held(path, mark="c"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_deaths_by_somebodys_hand_do_not_count(tmp_path: Path) -> None:
    said = []
    for _ in range(3):
        process, deaths = holder(tmp_path / "x.claim")
        said.append(deaths)
        kill(process)
    assert said == ["0", "0", "0"]


@pytest.mark.slow
def test_deaths_by_linux_for_lack_of_memory_count(tmp_path: Path) -> None:
    """A real one, in a control group with little of it."""
    said = []
    with little_memory(100_000_000) as enter:
        for _ in range(3):
            process, deaths = holder(tmp_path / "x.claim", eats=10**9, preexec_fn=enter)
            said.append(deaths)
            process.communicate(timeout=60)
            assert process.returncode == -signal.SIGKILL
    assert said == ["0", "1", "2"]


def test_a_lease_that_another_machine_no_longer_refreshes_is_dead(tmp_path: Path) -> None:
    path = tmp_path / "x.claim"
    elsewhere = {
        **lease.this_process(),
        "host": "elsewhere",
        "token": "t",
        "mark": None,
        "deaths": 0,
    }
    path.write_text(json.dumps(elsewhere))
    with lease.held(path) as held:
        assert held is None
    old = time.time() - lease.DEAD_AFTER - 1
    os.utime(path, (old, old))
    with lease.held(path) as held:
        assert held is not None


def test_a_requeued_slurm_job_takes_its_own_lease_over_at_once(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "x.claim"
    before = {**lease.this_process(), "host": "elsewhere", "job": "7", "token": "t", "mark": None}
    path.write_text(json.dumps({**before, "deaths": 0}))
    with lease.held(path) as held:
        assert held is None
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    with lease.held(path) as held:  # it may be another node of the same job
        assert held is None
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    with lease.held(path) as held:
        assert held is not None


def test_the_owner_touches_it_tells_its_progress_and_notices_a_loss(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(lease, "REFRESH_EVERY", 0.02)
    path = tmp_path / "x.claim"

    def wait_for(condition) -> None:
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.01)

    with lease.held(path) as held:
        assert held is not None
        held.publish(step=3)
        wait_for(lambda: (lease.read(path) or {}).get("progress") == {"step": 3})
        first = path.stat().st_mtime_ns
        wait_for(lambda: path.stat().st_mtime_ns > first)
        theirs = {**lease.this_process(), "token": "theirs", "mark": None, "deaths": 0}
        (tmp_path / "new").write_text(json.dumps(theirs))
        os.replace(tmp_path / "new", path)
        wait_for(held.lost.is_set)
    assert json.loads(path.read_text())["token"] == "theirs"  # not ours to remove


@pytest.mark.slow
def test_many_processes_take_over_a_dead_lease_but_only_one_has_it(tmp_path: Path) -> None:
    path = tmp_path / "x.claim"
    for _ in range(3):
        process, _ = holder(path)
        kill(process)
        rivals = [
            subprocess.Popen(
                [sys.executable, "-c", HOLD, str(path), "here", "0"],
                env=ENVIRONMENT, stdout=subprocess.PIPE, text=True,
            )
            for _ in range(8)
        ]  # fmt: skip
        said = [rival.stdout.readline().strip() for rival in rivals if rival.stdout]
        assert sum(word != "no" for word in said) == 1, said
        for rival in rivals:
            kill(rival)
        path.unlink(missing_ok=True)
