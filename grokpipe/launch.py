"""From composed configurations to finished run logs: check all, drop the done, train the rest.

Cells of equal shapes train as packs; packs run one after another in this process.
"""

import errno
import gc
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from grokpipe import ledger, matmul, packing, runlog
from grokpipe.cell import Cell
from grokpipe.compiling import worth_compiling
from grokpipe.config import resolve
from grokpipe.errors import InputError, Interrupted
from grokpipe.outcome import Outcome, finished_line, read_outcome, summary, sweep_table
from grokpipe.pack import Pack, step_seconds
from grokpipe.progress import RunProgress
from grokpipe.provenance import provenance
from grokpipe.runlog import RunLog, read_config
from grokpipe.schema import flatten
from grokpipe.train import train

DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)

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
    for cell, label in zip(cells, labels, strict=True):
        if cell.config.stop != first.stop:
            raise InputError(f"stop: {label} ends by another rule than {labels[0]}; one for all")
    device = packing.device(first.device)
    console = Console(quiet=not first.progress)
    names = {cell.key: label for cell, label in zip(cells, labels, strict=True)}
    by_folder: dict[Path, dict[str, Cell]] = {}
    for cell in cells:
        by_folder.setdefault(_folder(cell), {})[cell.key] = cell
    for folder, asked in by_folder.items():
        rows = [
            {"key": c.key, "experiment": experiment, **flatten(c.values)} for c in asked.values()
        ]
        ledger.record_asked(folder, rows)
    done = {cell.key for cell in cells if ledger.state(_folder(cell), cell.key) in ledger.FINISHED}
    tell = Teller(cells, names, done, console)
    for folder, asked in by_folder.items():
        missing = [cell for key, cell in asked.items() if key not in done]
        for plan in _plans(folder, missing, device, console):
            _train_pack(plan, folder, asked, device, tell)
    outcomes = [tell.outcome(cell) for cell in cells]
    failures.extend(outcome for outcome in outcomes if outcome.state == "failed")
    single = summary(outcomes[0], cells[0].key in done) if len(cells) == 1 else None
    _say(console, single or sweep_table(outcomes))
    return outcomes


@dataclass
class Teller:
    """Says what became of each cell, when its pack has ended."""

    cells: Sequence[Cell]
    names: dict[str, str]
    """what the user calls each cell, by key"""
    done: set[str]
    """those finished before"""
    console: Console

    def __post_init__(self) -> None:
        self.places = {cell.key: i for i, cell in enumerate(self.cells, 1)}
        for cell in self.cells:
            if cell.key in self.done:
                self.ended(cell)

    def place(self, key: str) -> str:
        if len(self.cells) == 1:
            return ""
        return f"{self.places[key]}/{len(self.cells)} {self.names[key]}".rstrip()

    def outcome(self, cell: Cell) -> Outcome:
        log = ledger.cells_folder(_folder(cell)) / cell.key
        return read_outcome(log, self.names[cell.key], cell.task, cell.config.steps)

    def ended(self, cell: Cell) -> None:
        if len(self.cells) > 1 and cell.key in self.places:
            line = finished_line(self.place(cell.key), self.outcome(cell), cell.key in self.done)
            _say(self.console, line)

    def label(self, keys: Sequence[str]) -> str:
        """What the progress of a pack is called."""
        places = [self.place(key) for key in keys if key in self.places]
        if len(keys) == 1 or not places:
            return (places or keys)[0] or "training"
        return f"{places[0]} and {len(keys) - 1} more"


def _plans(
    folder: Path, cells: list[Cell], device: torch.device, console: Console
) -> list[packing.Plan]:
    """The packs that hold these unfinished cells: those fixed before, then new ones.

    All are fixed before the first is trained, so that another process with the same cells, now or
    later, finds the same packs.
    """
    missing = {cell.key: cell for cell in cells}
    logs = ledger.cells_folder(folder)
    plans = []
    for plan in packing.on_disk(folder):
        known = all(key in missing or runlog.is_run_log(logs / key) for key in plan.keys)
        if known and any(key in missing for key in plan.keys):
            missing = {key: cell for key, cell in missing.items() if key not in plan.keys}
            plans.append(plan)
    for group in packing.groups(missing.values()):
        config = group[0].config
        threads = config.threads or torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            parts, told = packing.parts(group, device)
            _say(console, told)
            auto = config.compile == "auto"
            seconds = config.steps * step_seconds(parts[0], device) if auto else 0.0
            compiled, told = worth_compiling(config.compile, seconds, device)
            _say(console, told)
        except Exception:  # training will meet it again, and there it is a cell's outcome
            parts, compiled = [group], False
        plans += [
            packing.plan(folder, [cell.key for cell in part], threads=threads, compiled=compiled)
            for part in parts
        ]
    return plans


def _train_pack(
    plan: packing.Plan, folder: Path, asked: dict[str, Cell], device: torch.device, tell: Teller
) -> None:
    """Trains the unfinished cells of a pack, unless another process does. An exception splits the
    pack in two; that of a single cell becomes its state `failed`."""
    logs = [RunLog(ledger.cells_folder(folder) / key) for key in plan.keys]
    cells = [
        asked[key] if key in asked else Cell.of(resolve(OmegaConf.create(read_config(log.folder))))
        for key, log in zip(plan.keys, logs, strict=True)
    ]
    label, config = tell.label(plan.keys), cells[0].config
    with ledger.claimed(plan.file) as ours:
        if not ours or all(ledger.state(folder, key) in ledger.FINISHED for key in plan.keys):
            return
        if config.threads not in (None, plan.threads):
            told = f"goes on with {plan.threads} threads, as it began: a pack is fixed"
            _say(tell.console, f"{label}: {told}")
        torch.set_num_threads(plan.threads)
        library = matmul.set_up(config.tf32)
        runlog.remove_leftovers(plan.file.parent, plan.id)
        origin = provenance(
            pack=plan.id,
            width=len(cells),
            device=str(device),
            compiled=plan.compiled,
            products=library,
        )
        for cell, log in zip(cells, logs, strict=True):
            if ledger.state(folder, cell.key) not in ledger.FINISHED:
                log.start(asdict(cell.config), {**origin, "data": _data(cell)})
        try:
            progress = RunProgress(label, config.steps, tell.console, config.progress)
            with progress:
                train(Pack(cells, str(device), plan.compiled), logs, plan.checkpoint, progress)
        except Interrupted as stop:
            raise Interrupted(f"{stop}; the same command goes on from there") from stop
        except Exception as error:
            if isinstance(error, OSError) and error.errno in DISK_FAULTS:
                raise  # no cell's fault
            why = reason(error)
            if len(cells) == 1:
                logs[0].fail(why, traceback.format_exc())
                halves = []
            else:
                halves = packing.split(plan, folder)
                _say(tell.console, f"{label}: {why}; the pack of {len(cells)} goes on as two")
        else:
            halves = []
    if halves:
        gc.collect()  # what the failed pack held, before its halves need it
    for half in halves:
        _train_pack(half, folder, asked, device, tell)
    if not halves:
        for cell in cells:
            tell.ended(cell)


def reason(error: Exception) -> str:
    """An exception in one line; lack of memory by its name, whoever reports it."""
    no_memory = isinstance(error, MemoryError | torch.OutOfMemoryError)
    if no_memory or "can't allocate memory" in str(error):
        return "does not fit memory"
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _folder(cell: Cell) -> Path:
    return Path(cell.config.outputs) / cell.config.name


def _say(console: Console, text: str | None) -> None:
    if text is not None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)


def _data(cell: Cell) -> dict[str, str | int]:
    """What provenance says of the data."""
    task = cell.task
    return {
        "fingerprint": task.fingerprint,
        "classes": task.classes,
        "train_samples": len(task.train),
        "test_samples": len(task.test),
    }
