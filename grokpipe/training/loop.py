"""The training loop: one pack from its last checkpoint, or from the start, to its end."""

import math
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from grokpipe.config.schema import Config
from grokpipe.errors import Interrupted
from grokpipe.schedule import evaluation_steps, snapshot_count, spaced_steps
from grokpipe.store import checkpoint, snapshots
from grokpipe.store.files import replacing
from grokpipe.store.run_log import FINAL, RunLog, read_result
from grokpipe.training.early_stopping import EarlyStopping
from grokpipe.training.evaluate import Evaluator, Table
from grokpipe.training.pack import Pack, chunks
from grokpipe.training.progress import RunProgress

CHUNK = 50  # steps between looks at the clock and at signals
FORMAT = 3  # of a pack's checkpoint; another one is not read
WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256)  # to which a pack narrows as cells leave it


def train(
    pack: Pack,
    logs: Sequence[RunLog],
    file: Path,
    progress: RunProgress,
    stop: threading.Event,
    lost: threading.Event,
) -> None:
    """Trains `pack` until each cell's end, appending their evaluations to their run logs.

    `file` is the pack's checkpoint: read first, written as often as the configuration says, and
    deleted at the end. Raises Interrupted: once `stop` is set, with a checkpoint of that step; once
    `lost` is set, because another process has the pack now, without writing anything.

    An evaluation is only queued when it is due; its numbers are read when the next one is, so that
    a GPU never waits for them. What they decide, a cell's end, therefore comes one later.
    """
    run = Run(pack, logs, file, progress)
    run.resume()
    config = pack.cells[0].config
    saved = time.monotonic()

    for target in schedule(config)[run.rows :]:
        # steps, up to the next evaluation
        for steps in chunks(pack.step, target, CHUNK):
            pack.advance(steps, stop)
            progress.update(pack.step, len(run.going))

            # checkpoint
            if lost.is_set():
                raise Interrupted("stopped: another process has taken this pack over")
            if stop.is_set():
                run.save()
                raise Interrupted(f"stopped at step {pack.step:,}, with a checkpoint")
            if time.monotonic() - saved >= config.checkpoint.every:
                run.save()
                saved = time.monotonic()

        # evaluate; whoever has reached its end leaves
        run.settle()
        run.dismiss_diverged()
        run.intervene()
        run.evaluate()
        run.dismiss_stopped()
        progress.update(pack.step, len(run.going))
        if not run.going:
            break

    run.settle()
    run.dismiss_diverged()
    for i in list(run.going):
        run.dismiss(i, "done", pack.step, "reached its steps")
    checkpoint.delete(file)


class Run:
    """A pack on its way: which cells still go on, and which evaluations are yet to be read."""

    def __init__(self, pack: Pack, logs: Sequence[RunLog], file: Path, progress: RunProgress):
        self.pack, self.logs, self.file, self.progress = pack, logs, file, progress
        self.going = list(range(len(logs)))
        self.rows = 0  # evaluations in the logs of those that go on
        self.early_stopping = [
            EarlyStopping(cell.config.stop, 1 / cell.classes) for cell in pack.cells
        ]
        self.evaluators = [
            Evaluator.of(cell.config, task)
            for cell, task in zip(pack.cells, pack.tasks, strict=True)
        ]
        self.pending: dict[int, Table] = {}
        self.pending_step = 0
        self.undefined: list[set[str]] = [set() for _ in logs]
        self.snapshots = snapshot_steps(pack.cells[0].config)
        self.before, self.started = 0.0, time.monotonic()
        # A cell that finished after the checkpoint that is resumed from is trained again, so that
        # its neighbours meet what they met before; its run log stays as it is.
        self.finished = [read_result(log.folder) is not None for log in logs]

    def resume(self) -> None:
        """Goes back to the newest checkpoint whose rows are all there, else to the start."""
        for state in checkpoint.generations(self.file):
            going = state.get("going", [])
            if state.get("format") == FORMAT and all(
                self.finished[i] or self.logs[i].keep(state["rows"]) for i in going
            ):
                self.pack.load_state_dict(state["pack"])
                self.going, self.rows, self.before = going, state["rows"], state["seconds"]
                for stopping, saved in zip(self.early_stopping, state["watches"], strict=True):
                    stopping.load_state_dict(saved)
                return
        for log, finished in zip(self.logs, self.finished, strict=True):
            if not finished:
                log.keep(0)

    def save(self) -> None:
        self.settle()
        for i in self.going:
            if not self.finished[i]:
                self.logs[i].sync()
        state = {
            "format": FORMAT,
            "pack": self.pack.state_dict(),
            "going": self.going,
            "rows": self.rows,
            "watches": [stopping.state_dict() for stopping in self.early_stopping],
            "seconds": self.seconds(),
        }
        checkpoint.save(self.file, state)

    def seconds(self) -> float:
        """Wall time of the pack, that of earlier processes included."""
        return self.before + time.monotonic() - self.started

    def intervene(self) -> None:
        """Lets interventions do what the evaluations read so far decide: here, and not when these
        are read, which a checkpoint may do at any time."""
        self.pack.intervention.apply([*self.pack.parameters.values()])

    def evaluate(self) -> None:
        """Queues an evaluation of every cell that goes on."""
        self.pending_step = self.pack.step
        for i in self.going:
            self.pending[i] = self.pack.table(i)

    def settle(self) -> None:
        """Reads the queued evaluations and logs them."""
        if not self.pending:
            return
        for i in self.going:
            table = self.pending.pop(i)
            row = {"step": self.pending_step, **self.evaluators[i].row(table)}
            self.early_stopping[i].observe(row)
            self.pack.intervention.observe(self.pack.members.index(i), row)
            self.progress.evaluated(i, row)
            if not self.finished[i]:
                self.logs[i].append(row)
                if self.pending_step in self.snapshots:
                    snapshots.save(self.logs[i].folder, self.pending_step, table.parameters)
            if self.early_stopping[i].diverged is None:
                tell_undefined(row, self.undefined[i], self.progress)
        self.rows += 1

    def dismiss_diverged(self) -> None:
        for i in list(self.going):
            if (step := self.early_stopping[i].diverged) is not None:
                why = f"loss or weights not finite at step {step}"
                self.dismiss(i, "diverged", step, why)
        self.narrow()

    def dismiss_stopped(self) -> None:
        """Ends the cells whose stop rule holds; the evaluation just queued is their last."""
        reasons = {i: self.early_stopping[i].ends(self.pack.step) for i in self.going}
        if any(reasons.values()):
            self.settle()
            for i, why in reasons.items():
                if why:
                    self.dismiss(i, "done", self.pack.step, why)
            self.narrow()

    def dismiss(self, i: int, state: str, steps: int, reason: str) -> None:
        """Closes cell `i`'s run log, with its final state if the configuration wants it kept."""
        self.going.remove(i)
        if self.finished[i]:
            return
        log = self.logs[i]
        if self.pack.cells[i].config.save.final:
            with replacing(log.folder / FINAL) as temporary:
                torch.save(self.pack.cell_state(i), temporary)
        log.finish(state, steps, reason, self.seconds())
        self.finished[i] = True

    def narrow(self) -> None:
        """Drops those who have left from the stack, once the rest fits a width below."""
        width = next((w for w in WIDTHS if w >= len(self.going)), len(self.going))
        if self.going and width < len(self.pack.members):
            others = [i for i in self.pack.members if i not in self.going]
            passengers = others[: width - len(self.going)]
            self.pack.keep(sorted(self.going + passengers))


def snapshot_steps(config: Config) -> set[int]:
    """The evaluations at which the weights are kept."""
    if config.snapshots is None:
        return set()
    count = snapshot_count(config.snapshots)
    return {*spaced_steps(count, schedule(config))}


def schedule(config: Config) -> list[int]:
    return evaluation_steps(config.eval.schedule, config.eval.every, config.steps)


def tell_undefined(row: dict[str, float], told: set[str], progress: RunProgress) -> None:
    """Says once in a run which columns are undefined; `told` remembers them."""
    new = [name for name, value in row.items() if math.isnan(value) and name not in told]
    if new:
        told.update(new)
        progress.note(f"undefined and logged as NaN: {', '.join(new)}")
