"""Provenance: the code, software and machine that trained a cell."""

import platform
import subprocess
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from grokpipe import plugins
from grokpipe.config import registry
from grokpipe.config.schema import GROUPS, Config
from grokpipe.training.device import processor

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ":(exclude)outputs"  # what is trained, drawn and gathered does not change what trains


@lru_cache(maxsize=1)
def commit() -> tuple[str | None, bool | None]:
    """Commit of this clone, and whether files other than results differ from it; (None, None)
    outside a clone."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != ROOT:
            return None, None
        return git("rev-parse", "HEAD"), bool(git("status", "--porcelain", "--", ".", RESULTS))
    except (OSError, subprocess.CalledProcessError):
        return None, None


def packages(config: Config) -> dict[str, dict[str, Any]]:
    """Version and commit of each installed package whose components a configuration uses."""
    used = [(package, getattr(config, group).name) for group, package in GROUPS.items()]
    used += [("measures", name) for name in config.measures.all]
    entries = [
        entry
        for package, name in used
        if registry.is_installed(package, name)
        for entry in plugins.entry_points(package)
        if entry.name == name
    ]
    return {entry.dist.name: plugins.origin(entry) for entry in entries if entry.dist}


def _version(name: str) -> str:
    """The installed version of a package; "not installed" for a source tree on PYTHONPATH."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def provenance(**how: Any) -> dict[str, Any]:
    """Collect the facts known when training starts as plain values; `how` adds the pack's own."""
    head, dirty = commit()
    return {
        "commit": head,
        "dirty": dirty,
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in ("grokpipe", "torch", "numpy", "hydra-core")},
        },
        "processor": processor(),
        "host": platform.node(),
        "threads": torch.get_num_threads(),
        **how,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
