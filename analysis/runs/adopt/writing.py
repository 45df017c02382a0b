"""Write adopted tables, with a note of where they are from, and never over anything else."""

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis.runs.adopt.mapping import Map
from analysis.runs.parts import ADOPTED, CELLS, CURVES
from analysis.runs.tables import Tables, read_gathered, write_gathered
from grokpipe.errors import InputError
from grokpipe.store import files, manifest


def check(to: Path, sources: Sequence[Path], force: bool) -> None:
    """Raise InputError unless the tables may be written into `to`: a new or empty place, or one
    adopted from the same files, or with `force` from any. Run logs and other tables stay."""
    if manifest.cells_folder(to).exists():
        raise InputError(f"--to {to}: has run logs, which stay; name another folder")
    there = [name for name in (CURVES, CELLS) if (to / name).exists()]
    if not there:
        return
    try:
        stored = json.loads((to / ADOPTED).read_text())["sources"]
    except (FileNotFoundError, ValueError, KeyError):
        raise InputError(f"--to {to}: has tables of another origin; name another folder") from None
    if stored != _names(sources) and not force:
        raise InputError(
            f"--to {to}: has tables adopted from {', '.join(stored[:3])}"
            f"{' …' if len(stored) > 3 else ''}; name another folder, or add --force"
        )


def write(tables: Tables, to: Path, sources: Sequence[Path], given: Map) -> None:
    """Write the tables and `adopted.json`: the files that were read, and the map.

    Raises InputError for tables that no command could read.
    """
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to, prefix=".adopting-") as temporary:
        folder = Path(temporary)
        write_gathered(tables, folder)
        try:
            read_gathered(folder)
        except InputError as error:
            raise InputError(str(error).replace(f"{folder}{os.sep}", "")) from error
        for name in (CURVES, CELLS):
            os.replace(folder / name, to / name)
    note: dict[str, Any] = {"sources": _names(sources), "map": asdict(given)}
    files.write_json(to / ADOPTED, note)


def _names(sources: Sequence[Path]) -> list[str]:
    return [str(path) for path in sources]
