"""Measure steps per second of one cell with one thread and with two, which wait for one another
spinning, as by default, or asleep, as grokpipe sets it; alone and beside a busy process a core.

    python -m benchmarks.threads [--store]
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import median

import torch
from hydra import compose, initialize_config_dir

from benchmarks._common import RESULTS, machine, show
from grokpipe.cell import Cell
from grokpipe.config.composing import CONF
from grokpipe.config.resolving import resolve
from grokpipe.config.schema import register
from grokpipe.executors.waiting import ASLEEP, CHOSEN_BY
from grokpipe.training import numerics
from grokpipe.training.device import cores
from grokpipe.training.pack import Pack

CONTENDERS = {"1 thread": (1, ASLEEP), "2, spinning": (2, {}), "2, asleep": (2, ASLEEP)}
SECONDS, TURNS = 1.0, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", action="store_true", help=f"write into {RESULTS}")
    store = parser.parse_args().store
    trainers = {name: started(*contender) for name, contender in CONTENDERS.items()}
    rates = {place: {name: list[float]() for name in trainers} for place in ("alone", "busy")}
    for _, (place, by_name) in product(range(TURNS), rates.items()):
        for name, trainer in trainers.items():
            with busy(cores() if place == "busy" else 0):
                trainer.send(SECONDS)
                by_name[name].append(trainer.recv())
    for trainer in trainers.values():
        trainer.send(0)
    result = {"machine": machine() | {"torch": torch.__version__}}
    for place, by_name in rates.items():
        steps = {name: round(median(turns), 1) for name, turns in by_name.items()}
        ratios = {name: round(rate / steps["1 thread"], 3) for name, rate in steps.items()}
        result[place] = {"steps_per_second": steps, "over_one_thread": ratios}
    show(result, "threads", store)


def started(threads: int, environment: dict[str, str]) -> Connection:
    """Start a process that trains one cell; it answers seconds with steps per second."""
    for name in CHOSEN_BY:
        os.environ.pop(name, None)
    os.environ.update(environment)  # read when the child loads OpenMP
    spawning = get_context("spawn")
    here, there = spawning.Pipe()
    spawning.Process(target=train, args=(there, threads), daemon=True).start()
    here.recv()  # ready
    return here


def train(connection: Connection, threads: int) -> None:
    torch.set_num_threads(threads)
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        pack = Pack([Cell.of(resolve(compose("config")))])
    with numerics.flushed():
        pack.advance(5)
        connection.send("ready")
        while seconds := connection.recv():  # 0: the end
            steps, begun = 0, time.perf_counter()
            while (taken := time.perf_counter() - begun) < seconds:
                pack.advance(1)
                steps += 1
            connection.send(steps / taken)


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep this many processes computing within the block."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()


if __name__ == "__main__":
    main()
