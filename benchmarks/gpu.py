"""Packs on one GPU against the plain loop on the same GPU, in one process, in turns.

Prints seed-steps a second by width, eager and compiled, and with --store keeps them.

    python -m benchmarks.gpu [--seconds 3] [--rounds 3] [--store]
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from benchmarks._common import machine, show
from benchmarks.packs import EXPERIMENTS, cells
from benchmarks.plain import EncoderNetwork, adamw
from grokpipe.cell import Cell
from grokpipe.losses import training_loss
from grokpipe.training.execution import Execution
from grokpipe.training.pack import Pack, initial_network

WIDTHS = {False: (1, 10, 64, 256), True: (10, 64)}
"""of packs, eager and compiled: compiling one takes half a minute"""
CHUNK = 20  # steps between looks at the clock

Steps = Callable[[], int]
"""does some steps on the GPU, waits for them, and returns how many seed-steps they were"""


def plain(cell: Cell) -> Steps:
    """The loop that a user would write for one network: data resident, fused AdamW."""
    task, config = cell.task, cell.config
    inputs, labels = task.inputs[task.train].cuda(), task.labels[task.train].cuda()
    tokens = task.vocabulary is not None
    network = EncoderNetwork(task.vocabulary) if task.vocabulary else initial_network(cell)
    network = network.cuda()
    optimizer = adamw(network, cell)

    def steps() -> int:
        for _ in range(CHUNK):
            rows = torch.randint(len(inputs), (config.batch_size or len(inputs),), device="cuda")
            if tokens:
                loss = functional.cross_entropy(network(inputs[rows]), labels[rows])
            else:
                loss = training_loss(config.loss, network(inputs[rows])[0], labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        torch.cuda.synchronize()
        return CHUNK

    return steps


def packed(which: str, width: int, compiled: bool) -> Steps:
    pack = Pack(cells(which, width), "cuda", Execution(compiled=compiled))

    def steps() -> int:
        pack.advance(CHUNK)
        torch.cuda.synchronize()
        return CHUNK * width

    return steps


def rates(contenders: dict[str, Steps], seconds: float, rounds: int) -> dict[str, float]:
    """Median seed-steps a second of each contender over `rounds` turns of `seconds` each."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, steps in contenders.items():
            done, begun = 0, time.perf_counter()
            while time.perf_counter() - begun < seconds:
                done += steps()
            found[name].append(done / (time.perf_counter() - begun))
            print(f"{name}: {found[name][-1]:,.0f}", flush=True)
    return {name: round(statistics.median(values), 1) for name, values in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3, help="of a turn")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--store", action="store_true", help="keep the result beside the others")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        parser.error("no CUDA device on this machine")
    result: dict[str, Any] = {
        "machine": {
            **machine(),
            "gpu": torch.cuda.get_device_name(),
            "torch": torch.__version__,
        }
    }
    for which in EXPERIMENTS:
        contenders = {"plain": plain(cells(which, 1)[0])}
        for compiled in (False, True):
            for width in WIDTHS[compiled]:
                name = f"pack of {width}{', compiled' if compiled else ''}"
                contenders[name] = packed(which, width, compiled)
        for steps in contenders.values():
            steps()
        result[which] = rates(contenders, options.seconds, options.rounds)
    show(result, "gpu", options.store)


if __name__ == "__main__":
    main()
