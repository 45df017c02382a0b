"""Measure seed-steps per second of packs, of loops that a user would write, and of bare products.

All contenders run in the same processes, in turns of a few seconds, so that other load on the
machine affects all of them; the medians over the turns are compared. A contender with several
processes runs in all of them at the same time, and their rates are added.

    python -m benchmarks.packs [--seconds 3] [--rounds 5] [--store] [--only transformer]
"""

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import torch
from hydra import compose, initialize_config_dir

from benchmarks._common import RESULTS, machine, show
from benchmarks.plain import Steps, loaded, plain_mlp, plain_transformer, resident
from grokpipe.cell import Cell
from grokpipe.config.composing import CONF
from grokpipe.config.resolving import resolve
from grokpipe.config.schema import register
from grokpipe.training import numerics
from grokpipe.training.evaluate import Evaluator
from grokpipe.training.execution import Execution
from grokpipe.training.pack import Pack
from grokpipe.training.programs.compiling import worth_compiling

CORES = os.cpu_count() or 1
WIDTHS = (1, 4, 10)
MANY = 64
ALL = 10  # width of the packs when all cores are in use
EVERY = {"mlp": 666, "transformer": 100}  # steps between evaluations, as published
EXPERIMENTS = {"mlp": ["arch.depth=2", "steps=100000"], "transformer": ["task=mod_add"]}


@dataclass(frozen=True)
class Contender:
    """A way to train that takes part in the match."""

    name: str
    processes: int
    threads: int
    steps: Steps


def cells(which: str, count: int) -> list[Cell]:
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        overrides = EXPERIMENTS[which]
        return [
            Cell.of(resolve(compose("config", [*overrides, f"seed={i}"]))) for i in range(count)
        ]


def pack_steps(which: str, width: int, compiled: bool) -> Steps:
    pack = Pack(cells(which, width), execution=Execution(compiled=compiled))

    def step() -> int:
        pack.advance(5)
        return 5 * width

    return step


def evaluated_steps(which: str, width: int, compiled: bool) -> Steps:
    """Train a pack with every measure at the published interval."""
    pack = Pack(cells(which, width), execution=Execution(compiled=compiled))
    evaluators = [
        Evaluator.of(c.config, task) for c, task in zip(pack.cells, pack.tasks, strict=True)
    ]

    def step() -> int:
        pack.advance(EVERY[which])
        for i, evaluator in enumerate(evaluators):
            evaluator.row(pack.outputs(i))
        return EVERY[which] * width

    return step


# bare products


def products(which: str) -> list[tuple[int, int, int]]:
    """List (m, k, n) of the matrix products in one cell's step, forward and backward.

    For the Transformer those of the exact shortcut; for the MLP those of the layers, without a
    gradient for the images.
    """
    if which == "mlp":
        layers = [(100, 784, 200), (100, 200, 200), (100, 200, 10)]
        needless = {(100, 784, 200)}
    else:
        p, batch, d, hidden = 97, 512, 128, 512
        layers = [(2 * p, d, 2 * d), (p, d, d)]  # keys and values, queries: tables
        layers += [(batch, d, d), (batch, d, hidden), (batch, hidden, d), (batch, d, p)]
        needless = set()
    backward = [(k, m, n) for m, k, n in layers]  # of the weights
    backward += [(m, n, k) for m, k, n in layers if (m, k, n) not in needless]  # of the inputs
    return layers + backward


def arithmetic(which: str) -> int:
    """Count the floating-point operations of one seed-step's products."""
    return sum(2 * m * k * n for m, k, n in products(which))


def product_steps(which: str) -> Steps:
    """Compute all products of one cell's step into preallocated memory."""
    pairs = [
        (torch.randn(m, k), torch.randn(k, n), torch.empty(m, n)) for m, k, n in products(which)
    ]

    def step() -> int:
        for a, b, out in pairs:
            torch.mm(a, b, out=out)
        return 1

    return step


# the match


def contenders(which: str, widths: tuple[int, ...] = WIDTHS) -> Iterator[Contender]:
    compiled, _ = worth_compiling("on", 0, torch.device("cpu"))
    one = cells(which, 1)[0]
    plain: dict[str, Callable[[], Steps]]
    if which == "mlp":
        plain = {
            "data resident": lambda: plain_mlp(one, resident(one)),
            "DataLoader": lambda: plain_mlp(one, loaded(one)),
        }
    else:
        plain = {"TransformerEncoderLayer": lambda: plain_transformer(one)}
    for name, make in plain.items():
        steps = make()
        yield Contender(f"plain: {name}", 1, 1, steps)
        yield Contender(f"plain: {name}", 1, CORES, steps)
        yield Contender(f"plain: {name}", CORES, 1, steps)
    for width in (*widths, MANY):
        yield Contender(f"pack of {width}", 1, 1, pack_steps(which, width, compiled))
    together = pack_steps(which, ALL, compiled)
    yield Contender(f"pack of {ALL}", CORES, 1, together)
    if compiled:
        yield Contender(f"pack of {ALL}, eager", CORES, 1, pack_steps(which, ALL, False))
    yield Contender(f"pack of {ALL}, evaluated", CORES, 1, evaluated_steps(which, ALL, compiled))
    yield Contender("products alone", CORES, 1, product_steps(which))


def work(connection: Connection, which: str) -> None:
    """Run one process of the match: build all contenders, then train them on request."""
    torch.set_num_threads(1)
    numerics.choose_products(tf32=False)
    all_contenders = list(contenders(which))
    for contender in all_contenders:
        contender.steps()
    connection.send([(c.name, c.processes, c.threads) for c in all_contenders])
    while (order := connection.recv()) is not None:
        position, seconds = order
        contender = all_contenders[position]
        torch.set_num_threads(contender.threads)
        done, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < seconds:
            done += contender.steps()
        connection.send(done / (time.perf_counter() - begun))


def match(which: str, seconds: float, rounds: int) -> list[dict[str, Any]]:
    context = multiprocessing.get_context("spawn")
    ends = []
    for _ in range(CORES):
        mine, theirs = context.Pipe()
        context.Process(target=work, args=(theirs, which), daemon=True).start()
        ends.append(mine)
    names, *_ = [end.recv() for end in ends]
    rates: list[list[float]] = [[] for _ in names]
    for number in range(rounds):
        for position, (name, processes, _) in enumerate(names):
            for end in ends[:processes]:
                end.send((position, seconds))
            rates[position].append(sum(end.recv() for end in ends[:processes]))
            print(f"{which} {number + 1}/{rounds} {name}: {rates[position][-1]:,.1f}", flush=True)
    for end in ends:
        end.send(None)
    return [
        {
            "name": name,
            "processes": processes,
            "threads": threads,
            "seed_steps_per_second": round(statistics.median(turns), 2),
            "lowest": round(min(turns), 2),
            "highest": round(max(turns), 2),
        }
        for (name, processes, threads), turns in zip(names, rates, strict=True)
    ]


def summary(which: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Ratios of the medians, each contender using the whole machine."""

    def best(start: str) -> float:
        return max(r["seed_steps_per_second"] for r in rows if r["name"].startswith(start))

    def rate(name: str, processes: int) -> float:
        return next(
            r["seed_steps_per_second"]
            for r in rows
            if (r["name"], r["processes"]) == (name, processes)
        )

    ours = rate(f"pack of {ALL}", CORES)
    bare = rate("products alone", CORES)
    ratios = {
        f"over plain: {name}": round(ours / best(f"plain: {name}"), 2)
        for name in dict.fromkeys(
            r["name"].removeprefix("plain: ") for r in rows if r["name"].startswith("plain: ")
        )
    }
    return ratios | {
        "share of products": round(ours / bare, 3),
        "gflops of products": round(bare * arithmetic(which) / 1e9, 1),
        "megaflop of a seed-step": round(arithmetic(which) / 1e6, 1),
        "evaluations": round(ours / rate(f"pack of {ALL}, evaluated", CORES) - 1, 3),
        f"cost of {MANY} over {ALL}": round(
            (MANY / rate(f"pack of {MANY}", 1)) / (ALL / rate(f"pack of {ALL}", 1)), 2
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3, help="duration of a turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=EXPERIMENTS, help="one of the two")
    parser.add_argument("--store", action="store_true", help=f"write into {RESULTS}")
    options = parser.parse_args()
    result: dict[str, Any] = {
        "machine": {
            **machine(),
            "products": numerics.choose_products(tf32=False),
            "torch": torch.__version__,
        }
    }
    for which in [options.only] if options.only else EXPERIMENTS:
        rows = match(which, options.seconds, options.rounds)
        result[which] = {"summary": summary(which, rows), "contenders": rows}
    show(result, "packs", options.store)


if __name__ == "__main__":
    main()
