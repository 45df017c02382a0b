"""Gathered tables of a folder: `curves`, a row per key and step, and `cells`, a row per key."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path

import pandas as pd
from pyarrow import ArrowException, ChunkedArray
from pyarrow.dataset import ParquetFileFormat, ParquetReadOptions, dataset

from analysis.runs.checks import near
from analysis.runs.checks.schema import check_cells, check_curves, require
from analysis.runs.parts import CELLS, CURVES
from analysis.runs.rows import CELL_COLUMNS, UNKNOWN, single_values
from analysis.runs.selection import trajectories
from grokpipe.config.schema import Config
from grokpipe.errors import InputError
from grokpipe.store import files, manifest

_SCHEMA = {item.name for item in fields(Config)}
_FORMAT = ParquetFileFormat(read_options=ParquetReadOptions(dictionary_columns={"key"}))


@dataclass(frozen=True)
class Tables:
    """All runs of a folder, sorted by key and step, without wall times."""

    curves: pd.DataFrame
    """key, step, every measure, then the scientific configuration by dotted name; or only the
    columns that were requested"""
    cells: pd.DataFrame
    """CELL_COLUMNS, then the same configuration"""
    folder: Path
    """where the tables were read"""
    notes: tuple[str, ...] = ()
    """lines for the user on what was read otherwise than it stands"""
    left_out: pd.DataFrame | None = None
    """cells of which a run in `cells` is the longer one of the same trajectory
    (selection/trajectories.py); None: that was not looked for"""

    @property
    def configuration(self) -> list[str]:
        """Names of the configuration columns: all of the cells but CELL_COLUMNS."""
        return [column for column in self.cells if column not in CELL_COLUMNS]

    def spread(self, columns: Iterable[str]) -> "Tables":
        """Give each row of the curves the values of these configuration columns of its cell."""
        rows = pd.Index(self.cells["key"]).get_indexer(self.curves["key"])
        values = {name: self.cells[name].to_numpy()[rows] for name in columns}
        return replace(self, curves=self.curves.assign(**values))

    def noted(self, *notes: str) -> "Tables":
        """The same tables with further notes."""
        return replace(self, notes=(*self.notes, *notes))

    def require(self, columns: Iterable[str], why: str) -> None:
        """Raise InputError for a column that the cells do not have; `why` says what it is for."""
        require(self.cells, list(columns), self.folder / CELLS, why)

    def only(self, keys: Iterable[str]) -> "Tables":
        """Keep only the rows of these cells."""
        keys = set(keys)
        if keys.issuperset(self.cells["key"]):
            return self  # millions of rows need no copy
        return replace(
            self,
            curves=self.curves[self.curves["key"].isin(keys)],
            cells=self.cells[self.cells["key"].isin(keys)],
        )


def read_gathered(
    folder: Path, measures: Iterable[str] | None = None, as_stored: bool = False
) -> Tables:
    """Read the tables on disk; of the curves only these `measures`, if given.

    Configuration is that of the cells, in the curves too. Values of a column that are equal to 12
    digits are taken as one (`near.merged`), unless the tables are to be handed on `as_stored`.

    Raises InputError where there are none, a file is damaged, or it breaks the schema.
    """
    cells, notes = _read_cells(folder)
    if not as_stored:
        cells, merged = near.merged(cells, [c for c in cells if c not in CELL_COLUMNS])
        notes += merged
    path = _stored(folder, CURVES)
    with _intact(path):
        stored = dataset(path, format=_FORMAT)
        columns = [name for name in stored.schema.names if name not in cells or name == "key"]
        if measures is not None:
            wanted = {"key", "step", *measures}
            columns = [name for name in columns if name in wanted]

    def column(name: str) -> ChunkedArray:
        with _intact(path):
            return stored.to_table(columns=[name])[name]

    curves, told = check_curves(columns, column, cells, path, set(measures or ()))
    read = Tables(curves=curves, cells=cells, folder=folder, notes=(*notes, *told))
    if measures is not None:
        return read
    return read.spread(name for name in stored.schema.names if name in cells and name != "key")


def read_cells(folder: Path) -> pd.DataFrame:
    """Read only the table of cells, which is small.

    Raises InputError where there is none, the file is damaged, or it breaks the schema.
    """
    return _read_cells(folder)[0]


def _read_cells(folder: Path) -> tuple[pd.DataFrame, list[str]]:
    path = _stored(folder, CELLS)
    with _intact(path):
        table = dataset(path, format="parquet").to_table()
    return check_cells(table, path)


def measure_names(folder: Path) -> list[str]:
    """List the columns of the curves on disk that are neither key, step nor configuration."""
    cells, names = (_column_names(_stored(folder, name)) for name in (CELLS, CURVES))
    return [name for name in names if name not in {"key", "step", *cells}]


def _column_names(path: Path) -> list[str]:
    with _intact(path):
        names: list[str] = dataset(path, format="parquet").schema.names
        return names


def table_size(folder: Path, name: str) -> tuple[int, int]:
    """Count rows and columns of a table without reading it. Raises InputError if it is missing
    or damaged."""
    path = _stored(folder, name)
    with _intact(path):
        data = dataset(path, format="parquet")
        return data.count_rows(), len(data.schema)


def write_gathered(tables: Tables, folder: Path) -> None:
    """Write the tables as two single files, as under outputs/reference."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in ((CURVES, tables.curves), (CELLS, tables.cells)):
        with files.replacing(folder / name) as temporary:
            table.to_parquet(temporary, index=False, compression="zstd")


def of_experiment(tables: Tables, folder: Path, experiment: str) -> Tables:
    """Keep the cells that `experiment` requested in a folder of run logs, which others may share.

    Raises InputError if it requested none.
    """
    asked = manifest.read_asked(folder)
    keys = asked["key"][asked["experiment"] == experiment]
    if not len(keys):
        valid = ", ".join(sorted(asked["experiment"].dropna().unique())) or "none"
        raise InputError(f"--experiment {experiment}: not run in {folder}; valid: {valid}")
    return tables.only(keys)


def mixtures(cells: pd.DataFrame) -> list[str]:
    """Note where cells were trained by different code or software, or on different processors.

    Rounding, and so a run, depends on the processor.
    """
    values = {
        column: set(single_values(cells[column]))
        for column in ("commit", "torch", "code", "processor")
    }
    notes = []
    if (commits := len(values["commit"])) > 1:
        notes.append(f"note: cells were trained at {commits} commits")
    if (versions := len(values["torch"])) > 1:
        notes.append(f"note: cells were trained with {versions} versions of PyTorch")
    trajectories = Counter(code.partition(":")[0] for code in values["code"] - {UNKNOWN})
    if (versions := max(trajectories.values(), default=1)) > 1:
        notes.append(f"note: cells were trained by {versions} versions of the scientific code")
    if len(values["processor"]) > 1:
        names = ", ".join(sorted(values["processor"]))
        notes.append(f"note: cells were trained on different processors: {names}")
    if cells["dirty"].eq(True).any():
        notes.append("note: some cells were trained by code that differs from its commit")
    return notes


def varied_columns(tables: Tables) -> list[str]:
    """List configuration columns with several values, without the seed, repeated columns, and
    columns foreign to the schema of which each run has its own value, such as a run's address.
    Columns of the budget, the evaluation and the measures are listed only where they tell apart
    runs that agree in all else."""
    cells = trajectories.with_neutral_values(tables.cells)
    tell = trajectories.lengths_that_tell(cells)
    names = [c for c in tables.configuration if c in tell or not trajectories.is_length(c)]
    several = {c: n for c in names if (n := cells[c].nunique(dropna=False)) > 1}
    return [
        column
        for column, values in several.items()
        if column != "seed"
        and not _repeats_shared_default(cells, column)
        and (values < len(cells) or column.partition(".")[0] in _SCHEMA)
    ]


def _repeats_shared_default(cells: pd.DataFrame, column: str) -> bool:
    """Return whether `group.x` repeats the shared default `x`, which the group interpolates."""
    group, _, name = column.rpartition(".")
    return bool(group) and name in cells and cells[name].equals(cells[column])


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
    cells = manifest.cells_folder(folder)
    if cells.is_dir():
        raise InputError(f"{folder}: no run log in {cells} yet")
    raise InputError(
        f"{folder}: neither run logs (a folder cells/) nor gathered tables ({CURVES} and {CELLS})"
    )
