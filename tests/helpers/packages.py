"""Packages that bring components, as if pip had installed them."""

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

from grokpipe import cell, plugins
from grokpipe.config import registry
from grokpipe.provenance import fingerprint
from tests.helpers.cli import ROOT


def write(
    site: Path,
    name: str,
    files: Mapping[str, str],
    entry_points: Mapping[str, str],
    version: str = "1.0",
) -> None:
    """Write a distribution into `site`, a folder on Python's path.

    `files` holds texts by path; `entry_points` holds `name = value` lines by group, without
    `grokpipe.` before it.
    """
    for path, text in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(dedent(text))
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    info.joinpath("METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    )
    info.joinpath("entry_points.txt").write_text(
        "".join(f"[grokpipe.{group}]\n{lines}\n" for group, lines in entry_points.items())
    )


@contextmanager
def on_path(*sites: Path) -> Iterator[None]:
    """Put folders on Python's path; afterwards neither they nor their modules are known."""
    sys.path[:0] = map(str, sites)
    forget(*sites)
    try:
        yield
    finally:
        del sys.path[: len(sites)]
        forget(*sites)


def forget(*sites: Path) -> None:
    """Let the next look-up find what is installed now, and import the modules of `sites` anew."""
    under = tuple(map(str, sites))
    known = [name for name, module in [*sys.modules.items()] if sites and _lies(module, under)]
    for name in known:  # only now: the place of a package is told by the package above it
        del sys.modules[name]
    for cached in (
        plugins._all,
        plugins.entry_points,
        registry._installed,
        fingerprint.source,
    ):
        cached.cache_clear()
    cell._fitting.clear()


def _lies(module: object, under: tuple[str, ...]) -> bool:
    """Whether a module or a package, which has no file without an __init__, is in these folders."""
    spec = getattr(module, "__spec__", None)
    places = [getattr(module, "__file__", None)]
    places += (spec and spec.submodule_search_locations) or ()
    return any(str(place).startswith(under) for place in places)


def documented(folder: Path) -> None:
    """Write the package of docs/extending.md as its author would have it."""
    text = (ROOT / "docs" / "extending.md").read_text()
    for path, block in re.findall(r"```(?:python|yaml|toml)\n# (\S+)\n(.*?)```", text, flags=re.S):
        if path.startswith(("grokpipe_parity/", "pyproject.toml", "test_")):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(block)


def documented_site(site: Path) -> None:
    """The package of docs/extending.md as if it were installed in `site`."""
    documented(site)
    project = tomllib.loads((site / "pyproject.toml").read_text())["project"]
    groups = {
        group.removeprefix("grokpipe."): "\n".join(f"{n} = {value}" for n, value in lines.items())
        for group, lines in project["entry-points"].items()
    }
    write(site, project["name"], {}, groups, project["version"])
