"""Measure packs on one GPU: seed-steps a second by width, with and without a CUDA graph and
torch.compile, beside the plain loop and JAX on the same GPU, and the time to many finished cells.

Needs no network. Keeps to a budget of time: what no longer fits is skipped and says so, what fails
says why, and the rest is measured. Compiled packs, and JAX (a build for CUDA), come last.

    python -m benchmarks.gpu [--budget 480] [--out FILE] [--store]
    python -m benchmarks.gpu --device cpu --seconds 0.05 --rounds 1 --widths 1,2 --cells 2 --steps 2
"""

import argparse
import gc
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.nn import functional

from benchmarks._common import machine, show
from benchmarks.contenders.cuda_graph import RecordedPack
from benchmarks.contenders.networks import NETWORKS, cells
from benchmarks.contenders.plain import EncoderNetwork, adamw
from benchmarks.contenders.turns import Steps, repeated
from benchmarks.packs import missing_jax
from grokpipe.losses import training_loss
from grokpipe.training.execution import Execution
from grokpipe.training.pack import Pack, initial_network
from grokpipe.training.programs.compiling import worth_compiling

ROOT = Path(__file__).resolve().parents[1]
WIDTHS = (1, 4, 16, 64, 256, 1024)
COMPILED = (64, 1024, 16)
"""widths of the compiled packs: compiling one takes half a minute"""
CHUNK = 20  # steps between looks at the clock
FINISHED = ("measures.names=[weights]", "eval.schedule=regular", "progress=false")
"""of the cells that are trained to their end: the GPU is measured, not the measures"""


@dataclass
class Options:
    """What is measured, and for how long."""

    device: torch.device
    widths: tuple[int, ...]
    cells: tuple[int, ...]
    seconds: float
    rounds: int
    steps: int


@dataclass(frozen=True)
class Task:
    """One measurement of one or several contenders."""

    names: tuple[str, ...]
    estimate: float
    """in seconds"""
    run: Callable[[], Iterator[float]]
    """yields a number for each name, in their order"""


def tasks(which: str, options: Options) -> Iterator[Task]:
    """List the rates to measure for a network, the most important first."""
    turns = options.seconds * options.rounds
    yield Task(("plain",), 3 + turns, partial(rates_of_plain, which, options))
    for width in options.widths:
        names = (f"pack of {width}", f"pack of {width}, CUDA graph")
        run = partial(rates_of_packs, which, width, "off", options)
        yield Task(names, 5 + 0.02 * width + 2 * turns, run)


def late_tasks(which: str, options: Options) -> Iterator[Task]:
    """List the rates that take long to build."""
    turns = options.seconds * options.rounds
    for width in [width for width in COMPILED if width in options.widths] or options.widths[-1:]:
        names = (f"pack of {width}, compiled", f"pack of {width}, compiled, CUDA graph")
        run = partial(rates_of_packs, which, width, "on", options)
        yield Task(names, 45 + 0.02 * width + 2 * turns, run)
    for width in options.widths if NETWORKS[which].compared else ():
        yield Task(
            (f"JAX, {width}",),
            20 + 0.01 * width + turns,
            partial(rates_of_jax, which, width, options),
        )


def rates_of_plain(which: str, options: Options) -> Iterator[float]:
    """The loop that a user would write for one network: data resident, fused AdamW."""
    (cell,) = cells(which, 1)
    task, config, device = cell.task, cell.config, options.device
    inputs, labels = (t[task.train].to(device) for t in (task.inputs, task.labels))
    tokens = task.vocabulary is not None
    network = (EncoderNetwork(cell) if tokens else initial_network(cell)).to(device)
    optimizer = adamw(network, cell)

    def steps() -> int:
        for _ in range(CHUNK):
            rows = torch.randint(len(inputs), (config.batch_size or len(inputs),), device=device)
            if tokens:
                loss = functional.cross_entropy(network(inputs[rows]), labels[rows])
            else:
                loss = training_loss(config.loss, network(inputs[rows])[0], labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        wait(device)
        return CHUNK

    yield rate(steps, options)


def rates_of_packs(which: str, width: int, setting: str, options: Options) -> Iterator[float]:
    """A pack under `compile=setting`, then the same pack with its step as a CUDA graph."""
    compiled, note = worth_compiling(setting, 0, options.device)
    if setting == "on" and not compiled:
        raise RuntimeError(note)
    pack = Pack(cells(which, width), str(options.device), Execution(compiled=compiled))
    yield rate(partial(advanced, pack, width, options.device), options)
    yield rate(partial(advanced, RecordedPack(pack), width, options.device), options)


def advanced(pack: Pack | RecordedPack, width: int, device: torch.device) -> int:
    pack.advance(CHUNK)
    wait(device)
    return CHUNK * width


def rates_of_jax(which: str, width: int, options: Options) -> Iterator[float]:
    if missing := missing_jax():
        raise RuntimeError(f"{missing} not installed")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # PyTorch needs memory too
    import jax

    from benchmarks.contenders.jax_loop import Trainer

    platform = jax.devices()[0].platform
    if (platform == "cpu") != (options.device.type == "cpu"):
        raise RuntimeError(f"JAX {jax.__version__} works on this machine's {platform} only")
    with jax.default_matmul_precision("highest"):  # fp32: the default may be TF32
        yield rate(Trainer(cells(which, width), CHUNK), options)


def wait(device: torch.device) -> None:
    """Wait until the GPU has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def rate(steps: Steps, options: Options) -> float:
    """Median seed-steps a second of some turns, after a first call that traces or compiles."""
    steps()
    return statistics.median(repeated(steps)(options.seconds) for _ in range(options.rounds))


def finished(which: str, count: int, options: Options) -> Iterator[float]:
    """Seconds of a whole command that trains `count` cells for `options.steps` steps."""
    overrides = (
        *NETWORKS[which].overrides, *FINISHED, f"steps={options.steps}",
        f"eval.every={options.steps}", f"seed=range({count})", f"device={options.device}",
    )  # fmt: skip
    with TemporaryDirectory() as folder:
        begun = time.perf_counter()
        if code := exit_code(["-m", "grokpipe", "-m", *overrides], Path(folder)):
            raise RuntimeError(f"python -m grokpipe -m {' '.join(overrides)}: exit code {code}")
        yield time.perf_counter() - begun


def exit_code(arguments: list[str], folder: Path) -> int:
    """Run Python in a folder and return its exit code; on an exception here, kill it and the
    processes that it started."""
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        return process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


class Budget:
    """Measures task after task while there is time."""

    def __init__(self, seconds: float):
        self.end = time.monotonic() + seconds

    def measure(self, task: Task) -> dict[str, float | str]:
        """Return a number by each of the task's names, or why there is none."""
        left = self.end - time.monotonic()
        if task.estimate > left:
            why = f"skipped: takes about {task.estimate:.0f} s, {max(left, 0):.0f} s are left"
            return dict.fromkeys(task.names, why)
        found: dict[str, float | str] = {}
        try:
            with stopped_after(left):
                for name, number in zip(task.names, task.run(), strict=True):
                    found[name] = round(number, 1)
        except Exception as error:  # whatever it is, the others are still worth measuring
            for name in task.names[len(found) :]:
                found[name] = f"failed: {type(error).__name__}: {first_line(error)}"
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return found


def first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0]


@contextmanager
def stopped_after(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the block once so many seconds have passed."""

    def stop(*_: object) -> None:
        raise TimeoutError("the time was over")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def measured(networks: tuple[str, ...], options: Options, budget: Budget) -> dict[str, Any]:
    """Measure everything in the order of its importance."""
    result: dict[str, Any] = {which: {} for which in networks}
    result["finished"] = {which: {} for which in networks} | {"steps": options.steps}

    def add(where: dict[str, float | str], said: str, task: Task) -> None:
        found = budget.measure(task)
        where.update(found)
        for name, value in found.items():
            print(f"{said} {name}: {value}", file=sys.stderr, flush=True)

    for which in networks:
        for task in tasks(which, options):
            add(result[which], which, task)
    for count in options.cells:
        for which in networks:
            run = partial(finished, which, count, options)
            add(result["finished"][which], f"{which}, seconds to finished cells:",
                Task((str(count),), 15 + 0.1 * count, run))  # fmt: skip
    for which in networks:
        for task in late_tasks(which, options):
            add(result[which], which, task)
    return result


def numbers(text: str) -> tuple[int, ...]:
    """Read positive whole numbers with commas between them; none from an empty text."""
    found = tuple(int(part) for part in text.split(",") if part)
    if any(number < 1 for number in found):
        raise ValueError
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cpu to try whether all of it runs")
    parser.add_argument(
        "--networks", default="mlp,transformer", help="of benchmarks/contenders/networks.py"
    )
    parser.add_argument("--widths", type=numbers, default=WIDTHS, help="of packs, as 1,4,16")
    parser.add_argument("--cells", type=numbers, default=(64, 1024), help="trained to their end")
    parser.add_argument("--steps", type=int, default=500, help="of the cells trained to their end")
    parser.add_argument("--seconds", type=float, default=1, help="of a turn")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--budget", type=float, default=480, help="seconds for everything")
    parser.add_argument("--out", type=Path, help="write the result to this file as JSON")
    parser.add_argument("--store", action="store_true", help="keep the result beside the others")
    given = parser.parse_args(arguments)
    networks = tuple(given.networks.split(","))
    if unknown := [name for name in networks if name not in NETWORKS]:
        parser.error(f"--networks {unknown[0]}: must be among {', '.join(NETWORKS)}")
    device = torch.device(given.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        parser.error("no CUDA device on this machine; --device cpu tries whether all of it runs")
    if given.store and device.type != "cuda":
        parser.error(f"--store keeps numbers of a GPU: not with --device {given.device}")
    torch.set_num_threads(1)  # of the CPU, which other work may share
    budget = Budget(given.budget)
    options = Options(device, given.widths, given.cells, given.seconds, given.rounds, given.steps)
    described = {**machine(), "torch": torch.__version__}
    if device.type == "cuda":
        described["gpu"] = torch.cuda.get_device_name(device)
    result = {"machine": described, **measured(networks, options, budget)}
    if given.out:
        given.out.write_text(json.dumps(result, indent=2) + "\n")
    show(result, "gpu", given.store)


if __name__ == "__main__":
    main()
