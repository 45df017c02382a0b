"""Launch a sweep: check every cell, skip the finished ones, train the rest, report the outcomes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from rich.console import Console

from grokpipe.cell import Cell
from grokpipe.config import blame
from grokpipe.config.fields import flatten
from grokpipe.config.names import counted
from grokpipe.config.resolving import resolve
from grokpipe.config.schema import Config
from grokpipe.errors import InputError, Refused
from grokpipe.launch import baselines, parents, planning
from grokpipe.launch.executor import Executor
from grokpipe.launch.outcomes import Outcome, SweepReporter, summary, sweep_table
from grokpipe.launch.pack_plan import Plan
from grokpipe.launch.rehearsal import rehearse
from grokpipe.launch.worker import say
from grokpipe.precision import dtype_of
from grokpipe.store import files, lease, manifest, run_log, running, snapshots
from grokpipe.training.loop import snapshot_steps

failures: list[Outcome] = []
"""all failures of this process: a sweeper may launch several batches, and the exit code reflects
every one"""


@dataclass(frozen=True)
class Submitted:
    """What one submission to a folder has written and found there."""

    plans: list[Plan]
    finished: set[str]
    """keys of the cells that had ended before"""
    written: list[Path]
    """the record of the request, and new packs"""

    def withdraw(self) -> None:
        """Delete what was written, of a submission of which nothing was started."""
        for path in self.written:
            path.unlink(missing_ok=True)


def run(
    configs: Sequence[DictConfig | dict[str, Any]],
    labels: Sequence[str],
    experiment: str | None,
    executor: Executor,
) -> list[Outcome]:
    """Train every cell that is not finished; nothing starts unless all cells are valid.

    Args:
        configs: the composed configuration of each cell.
        labels: what each cell is called in messages.
        experiment: name of the experiment, for the manifest.
        executor: trains the packs.

    Returns:
        the outcome of each cell; none in a dry run, or with wait=false.

    Raises:
        InputError: a cell is not valid.
        Interrupted: the user stopped the sweep.
    """
    cells = checked(configs, labels)
    console = Console(quiet=not cells[0].config.progress)
    if repeated := len(cells) - len({(cell.folder, cell.key) for cell in cells}):
        points = f"{repeated} of {counted(len(cells), 'grid point')}"
        repeats = "repeats" if repeated == 1 else "repeat"
        say(console, f"{points} {repeats} another; each cell runs once")
    waiting = baselines.waiting(cells, labels)
    outcomes: dict[int, Outcome] = {}
    done: set[str] = set()
    for follow in (False, True):  # cells that follow a baseline of this sweep are trained after it
        chosen = [i for i in range(len(cells)) if (i in waiting) == follow]
        if not chosen:
            continue
        if follow and executor.dry_run:
            more = counted(len(chosen), "more cell")
            say(console, f"{more} will run once the baseline has finished")
            continue
        ready = [baselines.with_trajectory(cells[i], labels[i]) for i in chosen]
        ended = _run(ready, [labels[i] for i in chosen], experiment, executor, console, done)
        if not ended and not executor.dry_run:
            if waiting and not follow:
                say(
                    console,
                    f"{counted(len(waiting), 'more cell')} will follow a baseline that is not "
                    "finished yet: repeat the same command once it is",
                )
            return []
        outcomes |= dict(zip(chosen, ended, strict=False))
    if executor.dry_run:
        return []
    ended = [outcomes[i] for i in range(len(cells))]
    failures.extend(outcome for outcome in ended if outcome.state == "failed")
    single = summary(ended[0], ended[0].key in done) if len(cells) == 1 else None
    # equal cells are trained and listed once
    say(console, single or sweep_table([*{outcome.key: outcome for outcome in ended}.values()]))
    return ended


def _run(
    cells: Sequence[Cell],
    labels: Sequence[str],
    experiment: str | None,
    executor: Executor,
    console: Console,
    done: set[str],
) -> list[Outcome]:
    """Train these cells; add the keys of those that were finished before to `done`."""
    by_folder: dict[Path, dict[str, Cell]] = {}
    for cell in cells:
        by_folder.setdefault(cell.folder, {})[cell.key] = cell
    if executor.dry_run:
        for folder, asked in by_folder.items():
            say(console, _dry_run(folder, asked, executor))
        return []

    for asked in by_folder.values():
        executor.place([*asked.values()])  # raises InputError before anything is written
    parts = [folder / part for folder in by_folder for part in ("asked", "packs")]
    with files.folders(*parts):
        submitted = [
            _submit(folder, asked, experiment, executor, console)
            for folder, asked in by_folder.items()
        ]
        before = {key for one in submitted for key in one.finished}
        done |= before
        reporter = SweepReporter(cells, labels, before, console)
        try:
            ended = executor.run([plan for one in submitted for plan in one.plans], reporter)
        except Refused:
            for one in submitted:
                one.withdraw()
            raise
    return [reporter.outcome(cell) for cell in cells] if ended else []


def checked(configs: Sequence[DictConfig | dict[str, Any]], labels: Sequence[str]) -> list[Cell]:
    """The cells of these configurations. Raises InputError for the first that is not valid."""
    cells: list[Cell] = []
    for config, label in zip(configs, labels, strict=True):
        try:
            cells.append(_cell(resolve(config)))
        except InputError as error:
            place = f" (cell {len(cells) + 1} of {len(configs)}: {label})"
            raise InputError(f"{error}{place if len(configs) > 1 else ''}") from error
    for cell, label in zip(cells, labels, strict=True):
        if cell.config.stop != cells[0].config.stop:
            raise InputError(
                f"stop: {label} has another stop rule than {labels[0]}; all cells of a sweep must "
                "share one"
            )
    rehearse(cells)
    return cells


def _cell(config: Config) -> Cell:
    """The cell of a configuration. Raises InputError for whatever its components raise."""
    try:
        return Cell.of(config)
    except InputError:
        raise
    except Exception as error:
        if blame.line(error, config) is None:
            raise
        raise InputError(blame.refusal(error, config)) from error


def _submit(
    folder: Path,
    asked: dict[str, Cell],
    experiment: str | None,
    executor: Executor,
    console: Console,
) -> Submitted:
    """Record the requested cells in the manifest, and plan packs for the unfinished ones."""
    files.remove_if_empty(folder / files.LITERAL)
    # two sweeps at one moment must not fix two packs with the same cell
    with lease.wait_for(folder / "planning.claim"):
        if next(iter(asked.values())).config.force:
            say(console, planning.move_aside(folder, asked))
        rows = [
            {"key": key, "experiment": experiment, **flatten(cell.values)}
            for key, cell in asked.items()
        ]
        recorded = manifest.record_asked(folder, rows)
        states = manifest.states(folder, asked)
        missing = {key: c for key, c in asked.items() if states[key] not in manifest.FINISHED}
        for key in missing:
            if states[key] == "failed":  # it is tried again
                run_log.forget_result(manifest.cells_folder(folder) / key)
        for line in _about_snapshots(folder, asked, missing):
            say(console, line)
        if not missing:
            return Submitted([], set(asked), [recorded])
        earlier = {*(folder / "packs").glob("*.json")}
        plans, notes = planning.plan_packs(folder, missing, executor.place([*missing.values()]))
        for line in notes:
            say(console, line)
    written = [plan.file for plan in plans if plan.file not in earlier]
    return Submitted(plans, asked.keys() - missing.keys(), [recorded, *written])


def _about_snapshots(folder: Path, asked: dict[str, Cell], missing: dict[str, Cell]) -> list[str]:
    """Lines on the disk space that snapshots will take, and on finished cells without snapshots."""
    first = next(iter(asked.values()))
    if first.config.snapshots is None:
        return []
    notes = []
    if missing:
        total = sum(snapshot_bytes(cell) for cell in missing.values())
        notes = [f"snapshots={first.config.snapshots}: {total / 1e6:,.1f} MB in {folder}"]
    logs = (manifest.cells_folder(folder) / key for key in asked if key not in missing)
    if without := sum(not snapshots.steps(log) for log in logs):
        cells = f"{counted(without, 'cell')} {'is' if without == 1 else 'are'}"
        notes.append(f"{cells} done without snapshots; force=true trains finished cells again")
    return notes


def snapshot_bytes(cell: Cell) -> int:
    """Bytes of all snapshots of a cell that trains for its whole budget."""
    return dtype_of(cell.config.dtype).itemsize * cell.parameters * len(snapshot_steps(cell.config))


def _dry_run(folder: Path, asked: dict[str, Cell], executor: Executor) -> str:
    """Describe what would run in `folder`, in how many packs and jobs."""
    states = manifest.states(folder, asked, running.keys(folder))
    missing = {key: c for key, c in asked.items() if states[key] not in manifest.FINISHED}
    lines = [f"{folder}: {manifest.told(Counter(states.values()))}"]
    if missing:
        place = executor.place([*missing.values()])
        plans, left = planning.existing_plans(folder, missing)
        shorter = parents.find(folder, left)
        packs, notes = planning.new_packs(left, place, shorter)
        widths = [*(len(plan.keys) for plan in plans), *map(len, packs)]
        by_width = ", ".join(
            f"{widths.count(w)} of {counted(w, 'cell')}" for w in sorted({*widths})[::-1]
        )
        steps = sum(map(shorter.left, missing.values()))
        lines += [
            *notes,
            *_about_snapshots(folder, asked, missing),
            f"would train {counted(len(missing), 'cell')}, at most "
            f"{counted(steps, 'seed-step')}, in packs: {by_width}",
            executor.describe(len(widths), place),
        ]
    return "\n".join([*lines, "nothing was submitted: dry_run=true"])
