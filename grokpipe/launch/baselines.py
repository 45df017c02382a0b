"""Resolve cells whose intervention follows the trajectory of a finished baseline."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grokpipe.cell import Cell
from grokpipe.config import registry
from grokpipe.config.schema import Config
from grokpipe.errors import InputError
from grokpipe.store import files, manifest, run_log, trajectories


def follows(config: Config) -> bool:
    """Return whether the intervention of `config` follows a finished baseline."""
    return hasattr(config.intervention, "trajectory")


def baseline(config: Config) -> list[Cell]:
    """Cells whose mean the cell of `config` follows: the same ones without intervention."""
    none = registry.module("interventions", "none", "intervention").Config("none")
    return [
        Cell.of(replace(config, intervention=none, seed=seed))
        for seed in dict.fromkeys(config.intervention.baseline_seeds)
    ]


def following(config: Config, cells: Sequence[Cell]) -> Config:
    """Set the trajectory of these finished baseline cells in `config`, and write it to disk."""
    folder = Path(config.outputs) / config.name
    logs = [manifest.cells_folder(folder) / cell.key for cell in cells]
    mean = trajectories.mean([run_log.read_columns(log, trajectories.COLUMNS) for log in logs])
    file = trajectories.trajectory_file(folder, mean.hash)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(file, mean.text)
    return replace(config, intervention=replace(config.intervention, trajectory=mean.hash))


def waiting(cells: Sequence[Cell], labels: Sequence[str]) -> set[int]:
    """Indices of the cells that follow a baseline which this sweep has yet to train.

    Raises InputError if a baseline is neither finished nor part of the sweep.
    """
    in_sweep = {cell.key for cell in cells if not follows(cell.config)}
    waits = set()
    for i, cell in enumerate(cells):
        if not follows(cell.config):
            continue
        unfinished = unfinished_baseline(cell)
        if missing := [other for other in unfinished if other.key not in in_sweep]:
            lacking = [other.config.seed for other in missing]
            usable = [
                str(seed) for seed in cell.config.intervention.baseline_seeds if seed not in lacking
            ]
            name = cell.config.intervention.name
            raise InputError(
                f"intervention={name}: {labels[i] or 'the cell'} follows a baseline that is not "
                f"finished in {cell.folder}: seeds {', '.join(map(str, lacking))}; train these "
                f"with intervention=none first, or in one sweep (intervention=none,{name}), or "
                f"follow other seeds (intervention.baseline_seeds=[{','.join(usable) or '…'}])"
            )
        if unfinished:
            waits.add(i)
    return waits


def unfinished_baseline(cell: Cell) -> list[Cell]:
    """The cells of the baseline that `cell` follows which have not reached their end."""
    cells = {followed.key: followed for followed in baseline(cell.config)}
    states = manifest.states(cell.folder, cells)
    return [followed for key, followed in cells.items() if states[key] != "done"]


def with_trajectory(cell: Cell, label: str) -> Cell:
    """Set the trajectory that the cell follows, if it follows one.

    Raises InputError if its baseline did not finish.
    """
    if not follows(cell.config):
        return cell
    if unfinished := unfinished_baseline(cell):
        seeds = ", ".join(str(other.config.seed) for other in unfinished)
        raise InputError(f"{label}: its baseline did not finish: seeds {seeds}; see its run logs")
    return Cell.of(following(cell.config, baseline(cell.config)))
