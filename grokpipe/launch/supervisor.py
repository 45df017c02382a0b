"""Supervise a sweep: start packs without a live worker and report progress."""

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from grokpipe.config.names import counted
from grokpipe.errors import GaveUp, Interrupted
from grokpipe.launch.dashboard import Dashboard
from grokpipe.launch.open_packs import Packs
from grokpipe.launch.outcomes import SweepReporter
from grokpipe.launch.pack_plan import Plan
from grokpipe.launch.signals import stop_requests
from grokpipe.store import lease

EVERY = 0.5  # seconds between polls of the disk
SHOWN = 3  # packs named in an error
TRIES = 4  # consecutive starts of one pack without a new checkpoint before it is given up


class Backend(Protocol):
    """Starts processes for packs, and keeps track of those that have yet to begin."""

    def start(self, waiting: Sequence[Plan]) -> Sequence[Plan]:
        """Start as many packs as there are free slots; return those that were started."""

    def cancelled(self, plan: Plan) -> bool:
        """Return whether the user cancelled the pack's process from outside, as by scancel."""

    def interrupt(self) -> str:
        """Respond to the first ^C: stop processes with checkpoints; return a line for the user."""

    def kill(self) -> None:
        """Respond to the second ^C: end processes at once."""

    def trace(self) -> str:
        """Path of the log that says why a process ended."""


def supervise(plans: Sequence[Plan], backend: Backend, reporter: SweepReporter) -> None:
    """Wait until all cells of these packs have ended, whichever process trains them.

    Raises Interrupted after a request to stop, and GaveUp for packs that make no progress.
    """
    packs = Packs(plans)
    tries = Tries()
    hopeless: list[Plan] = []
    cancelled: list[Plan] = []
    with stop_requests() as stop, Dashboard(reporter, packs) as dashboard:
        try:
            while True:
                for key in packs.refresh():
                    reporter.ended(key)
                if stop.is_set():
                    raise Interrupted(backend.interrupt())
                waiting = packs.waiting()
                cancelled = [plan for plan in waiting if backend.cancelled(plan)]
                hopeless = [plan for plan in waiting if tries.exhausted(plan)]
                waiting = [plan for plan in waiting if plan not in cancelled + hopeless]
                tries.count(backend.start(waiting))
                if not (waiting or packs.running):
                    break
                dashboard.show()
                time.sleep(EVERY)  # stop.wait() would hold the lock that the signal's handler takes
        except KeyboardInterrupt:
            backend.kill()
            raise
    if hopeless:
        _probe(hopeless[0].folder)
        raise GaveUp(
            f"gave up {_named(hopeless)}: the processes end before they reach the next "
            f"checkpoint; see {backend.trace()}"
        )
    if cancelled:
        raise GaveUp(f"cancelled: {_named(cancelled)}; the same command resumes what was cancelled")


class Tries:
    """Counts consecutive starts of each pack without progress.

    Progress is the next checkpoint, or a crash of the work itself, which splits the pack. The count
    is approximate: a process may train another of the waiting packs than the one it was started
    for.
    """

    def __init__(self) -> None:
        self.counts: dict[str, tuple[tuple[int, int], int]] = {}

    def count(self, started: Sequence[Plan]) -> None:
        """Count one more start of each of these packs."""
        for plan in started:
            at = _place(plan)
            before, tries = self.counts.get(plan.id, (at, 0))
            self.counts[plan.id] = (at, tries + 1 if before == at else 1)

    def exhausted(self, plan: Plan) -> bool:
        """Return whether the pack was started TRIES times without progress."""
        at, tries = self.counts.get(plan.id, ((0, 0), 0))
        return tries >= TRIES and at == _place(plan)


def _named(plans: Sequence[Plan]) -> str:
    """The names of a few packs, and how many more there are."""
    names = [plan.label for plan in plans[:SHOWN]]
    more = [f"and {counted(len(plans) - SHOWN, 'more pack')}"] if len(plans) > SHOWN else []
    return "; ".join([*names, *more])


def _place(plan: Plan) -> tuple[int, int]:
    """Progress of a pack: its checkpoint, and the crashes counted at that checkpoint."""
    held = lease.read(plan.lease)
    return plan.stamp, held["deaths"] if held else 0


def _probe(folder: Path) -> None:
    """Write a file to `folder`, to raise the OSError that may have ended the processes."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".tmp") as file:
        file.write(bytes(1 << 20))
        os.fsync(file.fileno())
