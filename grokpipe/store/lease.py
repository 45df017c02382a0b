"""File-based leases: the holder refreshes its lease file every few seconds. Needs no PyTorch.

A lease names the machine and the process of its holder. On the same machine a dead holder is
noticed at once, by process number and start time. From another machine it is noticed once the lease
has not been refreshed for a while, by the clock of the file system that holds the file. A lease
whose holder is dead is taken over. Locks of the operating system would be simpler, but not every
file system of a cluster has them.
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

REFRESH_EVERY = 2.0  # seconds
DEAD_AFTER = 60.0  # seconds without a refresh after which another machine takes the lease over


def this_process() -> dict[str, Any]:
    """Identify this process, so that others can tell whether it is alive."""
    return {
        **_machine(),
        "pid": os.getpid(),
        "started": _started(os.getpid()),
        "job": os.environ.get("SLURM_JOB_ID"),
        "restart": _restart(),
        "memory_kills": _memory_kills(),
    }


def read(path: Path) -> dict[str, Any] | None:
    """Read a lease, whether its holder is alive or not; None if there is no lease."""
    try:
        value: dict[str, Any] = json.loads(path.read_text())
        return value
    except (FileNotFoundError, ValueError):
        return None


def read_live(path: Path) -> dict[str, Any] | None:
    """Read a lease whose holder is alive; None if there is none."""
    content = read(path)
    return content if content is not None and _is_alive(content, path) else None


def is_local(content: dict[str, Any]) -> bool:
    """Return whether the holder is, or was, a process of this machine."""
    return all(content.get(name) == value for name, value in _machine().items())


class Lease:
    """A lease that this process holds, refreshed by a background thread."""

    def __init__(self, path: Path, content: dict[str, Any], temporary: Path):
        self.path, self.content, self._temporary = path, content, temporary
        self.lost = threading.Event()
        """set when another process has taken the lease over, as after this one was suspended"""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._refresh, daemon=True)
        self._thread.start()

    @property
    def deaths(self) -> int:
        """Consecutive holders that crashed at the same checkpoint (the same `mark`) through the
        work itself (OOM, SIGSEGV …). User kills and power cuts do not count."""
        return int(self.content["deaths"])

    def publish(self, **progress: Any) -> None:
        """Let other processes read this progress, from the next refresh on."""
        self.content = {**self.content, "progress": progress}

    def release(self) -> None:
        """Stop refreshing and delete the lease, unless another process has taken it over."""
        self._ended.set()
        self._thread.join()
        if self._is_ours():
            self.path.unlink(missing_ok=True)
            crash_file(self.path).unlink(missing_ok=True)
        self._temporary.unlink(missing_ok=True)

    def _is_ours(self) -> bool:
        present = read(self.path)
        return present is not None and present["token"] == self.content["token"]

    def _refresh(self) -> None:
        while not self._ended.wait(REFRESH_EVERY):
            with contextlib.suppress(OSError):  # a full disk is for the work to report
                if not self._is_ours():
                    self.lost.set()
                    return
                self._temporary.write_text(json.dumps(self.content))
                os.replace(self._temporary, self.path)


@contextlib.contextmanager
def held(path: Path, mark: object = None) -> Iterator[Lease | None]:
    """Hold the lease `path` within the block; yield None if a living process holds it.

    `mark` identifies the checkpoint that the work starts from (see `Lease.deaths`). A process that
    dies leaves its lease behind. A traceback that it wrote to `<stem>.crash` as it died of a signal
    counts as evidence that the work itself crashed.
    """
    token = secrets.token_hex(8)
    temporary = path.with_name(f".{path.name}.{token}.tmp")
    content = {**this_process(), "token": token, "mark": mark, "deaths": 0}
    if not _take(path, content, temporary):
        yield None
        return
    lease = Lease(path, content, temporary)
    try:
        yield lease
    finally:
        lease.release()


@contextlib.contextmanager
def wait_for(path: Path, every: float = 0.1) -> Iterator[Lease]:
    """Like `held`, but wait until the lease is free; for short critical sections."""
    while True:
        with held(path) as lease:
            if lease is not None:
                yield lease
                return
        time.sleep(every)


def _take(path: Path, content: dict[str, Any], temporary: Path) -> bool:
    """Write `content` to `path` unless a living process holds the lease; updates its `deaths`."""
    while True:
        try:
            temporary.write_text(json.dumps(content))
            os.link(temporary, path)
            return True
        except FileExistsError:
            pass
        finally:
            temporary.unlink(missing_ok=True)
        dead = read(path)
        if dead is None:
            continue  # released in between
        if _is_alive(dead, path):
            return False
        if not _remove_dead(path, dead["token"], temporary):
            return False
        if dead["mark"] == content["mark"]:
            content["deaths"] = dead["deaths"] + _is_own_crash(dead, path)


def _remove_dead(path: Path, token: str, moved: Path) -> bool:
    """Remove a dead holder's lease; False if another process has taken it over in the meantime.

    The file is renamed to `moved` first, so that only one process can have removed it.
    """
    try:
        os.rename(path, moved)
    except FileNotFoundError:
        return True
    try:
        removed = read(moved)
        if removed is not None and removed["token"] != token:
            with contextlib.suppress(FileExistsError):
                os.link(moved, path)  # put the new holder's lease back
            return False
        return True
    finally:
        moved.unlink()


def crash_file(path: Path) -> Path:
    """Path of the traceback that a holder writes if it dies of a signal."""
    return path.with_suffix(".crash")


def _is_own_crash(dead: dict[str, Any], path: Path) -> bool:
    """Return whether the work itself killed its holder, as far as that can be known."""
    with contextlib.suppress(FileNotFoundError):
        if crash_file(path).stat().st_size > 0:
            return True
    if is_local(dead):
        before, now = dead["memory_kills"], _memory_kills()
        return before is not None and now is not None and now > before
    # on another machine nobody can tell, so count it; here the machine has been restarted
    return dead["host"] != platform.node()


def _memory_kills() -> int | None:
    """Number of processes that Linux has killed for lack of memory since the machine started."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/vmstat").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("oom_kill ")))
    return None


def _is_alive(content: dict[str, Any], path: Path) -> bool:
    if is_local(content):
        return _started(content["pid"]) == content["started"] is not None
    same_job = content["job"] is not None and content["job"] == os.environ.get("SLURM_JOB_ID")
    if same_job and content["restart"] < _restart():
        return False  # this job, before it was requeued
    try:
        refreshed = path.stat().st_mtime
    except FileNotFoundError:
        return False
    return _clock(path.parent) - refreshed < DEAD_AFTER


def _restart() -> int:
    """Number of times that SLURM has requeued the job of this process."""
    return int(os.environ.get("SLURM_RESTART_COUNT", 0))


def _clock(folder: Path) -> float:
    """The present time by the clock of the file system of `folder`."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".tmp") as file:
            return os.fstat(file.fileno()).st_mtime
    except OSError:
        return time.time()


def _machine() -> dict[str, Any]:
    """Host, boot and process namespace: together they give a process number its meaning."""

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
    """Start time of a process in clock ticks since boot; None if it is dead."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
