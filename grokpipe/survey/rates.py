"""How fast one process of this machine trains: from finished runs, else from a trial."""

import json
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from grokpipe.cell import Cell
from grokpipe.config.fields import flatten, scientific_values
from grokpipe.launch import baselines
from grokpipe.launch.pack_plan import WIDTH
from grokpipe.store import files, manifest, run_log
from grokpipe.training.choosing import LENGTH, MEASURED_FROM, uncompiled
from grokpipe.training.device import device_of, processor

SIZES = ("train_size", "task.train_size", "task.fraction")
"""keys that do not change a step, unless each is of the whole training set"""


def shape(cell: Cell) -> str:
    """Text that is equal for cells whose steps take the same time."""
    config = cell.config
    sizes = SIZES if config.batches != "full" else ()
    values = flatten(scientific_values(config, shared=True))
    kept = {
        name: value
        for name, value in values.items()
        if name.partition(".")[0] not in LENGTH and name not in sizes
    }
    return json.dumps(kept, sort_keys=True)


@dataclass
class Rates:
    """Seed-steps per second of one process, by the shape of its cells."""

    runs: dict[str, float]
    trials: dict[str, float] = field(default_factory=dict)

    def rate(self, cell: Cell, count: int, threads: int) -> float | None:
        """The rate of a process that trains `count` such cells; None for runs so short that a trial
        would take as long, if no finished one tells."""
        name = shape(cell)
        if name in self.runs:
            return self.runs[name]
        if name not in self.trials and cell.config.steps >= MEASURED_FROM:
            self.trials[name] = of_trial(cell, count, threads)
        return self.trials.get(name)

    def is_by_trial(self, cell: Cell) -> bool:
        """Whether no finished run tells the rate."""
        return shape(cell) not in self.runs


def of_runs(cells: Iterable[Cell]) -> dict[str, float]:
    """Seed-steps per second of a process, by shape: the median over the packs among these cells
    that have ended and were trained on a processor of this kind, evaluations included."""
    packs: dict[str, list[tuple[Cell, dict[str, Any], int]]] = defaultdict(list)
    for cell in {cell.key: cell for cell in cells}.values():
        log = manifest.cells_folder(cell.folder) / cell.key
        result = run_log.read_result(log)
        if result is None or result["state"] not in manifest.FINISHED:
            continue
        trained = files.read_json(log / run_log.PROVENANCE)
        if "pack" in trained and trained.get("processor") == processor():
            packs[trained["pack"]].append((cell, trained, result["steps"]))
    found: dict[str, list[float]] = defaultdict(list)
    for members in packs.values():
        cell, trained, _ = members[0]
        seconds = max(trained.get("wall_seconds", 0.0) for _, trained, _ in members)
        if len(members) == trained["width"] and seconds > 0:
            steps = sum(steps - _taken_over(trained) for _, trained, steps in members)
            found[shape(cell)].append(steps / seconds)
    return {name: statistics.median(rates) for name, rates in found.items()}


def _taken_over(trained: Mapping[str, Any]) -> int:
    """Steps that a run did not train itself, but took over from a shorter one."""
    return int(trained.get("parent", {}).get("step", 0))


def of_trial(cell: Cell, count: int, threads: int) -> float:
    """Seed-steps per second of a process that trains `count` such cells, timed over a few
    uncompiled steps without an evaluation, as the first training of a pack times them."""
    if baselines.follows(cell.config):
        cell = baselines.baseline(cell.config)[0]
    device = device_of(cell.config.device)
    torch.set_num_threads(threads)
    cells = [cell] * (min(count, WIDTH["cuda"]) if device.type == "cuda" else 1)
    return float(len(cells) / uncompiled(cells, device)["seconds"])
