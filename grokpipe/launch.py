"""From composed configurations to finished run logs: check all, drop the done, train the rest.

Here a cell is a pack of its own and packs run one after another in this process.
"""

import hashlib
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from omegaconf import DictConfig
from rich.console import Console

from grokpipe import ledger, runlog
from grokpipe.cell import Cell
from grokpipe.config import resolve
from grokpipe.errors import InputError, Interrupted
from grokpipe.outcome import Outcome, finished_line, read_outcome, summary, sweep_table
from grokpipe.pack import Pack
from grokpipe.progress import RunProgress
from grokpipe.provenance import provenance
from grokpipe.runlog import RunLog
from grokpipe.schema import flatten
from grokpipe.train import train

failures: list[Outcome] = []
"""of this process: a sweeper may launch several batches, and the exit code must tell of all"""


def run(
    configs: Sequence[DictConfig], labels: Sequence[str], experiment: str | None
) -> list[Outcome]:
    """Trains every cell that is not finished; nothing starts unless all cells are valid.

    `labels` name the cells to the user. Raises InputError and Interrupted.
    """
    cells = []
    for config, label in zip(configs, labels, strict=True):
        try:
            cells.append(Cell.of(resolve(config)))
        except InputError as error:
            place = (
                f" (cell {len(cells) + 1} of {len(configs)}: {label})" if len(configs) > 1 else ""
            )
            raise InputError(f"{error}{place}") from error

    first = cells[0].config
    console = Console(quiet=not first.progress)
    threads = first.threads or torch.get_num_threads()
    for folder in {_folder(cell) for cell in cells}:
        rows = [
            {"key": cell.key, "experiment": experiment, **flatten(cell.values)}
            for cell in cells
            if _folder(cell) == folder
        ]
        ledger.record_asked(folder, rows)

    outcomes = []
    for position, (cell, label) in enumerate(zip(cells, labels, strict=True), 1):
        place = f"{position}/{len(cells)} {label}".rstrip() if len(cells) > 1 else ""
        skipped = ledger.state(_folder(cell), cell.key) in ledger.FINISHED
        if not skipped:
            _train_alone(cell, threads, place or "training", console)
        log = ledger.cells_folder(_folder(cell)) / cell.key
        outcomes.append(read_outcome(log, label, 1 / cell.task.classes, cell.config.steps))
        if outcomes[-1].state == "failed":
            failures.append(outcomes[-1])
        if len(cells) > 1:
            _say(console, finished_line(place, outcomes[-1], skipped))
    ending = sweep_table(outcomes) if len(cells) > 1 else summary(outcomes[0], skipped)
    _say(console, ending)
    return outcomes


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _folder(cell: Cell) -> Path:
    return Path(cell.config.outputs) / cell.config.name


def _train_alone(cell: Cell, threads: int, label: str, console: Console) -> None:
    """Trains one cell, unless another process does; an exception becomes the state `failed`."""
    folder = _folder(cell)
    pack_id = hashlib.sha256(cell.key.encode()).hexdigest()[:16]
    checkpoint = folder / "packs" / f"{pack_id}.pt"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    file = checkpoint.with_suffix(".json")
    description = runlog.create_json(
        file, {"keys": [cell.key], "width": 1, "threads": threads, "compiled": False}
    )
    with ledger.claimed(file) as ours:
        if not ours or ledger.state(folder, cell.key) in ledger.FINISHED:
            return
        if description["threads"] != threads:
            told = f"goes on with {description['threads']} threads, as it began: a pack is fixed"
            _say(console, f"{label}: {told}")
        torch.set_num_threads(description["threads"])
        runlog.remove_leftovers(checkpoint.parent, pack_id)
        log = RunLog(ledger.cells_folder(folder) / cell.key)
        log.start(asdict(cell.config), {**provenance(pack_id, "cpu"), "data": _data(cell)})
        try:
            with RunProgress(label, cell.config.steps, console, cell.config.progress) as progress:
                train(Pack([cell]), [log], checkpoint, progress)
        except Interrupted as stop:
            raise Interrupted(f"{stop}; the same command goes on from there") from stop
        except Exception as error:
            log.fail(f"{type(error).__name__}: {error}", traceback.format_exc())


def _data(cell: Cell) -> dict[str, str | int]:
    """What provenance says of the data."""
    task = cell.task
    return {
        "fingerprint": task.fingerprint,
        "classes": task.classes,
        "train_samples": len(task.train),
        "test_samples": len(task.test),
    }
