"""Who takes part runs where it should, and the rest of the process is left alone."""

import os

import pytest
import torch

from benchmarks.contenders import turns
from benchmarks.contenders.turns import Built, Contender, Worker, repeated


@pytest.fixture
def placed():
    """Cores and threads are put back after the test."""
    cores, threads = os.sched_getaffinity(0), torch.get_num_threads()
    yield cores
    os.sched_setaffinity(0, cores)
    torch.set_num_threads(threads)


def test_each_contender_has_its_cores_and_threads(placed) -> None:
    seen: list[tuple[str, int, int]] = []

    def contender(name: str, processes: int, threads: int, bound: bool = False) -> Contender:
        def note(when: str) -> None:
            seen.append((f"{name} {when}", len(os.sched_getaffinity(0)), torch.get_num_threads()))

        def build() -> Built:
            note("built")
            return Built(lambda seconds: note("trains") or seconds)

        return Contender(name, processes, threads, build, bound)

    contenders = [contender("one", 1, 1), contender("wide", 1, 2), contender("jax", 2, 1, True)]
    all_cores = len(placed)
    worker = Worker(contenders, 0)
    assert [name for name, *_ in seen if "built" in name] == [
        "one built",
        "wide built",
        "jax built",
    ]
    assert seen[-2:] == [("jax built", 1, 1), ("jax trains", 1, 1)]
    seen.clear()
    assert [worker.rate(position, 0.5) for position in (1, 0, 2)] == [0.5] * 3
    assert seen == [("wide trains", all_cores, 2), ("one trains", 1, 1), ("jax trains", 1, 1)]
    seen.clear()
    if all_cores > 1:
        os.sched_setaffinity(0, placed)
        Worker(contenders, 1)
        assert [name for name, *_ in seen] == ["jax built", "jax trains"]


def test_a_turn_lasts_as_long_as_asked(monkeypatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(turns.time, "perf_counter", lambda: clock[0])
    calls = []

    def steps() -> int:
        calls.append(clock[0])
        clock[0] += 0.4
        return 10

    turn = repeated(steps)
    assert turn(0) == pytest.approx(25)
    assert len(calls) == 1
    assert turn(1.0) == pytest.approx(25)
    assert len(calls) == 4
