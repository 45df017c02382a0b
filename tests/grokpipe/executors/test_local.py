"""Which slots the local launcher has, and what goes where."""

import json
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from grokpipe.executors import local
from grokpipe.executors.local import Local, Workers
from grokpipe.executors.serial import Serial
from grokpipe.launch import pack_plan
from grokpipe.store import lease


@pytest.fixture
def four_cores(monkeypatch) -> None:
    monkeypatch.setattr(local, "cores", lambda: 4)


@pytest.mark.parametrize(
    ("count", "overrides", "slots", "threads"),
    [
        (40, [], 4, 1),
        (3, [], 3, 1),  # fewer cells than cores: still no more threads than are asked for
        (1, [], 1, 1),
        (40, ["threads=2"], 2, 2),
        (40, ["threads=8"], 1, 8),
    ],
)
def test_processes_share_the_cores(cell, four_cores, count, overrides, slots, threads) -> None:
    one = cell(*overrides)
    place = Local().place([one] * count)
    assert (place.device, place.slots, place.threads) == ("cpu", slots, threads)
    assert place.cores == 4


def test_a_pack_in_this_process_has_as_many_threads_as_are_asked_for(cell) -> None:
    """Whatever PyTorch would take: by default, all cores."""
    torch.set_num_threads(2)
    try:
        assert Serial().place([cell()]).threads == 1
        assert Serial().place([cell("threads=3")]).threads == 3
    finally:
        torch.set_num_threads(1)


def test_cores_are_those_that_the_process_is_bound_to() -> None:
    bound = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(bound)})
        assert local.cores() == 1
    finally:
        os.sched_setaffinity(0, bound)


def test_packs_go_to_the_gpu_with_the_fewest(cell, tmp_path: Path, monkeypatch) -> None:
    """As on a machine with GPUs 3 and 5, of which PyTorch is not asked."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    monkeypatch.setattr(local, "device_of", lambda name: torch.device("cuda"))
    monkeypatch.setattr(local.memory, "free_bytes", lambda device: 10**10)
    place = Local(packs_per_gpu=2).place([cell()] * 40)
    assert (place.device, place.slots, place.free) == ("cuda", 4, 5 * 10**9)

    (tmp_path / "packs").mkdir()
    (tmp_path / "workers").mkdir()
    plans = [pack_plan.new_plan(tmp_path, [cell(f"seed={seed}")], 1) for seed in range(9)]
    workers = Workers(plans, packs_per_gpu=2)
    given = []

    def submit(files: list[Path], gpu: str | None) -> None:
        given.append(gpu)
        lease_file = tmp_path / "workers" / f"{len(given)}.claim"
        lease_file.write_text(json.dumps({**lease.this_process(), "mark": gpu}))
        workers.jobs.append((SimpleNamespace(done=lambda: False), lease_file))

    monkeypatch.setattr(workers, "_submit", submit)
    assert len(workers.start(plans)) == 4
    assert given == ["3", "5", "3", "5"]
    assert workers.start(plans) == []  # all slots are taken


def test_launchers_that_wait_for_one_slot_do_not_both_take_it(
    cell, four_cores, tmp_path: Path, monkeypatch
) -> None:
    """A worker counts from its lease_file on, which it writes some time after it was started."""
    (tmp_path / "packs").mkdir()
    (tmp_path / "workers").mkdir()
    plans = [pack_plan.new_plan(tmp_path, [cell(f"seed={s}", "threads=1")], 1) for s in range(20)]
    started = []

    def submit(self: Workers, files: list[Path], gpu: str | None) -> None:
        lease_file = tmp_path / "workers" / f"{len(started)}.claim"
        started.append(lease_file)
        self.jobs.append((SimpleNamespace(done=lambda: False), lease_file))
        text = json.dumps({**lease.this_process(), "mark": gpu})
        threading.Timer(0.3, lease_file.write_text, [text]).start()

    monkeypatch.setattr(Workers, "_submit", submit)
    launchers = [threading.Thread(target=Workers(plans, 1).start, args=[plans]) for _ in range(3)]
    for launcher in launchers:
        launcher.start()
    for launcher in launchers:
        launcher.join()
    assert len(started) == 4


def test_a_gpu_chosen_by_number_is_the_only_one(monkeypatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert local.gpus(torch.device("cuda", 1)) == [None]
    assert local.gpus(torch.device("cpu")) == [None]
    assert local.gpus(torch.device("cuda")) == ["3", "5"]
