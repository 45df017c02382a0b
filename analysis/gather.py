"""Run logs → two tidy tables: `curves` (a row per key and step) and `cells` (a row per key).

In a folder of run logs the tables are directories of parts, `curves.parquet/` and
`cells.parquet/`, which pandas and pyarrow read like files (analysis/parts.py). A part is written
once for cells that finished since the last time; cells that are not finished have a part of their
own, made anew each time. Elsewhere (outputs/reference) the same two names are single files.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from pyarrow import ArrowException
from pyarrow.dataset import dataset

from analysis import parts, rows
from analysis.parts import CELLS, CURVES
from analysis.rows import CELL_COLUMNS, UNKNOWN, single_values
from grokpipe import ledger, runlog
from grokpipe.errors import InputError
from grokpipe.remeasured import REMEASURED

BATCH = 250  # run logs in a part: their rows fit into memory many times over


@dataclass(frozen=True)
class Tables:
    """All runs of a folder, sorted by key and step, without wall times."""

    curves: pd.DataFrame
    """key, step, every measure, then the scientific configuration by dotted name; less if less was
    read"""
    cells: pd.DataFrame
    """CELL_COLUMNS, then the same configuration"""
    folder: Path
    """where they were read"""

    @property
    def configuration(self) -> list[str]:
        """The names of the configuration columns."""
        return list(self.cells.columns[len(CELL_COLUMNS) :])

    def only(self, keys: Iterable[str]) -> "Tables":
        """The rows of these cells."""
        return replace(
            self,
            curves=self.curves[self.curves["key"].isin(keys)],
            cells=self.cells[self.cells["key"].isin(keys)],
        )


def gather(folder: Path) -> list[str]:
    """Brings the tables of a folder of run logs up to date; returns what a user should know."""
    logs, strangers = _logs(ledger.cells_folder(folder))
    finished = {path.name: _stamp(path) for path in logs if (path / runlog.RESULT).exists()}
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
    if ledger.cells_folder(folder).is_dir():
        gather(folder)
    return gathered(folder, measures)


def gathered(folder: Path, measures: Iterable[str] | None = None) -> Tables:
    """The tables as they are on disk. Raises InputError where there are none, or a file is
    damaged."""
    path = _stored(folder, CURVES)
    with _intact(path):
        stored = dataset(path, format="parquet")
        columns = stored.schema.names
        if measures is not None:
            wanted = {"key", "step", *measures}
            columns = [column for column in columns if column in wanted]
        curves = stored.to_table(columns=columns).to_pandas()
    return Tables(
        curves=curves.sort_values(["key", "step"], ignore_index=True),
        cells=gathered_cells(folder),
        folder=folder,
    )


def gathered_cells(folder: Path) -> pd.DataFrame:
    """The cells alone, which are few. Raises InputError where there are none, or the file is
    damaged."""
    path = _stored(folder, CELLS)
    with _intact(path):
        cells = pd.read_parquet(path).sort_values("key", ignore_index=True)
    for place, name in enumerate(CELL_COLUMNS):
        if name not in cells:  # tables that were stored before there was this column
            cells.insert(place, name, UNKNOWN)
    return cells


def measures(folder: Path) -> list[str]:
    """The columns of the curves on disk that are neither key, step nor configuration."""
    others = {"key", "step", *gathered_cells(folder).columns}
    names = dataset(_stored(folder, CURVES), format="parquet").schema.names
    return [name for name in names if name not in others]


def size(folder: Path, name: str) -> tuple[int, int]:
    """Rows and columns of a table, without reading it. Raises InputError where there is none."""
    data = dataset(_stored(folder, name), format="parquet")
    return data.count_rows(), len(data.schema)


def write(tables: Tables, folder: Path) -> None:
    """The tables as two single files, as they are kept under outputs/reference."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in ((CURVES, tables.curves), (CELLS, tables.cells)):
        with runlog.replacing(folder / name) as temporary:
            table.to_parquet(temporary, index=False, compression="zstd")


def of_experiment(tables: Tables, folder: Path, experiment: str) -> Tables:
    """The cells that `experiment` asked for in a folder of run logs, which others may share.
    Raises InputError if it never did."""
    asked = ledger.read_asked(folder)
    keys = asked["key"][asked["experiment"] == experiment]
    if not len(keys):
        valid = ", ".join(sorted(asked["experiment"].dropna().unique())) or "none"
        raise InputError(f"--experiment {experiment}: not asked for in {folder}; valid: {valid}")
    return tables.only(keys)


def mixtures(cells: pd.DataFrame) -> list[str]:
    """One line each where cells were trained by different code or software, or on different
    processors, whose rounding a run follows."""
    values = {
        column: set(single_values(cells[column]))
        for column in ("commit", "torch", "code", "processor")
    }
    told = []
    for column in ("commit", "torch"):
        if (versions := len(values[column])) > 1:
            told.append(f"note: cells were trained by {versions} versions of {column}")
    trajectories = Counter(code.partition(":")[0] for code in values["code"] - {UNKNOWN})
    if (versions := max(trajectories.values(), default=1)) > 1:
        told.append(f"note: cells were trained by {versions} versions of the scientific code")
    if len(values["processor"]) > 1:
        names = ", ".join(sorted(values["processor"]))
        told.append(f"note: cells were trained on different processors: {names}")
    if cells["dirty"].eq(True).any():
        told.append("note: some cells were trained by code that differs from its commit")
    return told


def varied(tables: Tables) -> list[str]:
    """Configuration columns with more than one value, the seed and repetitions left out."""
    several = [c for c in tables.configuration if tables.cells[c].nunique(dropna=False) > 1]
    return [
        column
        for column in several
        if column != "seed" and not _repeats_a_dial(tables.cells, column)
    ]


def _repeats_a_dial(cells: pd.DataFrame, column: str) -> bool:
    """Whether `group.x` is the dial `x` again, from which the group takes its value."""
    group, _, dial = column.rpartition(".")
    return bool(group) and dial in cells and cells[dial].equals(cells[column])


def _logs(cells: Path) -> tuple[list[Path], list[Path]]:
    """The run logs, and what else lies among them."""
    found: dict[bool, list[Path]] = {True: [], False: []}
    for path in sorted(cells.iterdir()):
        found[runlog.is_run_log(path)].append(path)
    return found[True], found[False]


def _stamp(log: Path) -> list[int]:
    """Changes when the cell is run again or measured again."""
    files = (log / runlog.RESULT, log / REMEASURED)
    return [path.stat().st_mtime_ns for path in files if path.exists()]


@contextmanager
def _intact(path: Path) -> Iterator[None]:
    try:
        yield
    except (ArrowException, OSError) as error:
        why = str(error).splitlines()[0]
        remedy = "restore it, or delete it and gather the run logs again"
        raise InputError(f"{path}: not readable as parquet ({why}); {remedy}") from error


def _stored(folder: Path, name: str) -> Path:
    path = folder / name
    if path.exists():
        return path
    cells = ledger.cells_folder(folder)
    if cells.is_dir():
        raise InputError(f"{folder}: no run log in {cells} yet")
    raise InputError(
        f"{folder}: neither run logs (a folder cells/) nor gathered tables ({CURVES} and {CELLS})"
    )
