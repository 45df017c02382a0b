"""`python -m grokpipe.fingerprint outputs/default/cells/*`: fingerprints of run logs by the present
code."""

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
    """A run log's fingerprint by the code as it is now, whatever it was trained by. `taken` has
    those of this process by trajectory, in case that the cache cannot be written.

    Raises InputError for a folder that is no run log, or whose configuration is no longer valid.
    """
    if not (folder / run_log.CONFIG).is_file():
        raise InputError(f"not a run log; it has no {run_log.CONFIG}")
    config = resolve(OmegaConf.create(run_log.read_config(folder)))
    named = folder.resolve().parent.parent  # where it lies now, whatever folder it was run from
    config = replace(config, outputs=str(named.parent), name=named.name)
    identity = trajectory(config)
    if identity not in taken:
        taken[identity] = fingerprint(config)
    return taken[identity]


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 2 with a line for each folder that has none; the others are printed."""
    parser = argparse.ArgumentParser(
        prog="python -m grokpipe.fingerprint",
        description="Print each run log and the fingerprint of its configuration by the code as it "
        "is now: <run log> <trajectory>:<fingerprint>.",
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
