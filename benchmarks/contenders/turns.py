"""Contenders in turns: all run in the same processes, one after another and again, so that other
load on the machine, and its drift, meet all of them.

There is a process a core. A contender with as many processes and one thread each runs in all of
them at the same time, each process bound to its core, and their rates are added; any other runs in
the first.
"""

import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import torch

from grokpipe.training.device import cores

CORES = cores()
Steps = Callable[[], int]
"""trains some steps and returns the number of seed-steps"""


@dataclass(frozen=True)
class Built:
    """A contender that is ready to train."""

    turn: Callable[[float], float]
    """trains for at least so many seconds and returns the rate in seed-steps a second"""
    how: str = ""
    """what it has chosen by itself"""


@dataclass(frozen=True)
class Contender:
    """A way to train that takes part."""

    name: str
    processes: int
    threads: int
    build: Callable[[], Built]
    bound: bool = False
    """whether it is built on its own core: JAX sizes its pool of threads by the cores it sees"""


def repeated(steps: Steps) -> Callable[[float], float]:
    """Build a turn that calls `steps` until the time is over, at least once."""

    def turn(seconds: float) -> float:
        done, begun = 0, time.perf_counter()
        while True:
            done += steps()
            if (passed := time.perf_counter() - begun) >= seconds:
                return done / passed

    return turn


class Worker:
    """One process: the contenders that it takes part in, on its core or on all."""

    def __init__(self, contenders: Sequence[Contender], number: int):
        self.every_core = os.sched_getaffinity(0)
        self.own_core = {sorted(self.every_core)[number]}
        self.contenders = contenders
        self.built: list[Built | None] = []
        for contender in contenders:
            takes_part = number < contender.processes
            self.built.append(self._build(contender) if takes_part else None)

    def _build(self, contender: Contender) -> Built:
        self._place(contender.bound, contender.threads)
        built = contender.build()
        built.turn(0)  # traces and compiles
        return built

    def _place(self, bound: bool, threads: int) -> None:
        os.sched_setaffinity(0, self.own_core if bound else self.every_core)
        torch.set_num_threads(threads)

    def rate(self, position: int, seconds: float) -> float:
        contender, built = self.contenders[position], self.built[position]
        assert built is not None
        self._place(contender.threads == 1, contender.threads)
        return built.turn(seconds)


def work(
    connection: Connection,
    contenders: Callable[[str], Iterable[Contender]],
    which: str,
    number: int,
) -> None:
    """Serve the match in a process of its own, until None is sent."""
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"  # JAX reads it at its import
    worker = Worker([*contenders(which)], number)
    connection.send([built.how if built else "" for built in worker.built])
    while (order := connection.recv()) is not None:
        connection.send(worker.rate(*order))


def match(
    contenders: Callable[[str], Iterable[Contender]],
    which: str,
    seconds: float,
    rounds: int,
    until: float,
) -> list[dict[str, Any]]:
    """Let all contenders train in turns; return a row each, with the median of its rates.

    Every second round goes backwards, so that none always follows the same one.

    Args:
        contenders: a function of a module, which lists the contenders for a network.
        which: the network.
        seconds: duration of a turn.
        rounds: turns of each contender.
        until: the time, by `time.monotonic`, at which there are no more rounds after the first,
            as on a machine that is busy.
    """
    context = multiprocessing.get_context("spawn")
    ends = []
    for number in range(CORES):
        mine, theirs = context.Pipe()
        context.Process(target=work, args=(theirs, contenders, which, number), daemon=True).start()
        theirs.close()  # so that the end of the process ends the connection
        ends.append(mine)
    try:
        begun, longest = time.perf_counter(), 0.0
        how, *_ = [end.recv() for end in ends]
        print(f"{which}: built in {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
        taking_part = [*contenders(which)]
        rates: list[list[float]] = [[] for _ in taking_part]
        for number in range(rounds):
            if number and time.monotonic() + longest > until:
                print(f"{which}: {number} of {rounds} rounds, the time is over", file=sys.stderr)
                break
            round_begun = time.monotonic()
            for position in range(len(rates))[:: -1 if number % 2 else 1]:
                contender = taking_part[position]
                used = ends[: contender.processes]
                for end in used:
                    end.send((position, seconds))
                rates[position].append(sum(end.recv() for end in used))
                said = f"{which} {number + 1}/{rounds} {contender.name}"
                print(f"{said}: {rates[position][-1]:,.1f}", file=sys.stderr, flush=True)
            longest = max(longest, time.monotonic() - round_begun)
        for end in ends:
            end.send(None)
    except EOFError:
        sys.exit(f"{which}: a process has ended with an error (above)")
    return [
        {
            "name": contender.name,
            "processes": contender.processes,
            "threads": contender.threads,
            **({"how": chosen} if chosen else {}),
            "seed_steps_per_second": round(statistics.median(turns), 2),
            "turns": len(turns),
            "lowest": round(min(turns), 2),
            "highest": round(max(turns), 2),
        }
        for contender, chosen, turns in zip(taking_part, how, rates, strict=True)
    ]
