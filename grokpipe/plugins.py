"""Find the components of installed packages by their entry points; needs no PyTorch.

A package declares them in its pyproject.toml, in groups that begin with `grokpipe.`:

    [project.entry-points."grokpipe.interventions"]
    label_noise = "my_package.label_noise"

Only what is installed and declared can be named, so that a configuration read from a file never
decides which other code is imported. A package is imported when one of its components is used.
"""

import importlib.util
import json
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from importlib import metadata
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from grokpipe.errors import InputError

GROUPS = "tasks archs optimizers interventions measures events columns conf".split()
"""what a package can bring: each is the entry point group `grokpipe.<name>`"""
CODE = GROUPS[:-1]
"""groups whose entry points name code; those of `conf` name a folder"""


@lru_cache
def entry_points(group: str) -> tuple[EntryPoint, ...]:
    """All entry points of the group `grokpipe.<group>`, sorted by name."""
    found = _all().select(group=f"grokpipe.{group}")
    return tuple(sorted(found, key=lambda entry: (entry.name, distribution(entry))))


@lru_cache
def _all() -> Any:
    return metadata.entry_points()  # 4 ms for a hundred distributions


def names(group: str) -> list[str]:
    """Names of the components that installed packages add to a group."""
    return list(dict.fromkeys(entry.name for entry in entry_points(group)))


def find(group: str, name: str, key: str, ours: bool = False) -> EntryPoint | None:
    """Look up the entry point of a component; None if no installed package has it.

    Args:
        group: tasks, archs, …
        name: name of the component.
        key: configuration key that names it, for messages.
        ours: whether grokpipe itself has a component of that name.

    Raises:
        InputError: two packages have a component of that name, grokpipe itself included.
    """
    found = [entry for entry in entry_points(group) if entry.name == name]
    owners = ["grokpipe"] * ours + [distribution(entry) for entry in found]
    if len(owners) > 1:
        raise InputError(
            f"{key}={name}: several packages have one of this name: {' and '.join(owners)}; "
            "rename the entry point or uninstall one"
        )
    return found[0] if found else None


def load(entry: EntryPoint) -> Any:
    """Import what an entry point names. Raises InputError, in one line, if that fails."""
    try:
        return entry.load()
    except (Exception, SystemExit) as error:
        said = str(error).strip().partition("\n")[0]
        raise InputError(f"{described(entry)}: {type(error).__name__}: {said}") from error


def described(entry: EntryPoint) -> str:
    """Name an entry point and its distribution, for messages."""
    return f"entry point {entry.name}={entry.value} ({entry.group}) of {distribution(entry)}"


def distribution(entry: EntryPoint) -> str:
    """Name and version of the distribution that declares an entry point."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"


def declared(
    group: str, known: Mapping[str, Any], kinds: Any = object
) -> tuple[dict[str, Any], list[str]]:
    """Merge the dictionaries that the entry points of a group name, such as `my_package:EVENTS`.

    Args:
        group: events or columns.
        known: grokpipe's own entries, which none may repeat.
        kinds: the class, or union of classes, of which all entries must be.

    Returns:
        the entries, and a line for each entry point that is left out because it does not import,
        is no dictionary of these, or repeats an entry.
    """
    merged: dict[str, Any] = {}
    complaints = []
    for entry in entry_points(group):
        try:
            values = load(entry)
        except InputError as error:
            complaints.append(str(error))
            continue
        if not isinstance(values, dict):
            complaints.append(f"{described(entry)}: names a {type(values).__name__}, not a dict")
        elif repeated := sorted({*known, *merged} & values.keys()):
            complaints.append(f"{described(entry)}: {', '.join(repeated)}: declared twice")
        elif wrong := [name for name, value in values.items() if not isinstance(value, kinds)]:
            complaints.append(f"{described(entry)}: {', '.join(wrong)}: of another type")
        else:
            merged |= values
    return merged, complaints


def conf_folders() -> list[tuple[EntryPoint, Path]]:
    """Folders of configurations of installed packages, those that exist."""
    return [
        (entry, path)
        for entry in entry_points("conf")
        if (path := _conf_folder(entry)) is not None and path.is_dir()
    ]


def lost_conf_folders() -> list[str]:
    """A line for each entry point of `grokpipe.conf` whose folder is not there."""
    there = [entry for entry, _ in conf_folders()]
    return [
        f"{described(entry)}: no such folder"
        for entry in entry_points("conf")
        if entry not in there
    ]


def _conf_folder(entry: EntryPoint) -> Path | None:
    """The folder that `my_package.conf` means, found without importing the package."""
    top, *inner = entry.value.split(".")
    roots = _locations(top)
    return next((path for root in roots if (path := root.joinpath(*inner)).is_dir()), None)


def _locations(top: str) -> list[Path]:
    """Folders of a top-level package; none if it is not there or a single file."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return []
    return [Path(folder) for folder in (spec and spec.submodule_search_locations) or ()]


def sources() -> dict[str, Path]:
    """Every Python file of the packages that declare components, by package and relative path."""
    found: dict[str, Path] = {}
    named = [entry.value for group in CODE for entry in entry_points(group)]
    tops = {value.partition(":")[0].partition(".")[0] for value in named}
    for top in sorted(tops):
        folders = _locations(top)
        for folder in folders:
            files = sorted(folder.rglob("*.py"))
            found |= {f"{top}/{path.relative_to(folder).as_posix()}": path for path in files}
        if not folders and (spec := importlib.util.find_spec(top)) and spec.origin:
            found[f"{top}.py"] = Path(spec.origin)
    return found


def origin(entry: EntryPoint) -> dict[str, Any]:
    """Version of an entry point's distribution, with the commit if it is known.

    The commit is that of an editable install in a git repository, or the one that was installed
    from; `dirty` says whether files differ from it.
    """
    if entry.dist is None:
        return {}
    found: dict[str, Any] = {"version": entry.dist.version}
    url = _direct_url(entry.dist)
    if "vcs_info" in url:
        found["commit"] = url["vcs_info"].get("commit_id")
    elif url.get("dir_info", {}).get("editable"):
        found |= _head(Path(unquote(urlparse(url["url"]).path)))
    return found


def _direct_url(dist: Distribution) -> dict[str, Any]:
    """What pip recorded of an install from a folder or a repository (PEP 610)."""
    try:
        value = json.loads(dist.read_text("direct_url.json") or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _head(folder: Path) -> dict[str, Any]:
    """Commit of a git repository, and whether its files differ; nothing outside one."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return {}
