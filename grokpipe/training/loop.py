"""The training loop: train one pack from its last checkpoint, or from the start, to its end."""

import math
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from grokpipe.config.schema import Config
from grokpipe.errors import Interrupted
from grokpipe.schedule import snapshot_count, spaced_steps
from grokpipe.store import checkpoint, snapshots
from grokpipe.store.files import replacing
from grokpipe.store.run_log import FINAL, RunLog, read_result
from grokpipe.training import continuation
from grokpipe.training.continuation import Continuation, schedule
from grokpipe.training.early_stopping import EarlyStopping
from grokpipe.training.evaluate import Evaluator, NetworkOutputs
from grokpipe.training.execution import LOCKSTEP
from grokpipe.training.pack import Pack, chunks
from grokpipe.training.progress import RunProgress

CHUNK = 50  # steps between checks of the clock and of signals
FORMAT = 3  # version of a pack's checkpoint; other versions are not read
WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256)  # to which a pack narrows as its cells finish


def train(
    pack: Pack,
    logs: Sequence[RunLog],
    file: Path,
    progress: RunProgress,
    stop: threading.Event,
    lost: threading.Event,
    continuations: Sequence[Continuation] = (),
) -> None:
    """Train `pack` until every cell has ended, and append each evaluation to the cell's run log.

    An evaluation is only queued when it is due; its numbers are read at the next evaluation, so
    that a GPU never waits for them. A cell that these numbers end therefore ends one evaluation
    later.

    Args:
        pack: the pack in its initial state.
        logs: the run log of each cell.
        file: the pack's checkpoint: read first, written as often as the configuration says, and
            deleted at the end.
        progress: shows progress to the user.
        stop: set to request a stop with a checkpoint.
        lost: set when another process has taken the pack over; nothing is written any more.
        continuations: the shorter run that each cell continues, if they continue any.

    Raises:
        Interrupted: `stop` or `lost` was set.
    """
    run = Run(pack, logs, file, progress, continuations)
    run.resume()
    config = pack.cells[0].config
    saved = time.monotonic()

    for target in schedule(config)[run.rows :]:
        if not run.active:
            break
        # steps, up to the next evaluation
        for steps in chunks(pack.step, target, CHUNK):
            pack.advance(steps, stop)
            progress.update(pack.step, len(run.active))

            # checkpoint
            if lost.is_set():
                raise Interrupted("stopped: another process has taken over this pack")
            if stop.is_set():
                run.save()
                raise Interrupted(f"stopped at step {pack.step:,}, with a checkpoint")
            if time.monotonic() - saved >= config.checkpoint.every:
                run.save()
                saved = time.monotonic()

        # log the previous evaluation, evaluate, remove the cells that have ended
        run.flush()
        run.finish_diverged()
        run.intervene()
        run.evaluate()
        run.finish_stopped()
        progress.update(pack.step, len(run.active))

    run.flush()
    run.finish_diverged()
    for i in list(run.active):
        run.finish(i, "done", pack.step, "reached its steps")
    checkpoint.delete(file)


class Run:
    """State of a training run: active cells and evaluations not yet read back."""

    def __init__(
        self,
        pack: Pack,
        logs: Sequence[RunLog],
        file: Path,
        progress: RunProgress,
        continuations: Sequence[Continuation] = (),
    ):
        self.pack, self.logs, self.file, self.progress = pack, logs, file, progress
        self.continuations = continuations
        self.active = list(range(len(logs)))
        self.rows = 0  # evaluations in the logs of the active cells
        self.early_stopping = [
            EarlyStopping(cell.config.stop, 1 / cell.classes) for cell in pack.cells
        ]
        self.evaluators = [
            Evaluator.of(cell.config, task)
            for cell, task in zip(pack.cells, pack.tasks, strict=True)
        ]
        self.pending: dict[int, NetworkOutputs] = {}
        self.pending_step = 0
        self.undefined: set[str] = set()
        self.snapshots = snapshot_steps(pack.cells[0].config)
        self.before, self.started = 0.0, time.monotonic()
        # A cell that finished after the checkpoint we resume from is trained again, so that the
        # pack repeats the same computation; its run log stays as it is.
        self.finished = [read_result(log.folder) is not None for log in logs]

    def resume(self) -> None:
        """Load the newest checkpoint whose rows are all logged; without one, begin anew."""
        for state in checkpoint.generations(self.file):
            active = state.get("going", [])
            if state.get("format") == FORMAT and all(
                self.finished[i] or self.logs[i].keep(state["rows"]) for i in active
            ):
                self.pack.load_state_dict(state["pack"])
                self.active, self.rows, self.before = active, state["rows"], state["seconds"]
                for stopping, saved in zip(self.early_stopping, state["watches"], strict=True):
                    stopping.load_state_dict(saved)
                return
        self.begin()

    def begin(self) -> None:
        """Begin at step 0, or where the shorter runs that the cells continue ended."""
        for log, finished in zip(self.logs, self.finished, strict=True):
            if not finished:
                log.keep(0)
        if not self.continuations:
            return
        continuation.load(self.pack, self.continuations)
        for i, source in enumerate(self.continuations):
            rows = source.rows()
            if not self.finished[i]:
                self.logs[i].begin_with(rows)
                if self.snapshots:
                    continuation.copy_snapshots(source, self.logs[i].folder)
            for row in rows:
                self.early_stopping[i].observe(row)
            if source.ended:
                final = continuation.final_state(source.log)
                self.finish(i, "done", source.step, source.ended, final)
            else:
                self.rows = len(rows)
        self.narrow()

    def save(self) -> None:
        """Write a checkpoint, after logging the queued evaluations."""
        self.flush()
        for i in self.active:
            if not self.finished[i]:
                self.logs[i].sync()
        state = {
            "format": FORMAT,
            "pack": self.pack.state_dict(),
            "going": self.active,
            "rows": self.rows,
            "watches": [stopping.state_dict() for stopping in self.early_stopping],
            "seconds": self.seconds(),
        }
        checkpoint.save(self.file, state)

    def seconds(self) -> float:
        """Wall time of the pack in seconds, earlier processes included."""
        return self.before + time.monotonic() - self.started

    def intervene(self) -> None:
        """Apply what interventions decided from the evaluations read so far.

        This happens at evaluations only, not in `flush`, which a checkpoint may call at any time.
        """
        self.pack.intervene()

    def evaluate(self) -> None:
        """Queue an evaluation of every active cell."""
        self.pending_step = self.pack.step
        for i in self.active:
            self.pending[i] = self.pack.outputs(i)

    def flush(self) -> None:
        """Read the queued evaluations back and log them."""
        if not self.pending:
            return
        for i in self.active:
            outputs = self.pending.pop(i)
            row = {"step": self.pending_step, **self.evaluators[i].row(outputs, self.pending_step)}
            self.early_stopping[i].observe(row)
            self.pack.observe(i, row)
            self.progress.evaluated(i, row)
            if not self.finished[i]:
                self.logs[i].append(row)
                if self.pending_step in self.snapshots:
                    snapshots.save(self.logs[i].folder, self.pending_step, outputs.state)
            if self.early_stopping[i].diverged is None:
                report_undefined(row, self.undefined, self.progress)
        self.rows += 1

    def finish_diverged(self) -> None:
        """Finish the cells whose loss or weights are no longer finite."""
        for i in list(self.active):
            if (step := self.early_stopping[i].diverged) is not None:
                why = f"loss or weights not finite at step {step}"
                self.finish(i, "diverged", step, why)
        self.narrow()

    def finish_stopped(self) -> None:
        """Finish the cells whose stop rule holds; the evaluation just queued is their last."""
        reasons = {i: self.early_stopping[i].ends(self.pack.step) for i in self.active}
        if any(reasons.values()):
            self.flush()
            for i, why in reasons.items():
                if why:
                    self.finish(i, "done", self.pack.step, why)
            self.narrow()

    def finish(
        self, i: int, state: str, steps: int, reason: str, final: dict[str, Any] | None = None
    ) -> None:
        """Close the run log of cell `i`, with its final state if `save.final` is set: the present
        one, or `final`."""
        self.active.remove(i)
        if self.finished[i]:
            return
        for setting in self.pack.awaited(i) if state == "done" else []:
            never = f"{setting} never came"
            one_of = f"seed {self.pack.cells[i].config.seed}: " if len(self.pack.cells) > 1 else ""
            self.progress.note(one_of + never)
            reason = f"{reason}; {never}"
        log = self.logs[i]
        if self.pack.cells[i].config.save.final:
            with replacing(log.folder / FINAL) as temporary:
                torch.save(final or self.pack.cell_state(i), temporary)
        log.finish(state, steps, reason, self.seconds())
        self.finished[i] = True

    def narrow(self) -> None:
        """Narrow the pack to the active cells.

        In lockstep, where each width has a program of its own, it narrows to the next smaller width
        once they fit into it; finished cells fill that up.
        """
        width = len(self.active)
        if self.pack.execution.order == LOCKSTEP:
            width = next((w for w in WIDTHS if w >= width), width)
        if self.active and width < len(self.pack.members):
            others = [i for i in self.pack.members if i not in self.active]
            fillers = others[: width - len(self.active)]
            self.pack.keep(sorted(self.active + fillers))


def snapshot_steps(config: Config) -> set[int]:
    """Steps of the evaluations at which snapshots are taken."""
    if config.snapshots is None:
        return set()
    count = snapshot_count(config.snapshots)
    return {*spaced_steps(count, schedule(config))}


def report_undefined(row: dict[str, float], reported: set[str], progress: RunProgress) -> None:
    """Note each undefined column once per pack; adds its name to `reported`."""
    new = [name for name, value in row.items() if math.isnan(value) and name not in reported]
    if new:
        reported.update(new)
        progress.note(f"undefined and logged as NaN: {', '.join(new)}")
