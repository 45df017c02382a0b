"""Faults of the machine, made for real; the tests skip where they cannot be made."""

import errno
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

GROUPS = {  # of version 1, and of version 2: folder, file of the limit
    Path("/sys/fs/cgroup/memory"): "memory.limit_in_bytes",
    Path("/sys/fs/cgroup"): "memory.max",
}


@contextmanager
def little_memory(limit: int) -> Iterator[Callable[[], None]]:
    """A control group with so many bytes of memory; what it gives lets a process enter."""
    for parent, name in GROUPS.items():
        group = parent / f"grokpipe-{uuid4().hex[:8]}"
        try:
            group.mkdir()
        except OSError:
            continue
        if (group / name).exists():
            break
        group.rmdir()
    else:
        pytest.skip("needs a control group of one's own for memory: root, outside of a container")
    (group / name).write_text(str(limit))
    swap = group / "memory.swap.max"
    if swap.exists():
        swap.write_text("0")
    try:
        yield lambda: (group / "cgroup.procs").write_text(str(os.getpid())) and None
    finally:
        leave(group)


def leave(group: Path) -> None:
    """Remove a control group. A process that was killed in it is there until its memory is given
    back, which outlives the wait of its parent on a busy machine."""
    for _ in range(600):
        try:
            return group.rmdir()
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            time.sleep(0.1)
    left = (group / "cgroup.procs").read_text().split()
    raise RuntimeError(f"{group}: still holds processes after a minute: {', '.join(left)}")


@contextmanager
def mounted(folder: Path, *arguments: str) -> Iterator[None]:
    """Something mounted on `folder`, with the arguments of mount."""
    folder.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(["mount", *arguments, str(folder)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"cannot mount here, which takes root: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
