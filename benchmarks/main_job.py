"""Compare the main job with the plain loop that a user would write, in one process, in turns.

One published run (MLP on MNIST, every cheap measure at the published log points, run log and
checkpoints included) trains through `grokpipe.training.loop`; every 2,500 steps it pauses while the
plain data-resident loop (autograd, fused AdamW, no measure at all) takes as many steps, so that
both see the machine in the same state. Prints the ratio and the share of evaluations, and with
--store keeps them for the README.

    python -m benchmarks.main_job [--steps 100000] [--threads N] [--store]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import torch
from hydra import compose, initialize_config_dir
from rich.console import Console
from torch import Tensor
from torch.nn import functional

from benchmarks._common import RESULTS, machine, show
from grokpipe.cell import Cell
from grokpipe.config.composing import CONF
from grokpipe.config.resolving import resolve
from grokpipe.config.schema import register
from grokpipe.store.run_log import RunLog
from grokpipe.training.choosing import chosen
from grokpipe.training.evaluate import Evaluator, NetworkOutputs
from grokpipe.training.loop import train
from grokpipe.training.pack import Pack, initial_network
from grokpipe.training.progress import RunProgress

SLICE = 2500


class PlainLoop:
    """The plain loop: resident data, shuffled epochs, fused AdamW, no measures."""

    def __init__(self, cell: Cell):
        task, config = cell.task, cell.config
        self.network = initial_network(cell)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), config.lr, weight_decay=config.weight_decay, fused=True
        )
        self.images = task.inputs[task.train]
        self.targets = functional.one_hot(task.labels[task.train], task.classes).float()
        self.batch_size = config.batch_size
        self.batches = self._epochs()

    def _epochs(self) -> Iterator[Tensor]:
        while True:
            yield from torch.randperm(len(self.images)).split(self.batch_size)

    def run(self, steps: int) -> float:
        """Time that many steps, in seconds."""
        begun = time.perf_counter()
        for _ in range(steps):
            rows = next(self.batches)
            logits, _ = self.network(self.images[rows])
            loss = ((logits - self.targets[rows]) ** 2).sum()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        return time.perf_counter() - begun


class Turns(RunProgress):
    """Takes turns with the plain loop whenever the training loop reports progress."""

    def __init__(self, plain: PlainLoop, steps: int):
        super().__init__("", steps, Console(quiet=True), enabled=False)
        self.plain = plain
        self.next_turn = SLICE
        self.ours: list[float] = []
        self.theirs: list[float] = []
        self.begun = time.perf_counter()

    def update(self, step: int, active: int) -> None:
        while step >= self.next_turn:
            self.ours.append(time.perf_counter() - self.begun)
            self.theirs.append(self.plain.run(SLICE))
            self.next_turn += SLICE
            self.begun = time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--store", action="store_true", help=f"write into {RESULTS}")
    options = parser.parse_args()
    if options.steps < SLICE or options.steps % SLICE:
        parser.error(f"--steps {options.steps}: must be a multiple of {SLICE}")
    torch.set_num_threads(options.threads)
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cell = Cell.of(resolve(compose("config", ["arch.depth=2", f"steps={options.steps}"])))

    evaluating: list[float] = []
    row = Evaluator.row

    def timed_row(
        self: Evaluator, outputs: NetworkOutputs, step: int | None = None
    ) -> dict[str, float]:
        begun = time.perf_counter()
        result = row(self, outputs, step)
        evaluating.append(time.perf_counter() - begun)
        return result

    Evaluator.row = timed_row  # type: ignore[method-assign]
    execution, _ = chosen([cell], torch.device("cpu"), "auto")
    pack = Pack([cell], execution=execution)
    pack.advance(1)  # compiles what is new to this machine
    pack = Pack([cell], execution=execution)
    plain = PlainLoop(cell)
    plain.run(200)
    with tempfile.TemporaryDirectory() as folder:
        log = RunLog(Path(folder) / cell.key)
        log.start({}, {})
        turns = Turns(plain, options.steps)
        train(pack, [log], Path(folder) / "pack.pt", turns, Event(), Event())
        rest = time.perf_counter() - turns.begun  # closing the run log, after the last turn

    ours, theirs = sum(turns.ours) + rest, sum(turns.theirs)
    result = {
        "steps": options.steps,
        "threads": options.threads,
        "plain_seconds": round(theirs, 1),
        "grokpipe_seconds": round(ours, 1),
        "ratio": round(ours / theirs, 3),
        "median_slice_ratio": round(
            statistics.median(a / b for a, b in zip(turns.ours, turns.theirs, strict=True)), 3
        ),
        "evaluations": len(evaluating),
        "evaluation_milliseconds": round(1000 * statistics.median(evaluating), 1),
        "evaluation_share": round(sum(evaluating) / ours, 3),
        "training_ratio": round((ours - sum(evaluating)) / theirs, 3),
        "machine": {**machine(), "torch": torch.__version__},
    }
    show(result, "main_job", options.store)


if __name__ == "__main__":
    main()
