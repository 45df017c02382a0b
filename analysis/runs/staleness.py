"""Count the finished cells that were trained by other scientific code than the present."""

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from analysis.runs.results import Result
from grokpipe.provenance import fingerprint
from grokpipe.store import manifest


def count(cells: Path, results: Mapping[str, Result]) -> tuple[int, int]:
    """Count the finished cells that are stale, and those whose code is unknown.

    A fingerprint of the present code that is not in the cache is computed in another process, which
    takes some seconds and PyTorch. Where that fails, a line on stderr says why.
    """
    codes: Counter[str] = Counter()
    examples = {}  # a cell for each code
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
        if any(
            present_code not in (part, None) for part, present_code in zip(parts, now, strict=True)
        ):
            stale += n
        elif None in now or not parts:
            unknown += n
    return stale, unknown


def _trajectory(part: str) -> str:
    return part.partition(":")[0]


def _present(logs: Mapping[str, Path]) -> dict[str, str]:
    """`<trajectory>:<fingerprint>` of the present code by trajectory, where it can be computed.

    `logs` holds one run log per trajectory.
    """
    digits = {name: fingerprint.known(name) for name in logs}
    if unknown := [name for name, known in digits.items() if known is None]:
        print(f"checking the code: {len(unknown)} fingerprints to compute", file=sys.stderr)
        digits |= _computed([logs[name] for name in unknown])
    return {name: f"{name}:{known}" for name, known in digits.items() if known is not None}


def _computed(logs: Sequence[Path]) -> dict[str, str | None]:
    """Compute fingerprints in another process, by trajectory; those that fail are missing."""
    command = [sys.executable, "-m", "grokpipe.fingerprint", *map(str, logs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        why = done.stderr.strip().rpartition("\n")[2]
        print(f"not checked: {why or f'exit code {done.returncode}'}", file=sys.stderr)
    pairs = [line.rpartition(" ")[2].partition(":") for line in done.stdout.splitlines()]
    return {name: digits for name, _, digits in pairs}
