"""Run logs → two tidy tables: `curves` (a row per key and step) and `cells` (a row per key).

In a folder of run logs the tables are directories of parts, `curves.parquet/` and
`cells.parquet/`, which pandas and pyarrow read like files (analysis/runs/parts.py). A part is
written once for cells that finished since the last time; cells that are not finished have a part
of their own, made anew each time. Elsewhere (outputs/reference) the same two names are single
files.
"""

from collections.abc import Iterable
from pathlib import Path

from analysis.runs import parts, rows
from analysis.runs.tables import Tables, read_gathered
from grokpipe.store import manifest, run_log
from grokpipe.store.remeasured import REMEASURED

BATCH = 250  # run logs in a part: their rows fit into memory many times over


def gather(folder: Path) -> list[str]:
    """Brings the tables of a folder of run logs up to date; returns what a user should know."""
    logs, strangers = _logs(manifest.cells_folder(folder))
    finished = {path.name: _stamp(path) for path in logs if (path / run_log.RESULT).exists()}
    unfinished = [path for path in logs if path.name not in finished]

    index = {  # a part with a cell that is gone, was run again or measured again is made anew
        part: stamps
        for part, stamps in parts.read_index(folder).items()
        if all(finished.get(key) == stamp for key, stamp in stamps.items())
    }
    parts.drop_others(folder, index)
    before = {key for stamps in index.values() for key in stamps}
    new = [path for path in logs if path.name in finished and path.name not in before]
    for batch in (new[first : first + BATCH] for first in range(0, len(new), BATCH)):
        part = parts.next_part(index)
        parts.write(folder, part, rows.read(batch))
        index[part] = {path.name: finished[path.name] for path in batch}
        parts.write_index(folder, index)
    if unfinished:
        parts.write(folder, parts.UNFINISHED, rows.read(unfinished))
    parts.write_columns(folder)

    told = [
        f"{folder}: {len(new)} new, {len(before)} gathered before, {len(unfinished)} not finished"
    ]
    told += [f"skipped {path}: not a run log" for path in strangers]
    return told


def read(folder: Path, measures: Iterable[str] | None = None) -> Tables:
    """The tables of a folder of run logs, gathered first, or of a folder of gathered tables; of the
    curves all columns, or only these measures as far as they are there."""
    if manifest.cells_folder(folder).is_dir():
        gather(folder)
    return read_gathered(folder, measures)


def _logs(cells: Path) -> tuple[list[Path], list[Path]]:
    """The run logs, and what else lies among them."""
    found: dict[bool, list[Path]] = {True: [], False: []}
    for path in sorted(cells.iterdir()):
        found[run_log.is_run_log(path)].append(path)
    return found[True], found[False]


def _stamp(log: Path) -> list[int]:
    """Changes when the cell is run again or measured again."""
    files = (log / run_log.RESULT, log / REMEASURED)
    return [path.stat().st_mtime_ns for path in files if path.exists()]
