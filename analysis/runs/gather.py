"""Gather run logs into two tidy tables: `curves` (a row per key and step), `cells` (a row per key).

In a folder of run logs the tables are directories of parts, `curves.parquet/` and
`cells.parquet/`, which pandas and pyarrow read like files (analysis/runs/parts.py). Cells that have
finished since the last time get a part that is written once; unfinished cells have a part of their
own, rewritten each time. Elsewhere (outputs/reference) the same two names are single files.
"""

import errno
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from analysis.runs import parts, rows
from analysis.runs.selection import conditions, trajectories
from analysis.runs.selection.conditions import Condition
from analysis.runs.tables import Tables, read_gathered
from grokpipe.store import files, manifest, run_log, running
from grokpipe.store.remeasured import REMEASURED

BATCH = 250  # run logs in a part: their rows fit into memory many times over
DENIED = (errno.EACCES, errno.EPERM, *files.DISK_FAULTS)
"""errors of a folder that does not take the tables"""


def gather(folder: Path, to: Path | None = None) -> list[str]:
    """Bring the tables of a folder of run logs up to date, in that folder or in `to`; return
    messages for the user."""
    to = to or folder
    training = running.keys(folder)  # first: a cell that ends meanwhile then counts as ended
    logs, others = _logs(manifest.cells_folder(folder))
    finished = {path.name: _stamp(path) for path in logs if (path / run_log.RESULT).exists()}
    unfinished = [path for path in logs if path.name not in finished]

    index = {  # drop parts with a cell that is gone, was run again or measured again
        part: stamps
        for part, stamps in parts.read_index(to).items()
        if all(finished.get(key) == stamp for key, stamp in stamps.items())
    }
    parts.drop_others(to, index)
    before = {key for stamps in index.values() for key in stamps}
    new = [path for path in logs if path.name in finished and path.name not in before]
    for batch in (new[first : first + BATCH] for first in range(0, len(new), BATCH)):
        part = parts.next_part(index)
        parts.write(to, part, rows.read(batch))
        index[part] = {path.name: finished[path.name] for path in batch}
        parts.write_index(to, index)
    if unfinished:
        parts.write(to, parts.UNFINISHED, rows.read(unfinished, training))
    parts.write_columns(to)

    messages = [
        f"{folder}: {len(new)} new, {len(before)} gathered before, {len(unfinished)} not finished"
    ]
    messages += [f"skipped {path}: not a run log" for path in others]
    return messages


@contextmanager
def gathered(folder: Path, tell: Callable[[str], object] = lambda message: None) -> Iterator[Path]:
    """Yield a folder with the tables, up to date: `folder` itself or, where that has run logs but
    does not take their tables (read-only, full), a temporary one. `tell` takes the messages of
    `gather`."""
    with tempfile.TemporaryDirectory(prefix="grokpipe-") as temporary:
        stored, messages = folder, []
        if manifest.cells_folder(folder).is_dir():
            try:
                messages = gather(folder)
            except OSError as error:
                if error.errno not in DENIED:
                    raise
                stored = Path(temporary)
                messages = gather(folder, stored)
        for message in messages:
            tell(message)
        yield stored


def read(
    folder: Path,
    measures: Iterable[str] | None = None,
    where: Sequence[Condition] = (),
    asked: Collection[str] = (),
) -> Tables:
    """Read the tables of a folder of run logs, gathering them first, or of gathered tables: the
    runs that are to be analysed (`chosen`).

    Of the curves, read all columns, or only those of `measures` that exist.
    """
    return chosen(read_every(folder, measures), where, asked)


def chosen(tables: Tables, where: Sequence[Condition] = (), asked: Collection[str] = ()) -> Tables:
    """The runs to analyse: those that meet the conditions, and of those that differ only in budget,
    evaluation or measures the longest, preferably one that has the columns `asked` of the curves.

    Notes count them. Raises InputError where no run meets the conditions.
    """
    tables = conditions.choose(tables, where)
    others, notes = trajectories.longest(tables.cells, tables.curves, asked)
    left = set(tables.cells["key"]) - set(others["key"])
    return replace(tables.only(left).noted(*notes), left_out=others)


def read_every(folder: Path, measures: Iterable[str] | None = None) -> Tables:
    """Read the tables as `read`, with all runs."""
    with gathered(folder) as stored:
        return read_stored(stored, folder, measures)


def read_stored(stored: Path, folder: Path, measures: Iterable[str] | None = None) -> Tables:
    """Read the tables of `folder`, with all runs, from where `gathered` put them."""
    return replace(read_gathered(stored, measures), folder=folder)


def _logs(cells: Path) -> tuple[list[Path], list[Path]]:
    """List the run logs, and the other entries of the folder."""
    paths: dict[bool, list[Path]] = {True: [], False: []}
    for path in sorted(cells.iterdir()):
        paths[run_log.is_run_log(path)].append(path)
    return paths[True], paths[False]


def _stamp(log: Path) -> list[int]:
    """Modification times, which change when the cell is run again or measured again."""
    files = (log / run_log.RESULT, log / REMEASURED)
    return [path.stat().st_mtime_ns for path in files if path.exists()]
