"""Packages that bring components, as if pip had installed them."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

from grokpipe import plugins
from grokpipe.config import registry
from grokpipe.provenance import fingerprint


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
    modules = {*sys.modules}
    sys.path[:0] = map(str, sites)
    forget()
    yield
    del sys.path[: len(sites)]
    for name in {*sys.modules} - modules:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(tuple(map(str, sites))):
            del sys.modules[name]
    forget()


def forget() -> None:
    """Let the next look-up find what is installed now."""
    for cached in (
        plugins._all,
        plugins.entry_points,
        registry._installed,
        fingerprint.source,
    ):
        cached.cache_clear()
