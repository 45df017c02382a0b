"""Who works on what: a claim is a file that its owner touches every few seconds. Needs no PyTorch.

A claim says on which machine its owner lives, and as which process. On the same machine a dead
owner is seen at once, by process number and start time; from another one, by a claim that nobody
has touched for a while, by the clock of the file system that holds it. A claim whose owner is dead
is taken over. Locks of the system would be simpler, but not every file system of a cluster has
them.
"""

import contextlib
import json
import os
import platform
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BEAT = 2.0  # seconds between an owner's touches
DEAD_AFTER = 60.0  # seconds without one, seen from another machine


def myself() -> dict[str, Any]:
    """This process as others can tell whether it lives."""
    return {
        **_machine(),
        "pid": os.getpid(),
        "started": _started(os.getpid()),
        "job": os.environ.get("SLURM_JOB_ID"),
        "restart": _restart(),
        "memory_kills": _memory_kills(),
    }


def read(path: Path) -> dict[str, Any] | None:
    """What a claim says, whoever holds it; None if there is none."""
    try:
        value: dict[str, Any] = json.loads(path.read_text())
        return value
    except (FileNotFoundError, ValueError):
        return None


def living(path: Path) -> dict[str, Any] | None:
    """The claim, if its owner lives."""
    found = read(path)
    return found if found is not None and _lives(found, path) else None


def is_here(claim: dict[str, Any]) -> bool:
    """Whether its owner is, or was, a process of this machine."""
    return all(claim.get(name) == value for name, value in _machine().items())


class Claim:
    """A claim that this process holds; a thread of its own touches it."""

    def __init__(self, path: Path, content: dict[str, Any], temporary: Path):
        self.path, self.content, self._temporary = path, content, temporary
        self.lost = threading.Event()
        """set when another process has taken it over, as after a long standstill of this one"""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    @property
    def deaths(self) -> int:
        """Owners that died in a row with the same mark, by a fault of their work: killed for lack
        of memory, or by a signal of the processor. Whom a user or a power cut killed, that is no
        fault of the work."""
        return int(self.content["deaths"])

    def tell(self, **progress: Any) -> None:
        """What others may read of the work, from the next touch on."""
        self.content = {**self.content, "progress": progress}

    def release(self) -> None:
        self._ended.set()
        self._thread.join()
        if self._is_ours():
            self.path.unlink(missing_ok=True)
            crash_file(self.path).unlink(missing_ok=True)
        self._temporary.unlink(missing_ok=True)

    def _is_ours(self) -> bool:
        found = read(self.path)
        return found is not None and found["token"] == self.content["token"]

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            with contextlib.suppress(OSError):  # a full disk is the work's to meet, not the claim's
                if not self._is_ours():
                    self.lost.set()
                    return
                self._temporary.write_text(json.dumps(self.content))
                os.replace(self._temporary, self.path)


@contextlib.contextmanager
def claimed(path: Path, mark: object = None) -> Iterator[Claim | None]:
    """Holds the claim `path` for this process; None if a living one holds it.

    `mark` says how far the work is; see `Claim.deaths`. A process that dies leaves its claim. What
    it writes to the file beside it, `<stem>.crash`, as it dies of a signal, speaks for a fault.
    """
    token = secrets.token_hex(8)
    temporary = path.with_name(f".{path.name}.{token}.tmp")
    content = {**myself(), "token": token, "mark": mark, "deaths": 0}
    if not _take(path, content, temporary):
        yield None
        return
    claim = Claim(path, content, temporary)
    try:
        yield claim
    finally:
        claim.release()


@contextlib.contextmanager
def waited_for(path: Path, every: float = 0.1) -> Iterator[Claim]:
    """Like `claimed`, for short work: waits until the claim is free."""
    while True:
        with claimed(path) as claim:
            if claim is not None:
                yield claim
                return
        time.sleep(every)


def _take(path: Path, content: dict[str, Any], temporary: Path) -> bool:
    """Puts `content` at `path`, unless a living owner is there. Changes its `deaths`."""
    while True:
        try:
            temporary.write_text(json.dumps(content))
            os.link(temporary, path)
            return True
        except FileExistsError:
            pass
        finally:
            temporary.unlink(missing_ok=True)
        found = read(path)
        if found is None:
            continue  # released in between
        if _lives(found, path):
            return False
        if not _bury(path, found["token"], temporary):
            return False
        if found["mark"] == content["mark"]:
            content["deaths"] = found["deaths"] + _at_fault(found, path)


def _bury(path: Path, token: str, grave: Path) -> bool:
    """Removes a dead owner's claim; False if another process was quicker and lives there now."""
    try:
        os.rename(path, grave)
    except FileNotFoundError:
        return True
    try:
        buried = read(grave)
        if buried is not None and buried["token"] != token:
            with contextlib.suppress(FileExistsError):
                os.link(grave, path)  # it was the quicker one's: back with it
            return False
        return True
    finally:
        grave.unlink()


def crash_file(path: Path) -> Path:
    return path.with_suffix(".crash")


def _at_fault(dead: dict[str, Any], path: Path) -> bool:
    """Whether the work itself killed its owner, as far as can be known."""
    with contextlib.suppress(FileNotFoundError):
        if crash_file(path).stat().st_size > 0:
            return True
    if is_here(dead):
        before, now = dead["memory_kills"], _memory_kills()
        return before is not None and now is not None and now > before
    return dead["host"] != platform.node()  # on another machine: nobody can tell; else a new start


def _memory_kills() -> int | None:
    """Processes of this machine that Linux has killed for lack of memory since it started."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/vmstat").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("oom_kill ")))
    return None


def _lives(claim: dict[str, Any], path: Path) -> bool:
    if is_here(claim):
        return _started(claim["pid"]) == claim["started"] is not None
    same_job = claim["job"] is not None and claim["job"] == os.environ.get("SLURM_JOB_ID")
    if same_job and claim["restart"] < _restart():
        return False  # this job, before it was requeued
    try:
        touched = path.stat().st_mtime
    except FileNotFoundError:
        return False
    return _clock(path.parent) - touched < DEAD_AFTER


def _restart() -> int:
    """How often SLURM has requeued the job that this process is in."""
    return int(os.environ.get("SLURM_RESTART_COUNT", 0))


def _clock(folder: Path) -> float:
    """Now, by the clock that stamps the files there."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".tmp") as file:
            return os.fstat(file.fileno()).st_mtime
    except OSError:
        return time.time()


def _machine() -> dict[str, Any]:
    """Host, its start, and the name space of process numbers: where a number means a process."""

    def text(path: str) -> str | None:
        try:
            return Path(path).read_text().strip()
        except OSError:
            return None

    try:
        processes = os.readlink("/proc/self/ns/pid")
    except OSError:
        processes = None
    boot = text("/proc/sys/kernel/random/boot_id")
    return {"host": platform.node(), "boot": boot, "processes": processes}


def _started(pid: int) -> str | None:
    """When that process was started, in the system's ticks; None if it is dead."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
