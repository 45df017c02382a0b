"""Print the fingerprints of run logs by the present code.

python -m grokpipe.fingerprint outputs/default/cells/*
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from omegaconf import OmegaConf

from grokpipe.config.resolving import resolve
from grokpipe.errors import InputError
from grokpipe.provenance.fingerprint import fingerprint, trajectory
from grokpipe.store import run_log


def of_run_log(folder: Path, taken: dict[str, str]) -> str:
    """Fingerprint of a run log by the present code, whichever code trained it.

    `taken` holds this process's fingerprints by trajectory, in case the cache cannot be written.
    Raises InputError for a folder that is not a run log, or whose configuration is no longer valid.
    """
    if not (folder / run_log.CONFIG).is_file():
        raise InputError(f"not a run log; it has no {run_log.CONFIG}")
    config = resolve(OmegaConf.create(run_log.read_config(folder)))
    named = folder.resolve().parent.parent  # its present place, not where it was trained
    config = replace(config, outputs=str(named.parent), name=named.name)
    identity = trajectory(config)
    if identity not in taken:
        taken[identity] = fingerprint(config)
    return taken[identity]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; exit code 0, or 2 with a line for each folder without a fingerprint."""
    parser = argparse.ArgumentParser(
        prog="python -m grokpipe.fingerprint",
        description="Print each run log with the fingerprint of its configuration by the present "
        "code: <run log> <trajectory>:<fingerprint>.",
        allow_abbrev=False,
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="<run log>")
    taken: dict[str, str] = {}
    failed = False
    for folder in parser.parse_args(arguments).folders:
        try:
            print(f"{folder} {of_run_log(folder, taken)}")
        except InputError as error:
            failed = True
            print(f"error: {folder}: {error}", file=sys.stderr)
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
