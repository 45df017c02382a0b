"""The training loop: one pack from its last checkpoint, or from the start, to its end."""

import math
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from grokpipe import checkpoint
from grokpipe.errors import Interrupted
from grokpipe.evaluate import Evaluator, evaluation_steps
from grokpipe.pack import Pack, chunks
from grokpipe.progress import RunProgress
from grokpipe.runlog import FINAL, RunLog, read_result, replacing

CHUNK = 50  # steps between looks at the clock and at signals


def train(pack: Pack, logs: Sequence[RunLog], file: Path, progress: RunProgress) -> None:
    """Trains `pack` to its budget, appending each cell's evaluations to its run log.

    `file` is the pack's checkpoint: read first, written as often as the configuration says, and
    deleted at the end. Raises Interrupted, with a checkpoint written, on SIGINT or SIGTERM.
    """
    config = pack.cells[0].config
    evaluators = [Evaluator.of(cell.config, cell.task) for cell in pack.cells]
    going = {i for i, log in enumerate(logs) if read_result(log.folder) is None}
    rows, before = resume(pack, [logs[i] for i in sorted(going)], file)
    undefined: dict[int, set[str]] = {i: set() for i in going}
    started = saved = time.monotonic()
    schedule = evaluation_steps(config.eval.schedule, config.eval.every, config.steps)

    def seconds() -> float:
        return before + time.monotonic() - started

    def save() -> None:
        for i in going:
            logs[i].sync()
        checkpoint.save(file, {"pack": pack.state_dict(), "rows": rows, "seconds": seconds()})

    with stop_requests() as stop_requested:
        for target in schedule[rows:]:
            # steps, up to the next evaluation
            for steps in chunks(pack.step, target, CHUNK):
                pack.advance(steps)
                progress.update(pack.step)

                # checkpoint
                if stop_requested.is_set():
                    save()
                    raise Interrupted(f"stopped at step {pack.step:,}, with a checkpoint")
                if time.monotonic() - saved >= config.checkpoint.every:
                    save()
                    saved = time.monotonic()

            # evaluate and log
            for i in sorted(going):
                row = {"step": pack.step, **evaluators[i].row(pack.network(i))}
                logs[i].append(row)
                progress.evaluated(row)
                if diverged(row):
                    why = f"loss or weights not finite at step {pack.step}"
                    finish(pack, i, logs[i], "diverged", why, seconds())
                    going.remove(i)
                else:
                    tell_undefined(row, undefined[i], progress)
            rows += 1
            progress.update(pack.step)
            if not going:
                break

        for i in sorted(going):
            finish(pack, i, logs[i], "done", "reached its steps", seconds())
        checkpoint.delete(file)
        if stop_requested.is_set():
            raise Interrupted("stopped at the end of a run, which is done")


def resume(pack: Pack, logs: Sequence[RunLog], file: Path) -> tuple[int, float]:
    """Sets pack and unfinished curves back to the newest checkpoint whose rows are all there.

    Returns the evaluations that are logged and the seconds spent so far; (0, 0.0) from the start.
    """
    for state in checkpoint.generations(file):
        if all(log.keep(state["rows"]) for log in logs):
            pack.load_state_dict(state["pack"])
            return state["rows"], state["seconds"]
    for log in logs:
        log.keep(0)
    return 0, 0.0


def finish(pack: Pack, i: int, log: RunLog, state: str, reason: str, seconds: float) -> None:
    """Closes cell `i`'s run log, with its final state if the configuration wants it kept."""
    if pack.cells[i].config.save.final:
        with replacing(log.folder / FINAL) as temporary:
            torch.save(pack.cell_state(i), temporary)
    log.finish(state, pack.step, reason, seconds)


def diverged(row: dict[str, float]) -> bool:
    """Whether the training loss or the weights are no longer finite."""
    return not (math.isfinite(row["train_loss"]) and math.isfinite(row.get("weight_norm", 0.0)))


def tell_undefined(row: dict[str, float], told: set[str], progress: RunProgress) -> None:
    """Says once in a run which columns are undefined; `told` remembers them."""
    new = [name for name, value in row.items() if math.isnan(value) and name not in told]
    if new:
        told.update(new)
        progress.note(f"undefined and logged as NaN: {', '.join(new)}")


@contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; a second SIGINT ends at once."""
    requested = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield requested
        return

    def request(number: int, frame: FrameType | None) -> None:
        if requested.is_set():
            raise KeyboardInterrupt
        requested.set()

    handlers: dict[int, Any] = {
        n: signal.signal(n, request) for n in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield requested
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
