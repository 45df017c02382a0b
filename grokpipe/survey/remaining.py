"""Tell what is done of sweeps that are trained one after another, and what the rest will take.

    python -m grokpipe.survey.remaining -m experiment=demo -m experiment=tutorial lr=0.003

takes the arguments of several training commands, each from its `-m` on, and prints JSON, which
`python -m analysis reproduce` shows as a table: an entry for each, in this order. Nothing is
trained but a few steps of each network of which no finished run tells the speed.
"""

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from hydra.core.global_hydra import GlobalHydra

from grokpipe.cell import Cell
from grokpipe.config import command
from grokpipe.config.schema import register
from grokpipe.errors import InputError
from grokpipe.launch import baselines, launcher, parents
from grokpipe.launch.executor import Executor
from grokpipe.launch.pack_plan import Place
from grokpipe.measures import _columns
from grokpipe.precision import dtype_of
from grokpipe.store import manifest, run_log, running
from grokpipe.survey import rates
from grokpipe.survey.rates import Rates
from grokpipe.training.continuation import schedule

KEY = "experiment="
STATES = 3  # tensors of a parameter's shape in final.pt: itself and the two moments of AdamW


@dataclass(frozen=True)
class Remaining:
    """What is done of one experiment, and what remains."""

    experiment: str
    folder: str
    """outputs/<name>"""
    cells: int
    repeated: int
    """how many of these cells an earlier experiment of the list has too"""
    states: dict[str, int]
    """number of the other cells by state"""
    is_asked: bool
    """whether all cells were requested as this experiment's before"""
    steps: int
    """seed-steps of its cells without the repeated ones"""
    steps_left: int
    """seed-steps to be trained, if no run stops early"""
    seconds_left: float | None
    """time that these take; None if they are trained on other machines, or too short for a trial"""
    by_trial: bool
    """whether a trial of a few steps tells that time, not finished runs"""
    bytes_left: int
    """disk space of the cells to be trained, at most"""


class Planned:
    """The cells of the experiments so far, which will have ended when the next one begins."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.lengths: dict[str, set[int]] = {}
        """steps of these cells by what is equal for a shorter run and a longer one"""

    def add(self, cell: Cell) -> None:
        self.keys.add(cell.key)
        self.lengths.setdefault(_trajectory(cell), set()).add(cell.config.steps)

    def steps_before(self, cell: Cell) -> int:
        """Steps of the longest planned run that the cell continues; 0 if there is none."""
        lengths = self.lengths.get(_trajectory(cell), set())
        return max((steps for steps in lengths if steps < cell.config.steps), default=0)


def _trajectory(cell: Cell) -> str:
    values = {**cell.values, "steps": None, "eval": {**cell.values["eval"], "budget": None}}
    return json.dumps([cell.fingerprint, values], sort_keys=True)


def remaining(commands: Sequence[Sequence[str]]) -> list[Remaining]:
    """Survey sweeps, each given by the arguments of `python -m grokpipe`.

    Raises InputError for whatever a sweep of them would refuse, and for a baseline that no earlier
    one trains.
    """
    listed = [_listed(arguments) for arguments in commands]
    known = Rates(rates.of_runs(cell for _, cells, _ in listed for cell in cells))
    planned = Planned()
    return [_remaining(name, cells, executor, planned, known) for name, cells, executor in listed]


def _listed(arguments: Sequence[str]) -> tuple[str, list[Cell], Executor]:
    """The experiment of a sweep, its cells, each once, and the executor that would train them."""
    register()
    name = next((text for text in arguments if text.startswith(KEY)), KEY)
    try:
        listing, chosen = command.listed(command.compose(command.read(arguments)))
        cells = launcher.checked(listing.configs, listing.labels)
        executor: Executor = chosen.executor()
    except InputError as error:
        place = "" if str(error).startswith(KEY) else f"{name}: "
        raise InputError(f"{place}{error}") from error
    finally:
        GlobalHydra.instance().clear()
    return name.removeprefix(KEY), [*{cell.key: cell for cell in cells}.values()], executor


def _remaining(
    experiment: str,
    cells: Sequence[Cell],
    executor: Executor,
    planned: Planned,
    known: Rates,
) -> Remaining:
    """Survey one experiment, and add its cells to the planned ones."""
    own = {cell.key for cell in cells if not baselines.follows(cell.config)}
    cells = [_following(experiment, cell, planned.keys | own) for cell in cells]
    folders = {cell.folder for cell in cells}
    if len(folders) > 1:
        names = ", ".join(sorted(map(str, folders)))
        raise InputError(f"{KEY}{experiment}: its cells lie in several folders: {names}")
    (folder,) = folders
    others = {cell.key: cell for cell in cells if cell.key not in planned.keys}
    states = manifest.states(folder, others, running.keys(folder))
    missing = {key: c for key, c in others.items() if states[key] not in manifest.FINISHED}
    shorter = parents.find(folder, missing)
    left = {
        key: min(
            shorter.left(cell),
            cell.config.steps - max(planned.steps_before(cell), _begun(folder, key)),
        )
        for key, cell in missing.items()
    }
    place = executor.place([*missing.values()]) if missing else None
    seconds, by_trial = _seconds(missing, left, place, known)
    for cell in others.values():
        planned.add(cell)
    asked = manifest.read_columns(folder, ("key", "experiment"))
    return Remaining(
        experiment=experiment,
        folder=str(folder),
        cells=len(cells),
        repeated=len(cells) - len(others),
        states=dict(Counter(states.values())),
        is_asked=asked.issuperset((cell.key, experiment) for cell in cells),
        steps=sum(cell.config.steps for cell in others.values()),
        steps_left=sum(left.values()),
        seconds_left=seconds,
        by_trial=by_trial,
        bytes_left=sum(map(bytes_of, missing.values())),
    )


def _following(experiment: str, cell: Cell, trained: set[str]) -> Cell:
    """The cell with the trajectory that it follows, or as it is if that is yet to be `trained`."""
    if not baselines.follows(cell.config):
        return cell
    unfinished = baselines.unfinished_baseline(cell)
    if not unfinished:
        return baselines.with_trajectory(cell, f"{KEY}{experiment}")
    if lacking := [str(other.config.seed) for other in unfinished if other.key not in trained]:
        raise InputError(
            f"{KEY}{experiment}: follows a baseline that no earlier experiment trains: seeds "
            + ", ".join(lacking)
        )
    return cell


def _begun(folder: Path, key: str) -> int:
    """Step of the last evaluation of an interrupted cell; 0 before the first."""
    rows = run_log.read_lines(manifest.cells_folder(folder) / key)
    return int(rows[-1]["step"]) if rows else 0


def _seconds(
    missing: Mapping[str, Cell],
    left: Mapping[str, int],
    place: Place | None,
    known: Rates,
) -> tuple[float | None, bool]:
    """Time for these cells in all processes of this machine, and whether a trial tells it."""
    if place is None:
        return 0.0, False
    if place.cores is None:
        return None, False
    seconds = 0.0
    for key, cell in missing.items():
        rate = known.rate(cell, len(missing), place.threads)
        if rate is None:
            return None, False
        seconds += left[key] / rate
    return seconds / place.slots, any(map(known.is_by_trial, missing.values()))


def bytes_of(cell: Cell) -> int:
    """Disk space of the run log of a cell that trains for its whole budget: curves, final state and
    snapshots."""
    columns = 1 + len(_columns.columns(cell.config.measures.all, cell.classes, cell.positions))
    curves = 8 * columns * len(schedule(cell.config))
    numbers = dtype_of(cell.config.dtype).itemsize * cell.parameters
    final = STATES * numbers if cell.config.save.final else 0
    return curves + final + launcher.snapshot_bytes(cell)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; exit code 0, or 2 with one line for wrong input."""
    given = sys.argv[1:] if arguments is None else arguments
    starts = [i for i, text in enumerate(given) if text == "-m"]
    try:
        found = remaining([given[a:b] for a, b in pairwise([*starts, len(given)])])
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps([asdict(one) for one in found]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
