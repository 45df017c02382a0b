"""Take further measures on the snapshots of runs, finished or still in training.

    python -m grokpipe.remeasure outputs/default measures=spectral,fourier

The values are those that the run would have logged at that step, in the precision of training and
with as many threads: the same bits on the same machine, unless the run was compiled or trained on a
GPU, where sums have another order. They are written to `remeasured.parquet` in the run log; nothing
else in it changes.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from importlib.metadata import version
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
from grokpipe.store import files, manifest, remeasured, run_log, snapshots
from grokpipe.store.remeasured import Origin
from grokpipe.training import numerics
from grokpipe.training.evaluate import Evaluator, network_outputs
from grokpipe.training.execution import Execution
from grokpipe.training.pack import evaluation_program, shortcut_network
from grokpipe.training.programs.products import ONEDNN, by_onednn
from grokpipe.training.programs.tracing import Program

KEY = "measures="
OF = "experiment="


@dataclass(frozen=True)
class Job:
    """A run log with measures still to be taken on its snapshots."""

    log: Path
    cell: Cell
    """the cell, with the measures to be taken in place of those that the run logged"""
    steps: list[int]


def remeasure(
    folder: Path, names: Sequence[str], console: Console, experiment: str | None = None
) -> list[str]:
    """Take these measures on the snapshots of all cells in `folder` that lack them, or of those
    that an experiment requested.

    Each cell's measures are written at once, when all are taken. Returns messages for the user.

    Raises InputError, before anything is measured, for a folder without run logs and for a measure
    that does not exist or does not fit a cell's task; and for a damaged snapshot when it is read.
    """
    messages: Counter[str] = Counter()
    source, (head, dirty) = fingerprint.source(), commit()
    origin = Origin(head, dirty, source, version("torch"))
    threads = torch.get_num_threads()
    logs = _logs(folder, experiment)
    jobs = list(_jobs(logs, names, source, messages))
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for job in progress.track(jobs, description="cells"):
            trained = files.read_json(job.log / run_log.PROVENANCE)
            _set_up(job, trained, threads)
            recorded = trained.get("products", {})
            with (
                numerics.flushed(trained.get("subnormals") == numerics.FLUSHED),
                # in the first release one library computed all products of a run
                by_onednn() if recorded == ONEDNN else nullcontext(),
            ):
                tables = measured(job, recorded if isinstance(recorded, dict) else {})
            if tables:
                earlier = remeasured.read(job.log)
                remeasured.write(job.log, earlier.with_measures(tables, origin))
                messages[f"{', '.join(tables)} measured"] += 1
    return [f"{number} cell{'s' * (number > 1)}: {text}" for text, number in messages.items()]


def _logs(folder: Path, experiment: str | None) -> list[Path]:
    """The run logs of `folder`, or of an experiment. Raises InputError if there are none."""
    logs = manifest.run_logs(folder)
    if experiment is None:
        return logs
    asked = manifest.read_columns(folder, ("experiment", "key"))
    if chosen := [log for log in logs if (experiment, log.name) in asked]:
        return chosen
    valid = ", ".join(sorted({name for name, _ in asked if name}))
    raise InputError(f"{OF}{experiment}: no run logs in {folder}; valid: {valid or 'none'}")


def _jobs(
    logs: Sequence[Path], names: Sequence[str], source: str, messages: Counter[str]
) -> Iterator[Job]:
    """Yield the checked jobs, and count in `messages` what needs no job."""
    for name in names:
        registry.module("measures", name, "measures")
    for log in logs:
        steps = snapshots.steps(log)
        if not steps:
            messages["skipped: no snapshots, which snapshots=log:N keeps while training"] += 1
            continue
        notes, wanted = remeasured.read(log).notes, []
        for name in names:
            complete = name in notes and set(steps) <= set(notes[name].steps)
            if complete and notes[name].origin.source == source:
                messages[f"{name} has been taken already"] += 1
                continue
            if complete:
                messages[f"{name} taken again: the code has changed"] += 1
            wanted.append(name)
        if wanted:
            config = resolve(OmegaConf.create(run_log.read_config(log)))
            for name in wanted:
                if name in config.measures.names:
                    messages[f"columns of {name} that training logged are kept"] += 1
            yield Job(log, _cell(log, config, wanted), steps)


def _cell(log: Path, config: Config, names: list[str]) -> Cell:
    try:
        return Cell.of(replace(config, measures=MeasuresConfig(names)))
    except InputError as error:
        raise InputError(f"{log}: {error}") from error


def _set_up(job: Job, trained: dict[str, Any], threads: int) -> None:
    """Set TF32 and threads as in training, with at most `threads` threads."""
    numerics.allow_tf32(job.cell.config.tf32)
    torch.set_num_threads(min(trained.get("threads", threads), threads))


def measured(job: Job, libraries: Mapping[str, str]) -> dict[str, pd.DataFrame]:
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
        "measures", nargs="?", default="", metavar=f"{KEY}…", help="one, or several separated by ,"
    )
    parser.add_argument(
        "experiment", nargs="?", metavar=f"{OF}…", help="only the cells that this one requested"
    )
    options = parser.parse_args(arguments)
    try:
        if not options.measures.startswith(KEY):
            raise InputError(f"{KEY}…: missing; give one or several, separated by commas: {valid}")
        names = list(dict.fromkeys(options.measures.removeprefix(KEY).split(",")))
        if options.experiment is not None and not options.experiment.startswith(OF):
            raise InputError(f"{options.experiment}: no such argument; valid: {OF}…")
        experiment = options.experiment and options.experiment.removeprefix(OF)
        print("\n".join(remeasure(options.folder, names, Console(), experiment)))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command continues with the other cells", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
