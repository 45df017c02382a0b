"""Devices by name, the GPUs that workers are spread over, idle cores, advice on threads."""

import os
import time

import pytest
import torch

from grokpipe.errors import InputError
from grokpipe.training import device


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_without_a_gpu_there_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device.device_of("auto") == device.device_of("cpu") == torch.device("cpu")
    assert device.gpus(torch.device("cpu")) == [None]
    with pytest.raises(InputError, match=r"device=cuda: not on this machine; valid: auto, cpu$"):
        device.device_of("cuda")


def test_with_gpus_each_may_be_named(two_gpus) -> None:
    assert device.device_of("auto") == torch.device("cuda")
    assert device.device_of("cuda:1") == torch.device("cuda:1")
    with pytest.raises(InputError, match=r"valid: auto, cpu, cuda, cuda:0, cuda:1$"):
        device.device_of("cuda:2")


def test_packs_are_spread_over_the_gpus_that_are_visible(two_gpus, monkeypatch) -> None:
    assert device.gpus(torch.device("cuda")) == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-8a")
    assert device.gpus(torch.device("cuda")) == ["3", "GPU-8a"]
    assert device.gpus(torch.device("cuda:1")) == [None]


def test_idle_cores_are_counted_over_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """One core of three idle throughout, one a quarter of the time, one never."""
    ticks = iter([[(100, 500), (70, 90), (5, 900)], [(120, 520), (75, 110), (5, 920)]])
    monkeypatch.setattr(device, "_ticks", lambda: next(ticks))
    monkeypatch.setattr(device, "cores", lambda: 3)
    assert device.idle_cores(0) == 1.25


def test_idle_cores_are_no_more_than_the_quota_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(device._ticks()) == len(os.sched_getaffinity(0))
    ticks = iter([[(0, 0)] * 8, [(10, 10)] * 8])
    monkeypatch.setattr(device, "_ticks", lambda: next(ticks))
    monkeypatch.setattr(device, "cores", lambda: 2)
    assert device.idle_cores(0) == 2


@pytest.mark.parametrize(("threads", "counted"), [(1, False), (2, True)])
def test_time_without_the_core_counts_only_for_several_threads(threads, counted) -> None:
    """Asleep, this process is as one that waits while another computes."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        begun = device.computing_seconds()
        time.sleep(0.3)
        assert (device.computing_seconds() - begun > 0.2) is counted
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("threads", "processes", "cells", "cores", "idle", "advice"),
    [
        (2, 1, 1, 2, 1.9, None),
        (4, 2, 2, 8, 7.6, None),
        (8, 1, 1, 2, 2.0, "threads=8: only 2 cores to use"),
        (2, 1, 1, 1, 1.0, "threads=2: only 1 core to use"),
        (2, 1, 1, 2, 0.93, "threads=2: other processes leave 0.9 of 2 cores idle"),
        (2, 2, 2, 4, 3.0, "threads=2: other processes leave 3.0 of 4 cores idle"),
        (2, 1, 10, 2, 2.0, "threads=2: 10 cells train faster in packs of one thread"),
    ],
)
def test_advice_on_threads(threads, processes, cells, cores, idle, advice) -> None:
    line = device.thread_advice(threads, processes, cells, cores, idle)
    assert line is None if advice is None else line is not None and line.startswith(advice)
