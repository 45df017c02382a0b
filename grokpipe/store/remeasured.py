"""What was measured on a run's snapshots after it was trained: `remeasured.parquet` in its run log.

A row per snapshot, `step` first, then the columns of each measure. The file's metadata say of each
measure which columns are its own, at which steps it was taken, and by which code and software.
Needs no PyTorch.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import pyarrow
from pyarrow import parquet

from grokpipe.store import files

REMEASURED = "remeasured.parquet"
NOTES = b"grokpipe"  # the key among the file's metadata


@dataclass(frozen=True)
class Origin:
    """The code and software that measured."""

    commit: str | None
    dirty: bool | None
    """whether the code differed from its commit"""
    source: str
    """fingerprint.source"""
    torch: str


@dataclass(frozen=True)
class Note:
    """What is known of one measure."""

    columns: list[str]
    steps: list[int]
    origin: Origin


@dataclass(frozen=True)
class Remeasured:
    """The table of one run log, empty if nothing was measured yet."""

    table: pd.DataFrame
    """one row per snapshot, index `step`; NaN too where a measure was not taken"""
    notes: dict[str, Note]
    """by measure"""

    def with_measures(self, tables: dict[str, pd.DataFrame], origin: Origin) -> "Remeasured":
        """The measures' `tables`, index `step`, in the place of their earlier columns and of equal
        names; the other columns stay."""
        added = pd.concat(tables.values(), axis=1)
        earlier = [self.notes[name].columns for name in tables if name in self.notes]
        replaced = {*added.columns, *(column for columns in earlier for column in columns)}
        kept = self.table.drop(columns=list(replaced), errors="ignore")
        notes = {
            name: Note(list(table.columns), [int(step) for step in table.index], origin)
            for name, table in tables.items()
        }
        joined = pd.concat([kept, added], axis=1).sort_index().rename_axis("step")
        return Remeasured(joined, self.notes | notes)


def read(folder: Path) -> Remeasured:
    """Of the run log `folder`."""
    path = folder / REMEASURED
    if not path.exists():
        return Remeasured(pd.DataFrame(index=pd.Index([], dtype="int64", name="step")), {})
    stored = parquet.read_table(path)
    notes = {
        name: Note(**{**note, "origin": Origin(**note["origin"])})
        for name, note in json.loads(stored.schema.metadata[NOTES]).items()
    }
    return Remeasured(stored.to_pandas().set_index("step"), notes)


def write(folder: Path, remeasured: Remeasured) -> None:
    """To the run log `folder`, in the place of what is there."""
    table = pyarrow.Table.from_pandas(remeasured.table.reset_index(), preserve_index=False)
    notes = json.dumps({name: asdict(note) for name, note in remeasured.notes.items()})
    table = table.replace_schema_metadata({**table.schema.metadata, NOTES: notes})
    with files.replacing(folder / REMEASURED) as temporary:
        parquet.write_table(table, temporary)
