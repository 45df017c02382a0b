"""Cells that follow what a finished baseline did, and when that is known."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grokpipe.cell import Cell
from grokpipe.config import registry
from grokpipe.config.schema import Config
from grokpipe.errors import InputError
from grokpipe.store import files, manifest, run_log, trajectories


def follows(config: Config) -> bool:
    """Whether its intervention needs a finished baseline."""
    return hasattr(config.intervention, "trajectory")


def baseline(config: Config) -> list[Cell]:
    """The cells whose mean the cell of `config` follows: the same without intervention."""
    none = registry.module("interventions", "none", "intervention").Config("none")
    return [
        Cell.of(replace(config, intervention=none, seed=seed))
        for seed in dict.fromkeys(config.intervention.baseline_seeds)
    ]


def settled(config: Config, cells: Sequence[Cell]) -> Config:
    """`config` with the trajectory of these finished baseline cells, which is written to disk."""
    folder = Path(config.outputs) / config.name
    logs = [manifest.cells_folder(folder) / cell.key for cell in cells]
    found = trajectories.mean([run_log.read_columns(log, trajectories.COLUMNS) for log in logs])
    file = trajectories.trajectory_file(folder, found.hash)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(file, found.text)
    return replace(config, intervention=replace(config.intervention, trajectory=found.hash))


def waiting(cells: Sequence[Cell], labels: Sequence[str]) -> set[int]:
    """The places of the cells that follow a baseline which this sweep has yet to train. Raises
    InputError if it is neither finished nor in the sweep."""
    here = {cell.key for cell in cells if not follows(cell.config)}
    found = set()
    for i, cell in enumerate(cells):
        if not follows(cell.config):
            continue
        unfinished = _unfinished_baseline(cell)
        if missing := [one for one in unfinished if one.key not in here]:
            lacking = [one.config.seed for one in missing]
            there = [
                str(seed) for seed in cell.config.intervention.baseline_seeds if seed not in lacking
            ]
            name = cell.config.intervention.name
            raise InputError(
                f"intervention={name}: {labels[i] or 'the cell'} follows a baseline that is not "
                f"finished in {cell.folder}: seeds {', '.join(map(str, lacking))}; train these "
                f"with intervention=none first, or in one sweep (intervention=none,{name}), or "
                f"follow other seeds (intervention.baseline_seeds=[{','.join(there) or '…'}])"
            )
        if unfinished:
            found.add(i)
    return found


def _unfinished_baseline(cell: Cell) -> list[Cell]:
    cells = {one.key: one for one in baseline(cell.config)}
    states = manifest.states(cell.folder, cells)
    return [one for key, one in cells.items() if states[key] != "done"]


def settled_cell(cell: Cell, label: str) -> Cell:
    """The cell with what its baseline did. Raises InputError if that failed."""
    if not follows(cell.config):
        return cell
    if unfinished := _unfinished_baseline(cell):
        seeds = ", ".join(str(one.config.seed) for one in unfinished)
        raise InputError(f"{label}: its baseline did not finish: seeds {seeds}; see its run logs")
    return Cell.of(settled(cell.config, baseline(cell.config)))
