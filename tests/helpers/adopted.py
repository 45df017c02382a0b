"""Logs of other programs, as `adopt` takes them."""

from pathlib import Path

from analysis.runs.adopt import mapping, sources
from analysis.runs.adopt.adopting import Adopted, adopt
from analysis.runs.adopt.mapping import Map


def adopted(path: Path, text: str = "") -> Adopted:
    """What becomes of a file or a folder with a map of this text."""
    given = Map()
    if text:
        (path.parent / "map.yaml").write_text(text)
        given = mapping.read(path.parent / "map.yaml")
    logs = sources.read(sources.find([str(path)]), given.columns.get("step"))
    return adopt(logs, given, path.parent / "mine")


def written(folder: Path, text: str, name: str = "runs.csv") -> Path:
    (folder / name).write_text(text)
    return folder / name
