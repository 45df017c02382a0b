"""Take further measures on the snapshots of runs, finished or still in training.

    python -m grokpipe.remeasure outputs/default measures=spectral,fourier
    python -m grokpipe.remeasure outputs/collapse measures=information at=log:20 processes=2

The values are those that the run would have logged at that step, in the precision of training and
with as many threads: the same bits on the same machine, unless the run was compiled or trained on a
GPU, where sums have another order. They are written to `remeasured.parquet` in the run log; nothing
else in it changes.
"""

import argparse
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import dataclass, replace
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from omegaconf import OmegaConf
from rich.console import Console
from rich.progress import Progress

from grokpipe.cell import Cell
from grokpipe.config import registry
from grokpipe.config.resolving import resolve
from grokpipe.config.schema import Config, MeasuresConfig
from grokpipe.errors import InputError
from grokpipe.provenance import fingerprint
from grokpipe.provenance.origin import commit
from grokpipe.schedule import snapshot_count, spaced_steps
from grokpipe.store import files, manifest, remeasured, run_log, snapshots
from grokpipe.store.remeasured import Origin
from grokpipe.training import numerics
from grokpipe.training.evaluate import Evaluator, network_outputs
from grokpipe.training.execution import Execution
from grokpipe.training.pack import evaluation_program, shortcut_network
from grokpipe.training.programs.products import ONEDNN, by_onednn
from grokpipe.training.programs.tracing import Program

KEYS = ("measures", "at", "experiment", "processes")
FEW = 50
"""snapshots that are measured by the time further processes have started"""


@dataclass(frozen=True)
class Job:
    """A run log with measures still to be taken on its snapshots."""

    log: Path
    cell: Cell
    """the cell, with the measures to be taken in place of those that the run logged"""
    steps: list[int]
    kept: dict[str, list[int]]
    """steps at which the same code has taken a measure already, by its name"""


Tables = dict[str, pd.DataFrame]
"""what a job finds: columns with index `step` for each measure"""


def remeasure(
    folder: Path,
    names: Sequence[str],
    console: Console,
    at: int | None = None,
    processes: int = 1,
    experiment: str | None = None,
) -> list[str]:
    """Take these measures on the snapshots of all cells in `folder` that lack them.

    Each cell's measures are written at once, when all are taken. Returns messages for the user.

    Args:
        folder: run logs.
        names: measures.
        console: shows progress to the user.
        at: number of snapshots of each cell, evenly spaced on a logarithmic scale; None: all.
        processes: cells to measure at a time.
        experiment: only the cells that it requested.

    Raises:
        InputError: before anything is measured, for a folder without run logs or without snapshots,
            or without those of the experiment, and for a measure that does not exist or does not
            fit a cell's task; and for a damaged snapshot when it is read.
        BrokenProcessPool: one of the processes died.
    """
    messages: Counter[str] = Counter()
    source, (head, dirty) = fingerprint.source(), commit()
    origin = Origin(head, dirty, source, version("torch"))
    threads = torch.get_num_threads()
    jobs = list(_jobs(_logs(folder, experiment), names, source, at, messages))
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        results = _results(jobs, threads, processes)
        for job, tables in progress.track(results, len(jobs), description="cells"):
            if tables:
                earlier = remeasured.read(job.log)
                whole = {n: _with_kept(job, n, table, earlier) for n, table in tables.items()}
                remeasured.write(job.log, earlier.with_measures(whole, origin))
                messages[f"{', '.join(tables)} measured"] += 1
                for name, table in tables.items():
                    if undefined := [*table.columns[table.isna().any()]]:
                        messages[
                            f"{name}: undefined at some steps, NaN: {', '.join(undefined)}"
                        ] += 1
    return [f"{number} cell{'s' * (number > 1)}: {text}" for text, number in messages.items()]


def _results(jobs: Sequence[Job], threads: int, processes: int) -> Iterator[tuple[Job, Tables]]:
    """Yield each job as it is done, with what it found; in this process, or several in others."""
    processes = min(processes, len(jobs))
    if processes < 2 or sum(len(job.steps) for job in jobs) < FEW:
        yield from ((job, _tables(job, threads)) for job in jobs)
        return
    # a key that interrupts ends the processes at once: only this one has something to say
    ends = (signal.SIGINT, signal.SIG_DFL)
    with ProcessPoolExecutor(processes, get_context("spawn"), signal.signal, ends) as pool:
        futures = {pool.submit(_tables, job, threads): job for job in jobs}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _tables(job: Job, threads: int) -> Tables:
    """Take the measures of a job with products, threads and subnormals as in training."""
    trained = files.read_json(job.log / run_log.PROVENANCE)
    _set_up(job, trained, threads)
    recorded = trained.get("products", {})
    with (
        numerics.flushed(trained.get("subnormals") == numerics.FLUSHED),
        # in the first release one library computed all products of a run
        by_onednn() if recorded == ONEDNN else nullcontext(),
    ):
        return measured(job, recorded if isinstance(recorded, dict) else {})


def _with_kept(
    job: Job, name: str, table: pd.DataFrame, earlier: remeasured.Remeasured
) -> pd.DataFrame:
    """The table of a measure with the rows that the same code took before."""
    before = [step for step in job.kept.get(name, []) if step not in table.index]
    if not before:
        return table
    return pd.concat([earlier.table.loc[before, earlier.notes[name].columns], table]).sort_index()


def _logs(folder: Path, experiment: str | None) -> list[Path]:
    """The run logs of `folder`, or of an experiment. Raises InputError if none has snapshots."""
    logs = manifest.run_logs(folder)
    if experiment is not None:
        asked = manifest.read_columns(folder, ("experiment", "key"))
        logs = [log for log in logs if (experiment, log.name) in asked]
        if not logs:
            valid = ", ".join(sorted({name for name, _ in asked if name}))
            raise InputError(
                f"experiment={experiment}: no run logs in {folder}; valid: {valid or 'none'}"
            )
    if not any(snapshots.steps(log) for log in logs):
        raise InputError(
            f"{folder}: no snapshots in {len(logs)} run log{'s' * (len(logs) != 1)}; "
            "snapshots=log:N keeps them while training"
        )
    return logs


def _jobs(
    logs: Sequence[Path],
    names: Sequence[str],
    source: str,
    at: int | None,
    messages: Counter[str],
) -> Iterator[Job]:
    """Yield the checked jobs, and count in `messages` what needs no job."""
    for name in names:
        registry.module("measures", name, "measures")
    for log in logs:
        steps = snapshots.steps(log)
        if not steps:
            messages["skipped: no snapshots, which snapshots=log:N keeps while training"] += 1
            continue
        if at is not None and steps[-1] > 0:
            steps = sorted({*spaced_steps(at, steps)}.intersection(steps))
        notes, wanted = remeasured.read(log).notes, []
        kept: dict[str, list[int]] = {}
        for name in names:
            if name in notes and notes[name].origin.source == source:
                kept[name] = notes[name].steps
            complete = name in notes and set(steps) <= set(notes[name].steps)
            if complete and name in kept:
                messages[f"{name} has been taken already"] += 1
                continue
            if complete:
                messages[f"{name} taken again: the code has changed"] += 1
            wanted.append(name)
        if wanted:
            config = resolve(OmegaConf.create(run_log.read_config(log)))
            for name in wanted:
                if name in config.measures.all:
                    messages[f"columns of {name} that training logged are kept"] += 1
            lacking = [s for s in steps if any(s not in kept.get(name, []) for name in wanted)]
            yield Job(log, _cell(log, config, wanted), lacking, kept)


def _cell(log: Path, config: Config, names: list[str]) -> Cell:
    """The cell of a run log with these measures alone. It is checked with the run's own as well,
    whose columns its events may need."""
    every = [*dict.fromkeys([*names, *config.measures.all])]
    try:
        cell = Cell.of(replace(config, measures=MeasuresConfig(every)))
    except InputError as error:
        raise InputError(f"{log}: {error}") from error
    return replace(cell, config=replace(config, measures=MeasuresConfig(names)))


def _set_up(job: Job, trained: dict[str, Any], threads: int) -> None:
    """Set TF32 and threads as in training, with at most `threads` threads."""
    numerics.allow_tf32(job.cell.config.tf32)
    torch.set_num_threads(min(trained.get("threads", threads), threads))


def measured(job: Job, libraries: Mapping[str, str]) -> Tables:
    """Take the job's measures on all snapshots of its run, with products by these libraries.

    Returns a table of columns with index `step` for each measure. Columns that the run itself
    logged are omitted, and so is a measure without any other column. Raises InputError for a
    snapshot that is damaged or does not fit the architecture.
    """
    config, task = job.cell.config, job.cell.task
    network = shortcut_network(job.cell)
    parameters, buffers = dict(network.named_parameters()), dict(network.named_buffers())
    shapes = {name: t.shape for name, t in (parameters | buffers).items()}
    execution = Execution(products=libraries)
    program: Program | None = None
    always, *each = (
        Evaluator.of(replace(config, measures=MeasuresConfig(names)), task)
        for names in ([], *([name] for name in config.measures.names))
    )
    evaluators = dict(zip(config.measures.names, each, strict=True))
    logged = set(run_log.read_curves(job.log))
    rows: dict[str, dict[int, dict[str, float]]] = {name: {} for name in evaluators}
    for step in job.steps:
        state = snapshots.load(job.log, step)
        if {name: t.shape for name, t in state.items()} != shapes:
            raise InputError(
                f"{job.log}: snapshot of step {step} does not fit arch={config.arch.name} as it "
                "is now"
            )
        own, held = ({name: state[name] for name in names} for names in (parameters, buffers))
        program = program or evaluation_program(network, own | held, task.inputs, execution)
        outputs = network_outputs(program, own, task.inputs, held)
        others = {*logged, *always.row(outputs)}
        for name, evaluator in list(evaluators.items()):
            row = {c: v for c, v in evaluator.row(outputs).items() if c not in others}
            if row:
                rows[name][step] = row
            else:
                del evaluators[name]
    return {name: pd.DataFrame.from_dict(rows[name], orient="index") for name in evaluators}


def main(arguments: list[str] | None = None) -> int:
    """Run the command; exit code 0, 2 with one line for wrong input, 130 if interrupted."""
    valid = ", ".join(registry.names("measures"))
    parser = argparse.ArgumentParser(
        prog="python -m grokpipe.remeasure",
        description="Take further measures on the snapshots of runs, without training, and write "
        "them to remeasured.parquet in each run log. Measures taken before are not taken again.",
        epilog=f"measures: {valid}",
        allow_abbrev=False,
    )
    parser.add_argument("folder", type=Path, help="a folder of run logs (outputs/default)")
    parser.add_argument(
        "options",
        nargs="*",
        metavar="key=value",
        help="measures=… one, or several separated by commas; at=log:N at N of the snapshots of "
        "each cell, evenly spaced on a logarithmic scale of steps (default: all); experiment=… "
        "only the cells that it requested; processes=N cells at a time (default: one for each CPU)",
    )
    options = parser.parse_args(arguments)
    try:
        chosen = _options(options.options, valid)
        names = list(dict.fromkeys(chosen["measures"].split(",")))
        at = snapshot_count(chosen["at"], "at") if "at" in chosen else None
        processes = _processes(chosen.get("processes"))
        of = chosen.get("experiment")
        print("\n".join(remeasure(options.folder, names, Console(), at, processes, of)))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenProcessPool:
        print(
            "error: a process died, perhaps of too little memory; the same command continues with "
            "the other cells, processes=1 takes the least memory",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command continues with the other cells", file=sys.stderr)
        return 130
    return 0


def _options(texts: Sequence[str], valid: str) -> dict[str, str]:
    """Read the arguments key=value, each key once; `measures` is needed."""
    chosen: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if equals and key not in KEYS:
            raise InputError(f"{text}: no such option; valid: {', '.join(f'{k}=' for k in KEYS)}")
        if key in chosen:
            raise InputError(f"{text}: {key} is given twice")
        if equals:
            chosen[key] = value
    if "measures" not in chosen:
        raise InputError(f"measures=…: missing; give one or several, separated by commas: {valid}")
    if bare := [text for text in texts if "=" not in text]:
        raise InputError(f"{bare[0]}: must be key=value, with {', '.join(KEYS)} for the key")
    return chosen


def _processes(text: str | None) -> int:
    if text is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"processes={text}: must be a number, 1 or more")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
