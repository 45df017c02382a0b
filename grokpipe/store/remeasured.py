"""Measures taken on a run's snapshots after training: `remeasured.parquet` in the run log.

One row per snapshot, `step` first, then the columns of each measure. The file's metadata record for
each measure its columns, the steps at which it was taken, and the code and software that took it.
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
    """The code and software that took a measure."""

    commit: str | None
    dirty: bool | None
    """whether the code differed from its commit"""
    source: str
    """fingerprint.source"""
    torch: str


@dataclass(frozen=True)
class Note:
    """Provenance of one measure."""

    columns: list[str]
    steps: list[int]
    origin: Origin


@dataclass(frozen=True)
class Remeasured:
    """Measures taken on one run's snapshots, empty if there are none yet."""

    table: pd.DataFrame
    """one row per snapshot, index `step`; NaN where a measure is undefined or was not taken"""
    notes: dict[str, Note]
    """provenance by measure"""

    def with_measures(self, tables: dict[str, pd.DataFrame], origin: Origin) -> "Remeasured":
        """Add measures, given as one table each with index `step`.

        They replace the earlier columns of the same measures and columns of equal names; the other
        columns stay.
        """
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
    """Read the remeasured table of the run log `folder`."""
    path = folder / REMEASURED
    if not path.exists():
        return Remeasured(pd.DataFrame(index=pd.Index([], dtype="int64", name="step")), {})
    stored = parquet.read_table(path, use_threads=False)
    notes = {
        name: Note(**{**note, "origin": Origin(**note["origin"])})
        for name, note in json.loads(stored.schema.metadata[NOTES]).items()
    }
    return Remeasured(stored.to_pandas().set_index("step"), notes)


def write(folder: Path, remeasured: Remeasured) -> None:
    """Write the remeasured table of the run log `folder`, replacing an earlier one."""
    table = pyarrow.Table.from_pandas(remeasured.table.reset_index(), preserve_index=False)
    notes = json.dumps({name: asdict(note) for name, note in remeasured.notes.items()})
    table = table.replace_schema_metadata({**table.schema.metadata, NOTES: notes})
    with files.replacing(folder / REMEASURED) as temporary:
        parquet.write_table(table, temporary)
