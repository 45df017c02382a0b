"""Which finished cells were trained by other scientific code than the present."""

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from analysis.runs.results import Result
from grokpipe.provenance import fingerprint
from grokpipe.store import manifest


def count(cells: Path, results: Mapping[str, Result]) -> tuple[int, int]:
    """How many finished cells were trained by other code, and of how many nobody can say.

    A fingerprint of the present code that is not in the cache takes a process of its own, some
    seconds, and PyTorch. Where that fails, a line on stderr says why.
    """
    codes: Counter[str] = Counter()
    examples = {}  # a cell of each
    for key, result in results.items():
        if result.state in manifest.FINISHED:
            codes[result.code] += 1
            examples[result.code] = key
    logs = {
        _trajectory(part): cells / key
        for code, key in examples.items()
        for part in code.split()
        if ":" in part
    }
    present = _present(logs)
    stale = unknown = 0
    for code, n in codes.items():
        parts = code.split()
        now = [present.get(_trajectory(part)) for part in parts]
        if any(here not in (part, None) for part, here in zip(parts, now, strict=True)):
            stale += n
        elif None in now or not parts:
            unknown += n
    return stale, unknown


def _trajectory(part: str) -> str:
    return part.partition(":")[0]


def _present(logs: Mapping[str, Path]) -> dict[str, str]:
    """`<trajectory>:<fingerprint>` by the code as it is now, where it is to be had; `logs` names a
    run log of each trajectory."""
    found = {name: fingerprint.known(name) for name in logs}
    if unknown := [name for name, here in found.items() if here is None]:
        print(f"checking the code; fingerprints to take: {len(unknown)}", file=sys.stderr)
        found |= _computed([logs[name] for name in unknown])
    return {name: f"{name}:{here}" for name, here in found.items() if here is not None}


def _computed(logs: Sequence[Path]) -> dict[str, str | None]:
    """Fingerprints by trajectory, those that are to be had."""
    command = [sys.executable, "-m", "grokpipe.fingerprint", *map(str, logs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        why = done.stderr.strip().rpartition("\n")[2]
        print(f"not checked: {why or f'exit code {done.returncode}'}", file=sys.stderr)
    pairs = [line.rpartition(" ")[2].partition(":") for line in done.stdout.splitlines()]
    return {name: here for name, _, here in pairs}
