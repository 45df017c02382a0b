"""Train packs in this process: the launcher itself, a local worker or a SLURM job."""

import contextlib
import faulthandler
import gc
import threading
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from grokpipe.cell import Cell
from grokpipe.config import blame
from grokpipe.config.fields import scientific_values
from grokpipe.config.resolving import resolve
from grokpipe.config.schema import Config
from grokpipe.errors import InputError, Interrupted
from grokpipe.launch import pack_plan, parents
from grokpipe.launch.pack_plan import Plan
from grokpipe.launch.rehearsal import uses_installed
from grokpipe.provenance.fingerprint import fingerprint, source, trajectory
from grokpipe.provenance.origin import packages, provenance
from grokpipe.store import event_files, files, lease, manifest, run_log
from grokpipe.store.event_files import EventFile
from grokpipe.store.run_log import RunLog
from grokpipe.training import memory, numerics
from grokpipe.training.choosing import chosen
from grokpipe.training.device import device_of
from grokpipe.training.execution import Execution
from grokpipe.training.loop import train
from grokpipe.training.pack import Pack
from grokpipe.training.progress import RunProgress

FATAL = 2  # consecutive crashes at one checkpoint after which a pack is split


def work(files: Sequence[Path], stop: threading.Event, console: Console) -> None:
    """Train each unfinished pack of `files` (packs/<id>.json) that no other process trains.

    An exception in a pack, or a second crash at one checkpoint, splits the pack in two; in a single
    cell it becomes the cell's state `failed`. Raises Interrupted once `stop` is set.
    """
    source()  # hash the code now: its files may change while it runs
    memory.keep_freed()
    with numerics.flushed():
        for file in files:
            if stop.is_set():
                raise Interrupted("stopped between two packs")
            if (plan := pack_plan.read(file)) is not None:
                _work_on(plan, stop, console)


def _work_on(plan: Plan, stop: threading.Event, console: Console) -> None:
    halves: list[Plan] = []
    with lease.held(plan.lease, mark=plan.stamp) as held:
        current = pack_plan.read(plan.file)  # another process may have finished or split the pack
        if held is None or current is None or manifest.all_ended(plan.folder, plan.keys):
            return
        try:
            _train(current, held, stop, console)
        except Interrupted:
            raise
        except Exception as error:
            if files.is_disk_fault(error):
                raise  # not caused by any cell
            if stop.is_set():  # the signal may have killed a child, such as a compiler
                raise Interrupted("stopped, at the last checkpoint") from error
            why = reason(error, _config(plan))
            if len(plan.keys) == 1:
                RunLog(_log(plan, plan.keys[0])).fail(why, traceback.format_exc())
            else:
                halves = pack_plan.split(current)
                say(console, f"{plan.label}: {why}; splitting the pack of {len(plan.keys)} in two")
    if halves:
        gc.collect()  # free the failed pack's memory before its halves need it
    for half in halves:
        _work_on(half, stop, console)


def _train(plan: Plan, held: lease.Lease, stop: threading.Event, console: Console) -> None:
    cells = [Cell.of(resolve(config)) for config in plan.configs]
    logs = [
        RunLog(_log(plan, key), _event_file(plan.folder, key, cell))
        for key, cell in zip(plan.keys, cells, strict=True)
    ]
    config = cells[0].config
    device = device_of(config.device)
    torch.set_num_threads(plan.threads)
    numerics.allow_tf32(config.tf32)
    files.remove_leftovers(plan.file.parent, f"{plan.id}.pt")
    if plan.compiled is None:
        plan = _with_execution_chosen(plan, cells, device, console)
    origin = provenance(
        pack=plan.id,
        width=len(cells),
        device=str(device),
        compiled=plan.compiled,
        order=plan.order,
        command=plan.command,
        products=plan.products,
        subnormals=numerics.subnormals(),
        **_packages(config),
    )
    sources = parents.of_plan(plan, cells)
    if isinstance(sources, str):
        if not plan.stamp:
            say(console, f"{plan.label}: begins anew: {sources}")
        sources = []
    codes = {trajectory(cell.config): cell.config for cell in reversed(cells)}
    code = {name: _code(config, console) for name, config in codes.items()}
    for i, (cell, log) in enumerate(zip(cells, logs, strict=True)):
        if run_log.state(log.folder) not in manifest.FINISHED:
            more = {"parent": parents.lineage(sources[i], sources, origin)} if sources else {}
            own = {**origin, **code[trajectory(cell.config)], **more, "data": _data(cell)}
            log.start(asdict(cell.config), own)
    if held.deaths >= FATAL:
        raise RepeatedCrash(_crash_reason(held))
    with (
        _crashes_to(lease.crash_file(plan.lease)),
        RunProgress(plan.name, config.steps, console, config.progress, held.publish) as progress,
    ):
        pack = Pack(cells, str(device), plan.execution)
        train(pack, logs, plan.checkpoint, progress, stop, held.lost, sources)


class RepeatedCrash(Exception):
    """Earlier processes died with this pack at the present checkpoint, without an exception."""


def _crash_reason(held: lease.Lease) -> str:
    """Why earlier processes died with the pack, as far as that is known."""
    crash = lease.crash_file(held.path)
    lines = crash.read_text().splitlines()[:1] if crash.exists() else []
    why = lines[0] if lines else "killed, apparently for lack of memory"
    return f"its process died {held.deaths} times at the same checkpoint ({why})"


@contextlib.contextmanager
def _crashes_to(path: Path) -> Iterator[None]:
    """Write a traceback to `path` if this process dies of a signal such as SIGSEGV."""
    if faulthandler.is_enabled():  # the user directs tracebacks elsewhere
        yield
        return
    with open(path, "w") as file:
        faulthandler.enable(file)
        try:
            yield
        finally:
            faulthandler.disable()


def _with_execution_chosen(
    plan: Plan, cells: Sequence[Cell], device: torch.device, console: Console
) -> Plan:
    """Choose how this machine computes the pack's steps, and store that in the plan."""
    setting = cells[0].config.compile
    try:
        execution, note = chosen(cells, device, setting)
    except Exception:  # training raises it again, as the cell's outcome
        execution, note = Execution(), None
    say(console, note)
    decided = replace(
        plan,
        compiled=execution.compiled,
        order=execution.order,
        products=dict(execution.products),
    )
    decided.write()
    return decided


def _code(config: Config, console: Console) -> dict[str, str]:
    """The code's fingerprint for provenance, if it can be computed."""
    try:
        return {"code": fingerprint(config)}
    except Exception as error:  # training raises it again, as the cell's outcome
        if uses_installed(config):  # whose code may fail in the fingerprint's float64 alone
            why = blame.line(error, config) or blame.brief(error)
            say(console, f"no fingerprint of the code, so it cannot become stale: {why}")
        return {}


def _packages(config: Config) -> dict[str, Any]:
    """The installed packages that a pack uses, for provenance; nothing if there are none."""
    found = packages(config)
    return {"packages": found} if found else {}


def _config(plan: Plan) -> Config | None:
    """The configuration of a pack's first cell, if it is valid."""
    with contextlib.suppress(Exception):
        return resolve(plan.configs[0])
    return None


def reason(error: Exception, config: Config | None = None) -> str:
    """Describe an exception in one line; lack of memory always in the same words.

    With the configuration, the component whose code was running is named, with file and line.
    """
    no_memory = isinstance(error, MemoryError | torch.OutOfMemoryError)
    if no_memory or "can't allocate memory" in str(error):
        return "does not fit memory"
    if isinstance(error, InputError):
        return str(error).splitlines()[0]
    line = blame.line(error, config) if config else None
    return line or f"{type(error).__name__}: {error}".splitlines()[0]


def say(console: Console, text: str | None) -> None:
    """Print a line to the user, as it is; nothing for None."""
    if text is not None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)


def _log(plan: Plan, key: str) -> Path:
    return manifest.cells_folder(plan.folder) / key


def _event_file(folder: Path, key: str, cell: Cell) -> EventFile | None:
    """The event file of a cell, if `log.tensorboard` is set; a folder for each cell."""
    if not cell.config.log.tensorboard:
        return None
    values = {**scientific_values(cell.config), "classes": cell.classes}
    return event_files.of_cell(folder / event_files.FOLDER, key, values)


def _data(cell: Cell) -> dict[str, str | int]:
    """Facts on the data for provenance."""
    task = cell.task
    return {
        "fingerprint": task.fingerprint,
        "classes": task.classes,
        "train_samples": len(task.train),
        "test_samples": len(task.test),
    }
