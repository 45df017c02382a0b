"""The launcher's long wait: starts what has nobody to train it, and tells how far all is."""

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from grokpipe.errors import GaveUp, Interrupted
from grokpipe.launch.dashboard import Board
from grokpipe.launch.open_packs import Packs
from grokpipe.launch.outcomes import Teller
from grokpipe.launch.pack_plan import Plan
from grokpipe.launch.signals import stop_requests
from grokpipe.store import lease

EVERY = 0.5  # seconds between two looks
TRIES = 4  # starts in a row for one pack, without a checkpoint of it, before it is given up


class Backend(Protocol):
    """Starts processes for packs, and knows which of them are still to come."""

    def start(self, waiting: Sequence[Plan]) -> Sequence[Plan]:
        """Starts what it has room for; returns the packs that it has started a process for."""

    def cancelled(self, plan: Plan) -> bool:
        """Whether a user has ended the pack's process by other means than ours."""

    def interrupt(self) -> str:
        """At the user's first ^C: stops what should stop, with checkpoints; says what goes on."""

    def kill(self) -> None:
        """At the second."""

    def trace(self) -> str:
        """Where to read why a process ended."""


def watch(plans: Sequence[Plan], backend: Backend, tell: Teller) -> None:
    """Until all cells of these packs have ended, whoever trains them. Raises Interrupted and
    GaveUp."""
    packs = Packs(plans)
    tries = Tries()
    hopeless: list[Plan] = []
    cancelled: list[Plan] = []
    with stop_requests() as stop, Board(tell, packs) as board:
        try:
            while True:
                for key in packs.look():
                    tell.ended(key)
                if stop.is_set():
                    raise Interrupted(backend.interrupt())
                waiting = packs.waiting()
                cancelled = [plan for plan in waiting if backend.cancelled(plan)]
                hopeless = [plan for plan in waiting if tries.exhausted(plan)]
                waiting = [plan for plan in waiting if plan not in cancelled + hopeless]
                tries.count(backend.start(waiting))
                if not (waiting or packs.running):
                    break
                board.show()
                time.sleep(EVERY)  # stop.wait() would hold the lock that the signal's handler takes
        except KeyboardInterrupt:
            backend.kill()
            raise
    if hopeless:
        _probe(hopeless[0].folder)
        raise GaveUp(
            f"{len(hopeless)} packs were given up: their processes end before they reach the next "
            f"checkpoint; see {backend.trace()}"
        )
    if cancelled:
        raise GaveUp(f"{len(cancelled)} packs were cancelled; the same command goes on with them")


class Tries:
    """How often processes were started for each pack without getting any further: to the next
    checkpoint, or to a death by its own fault, which ends it by other means. A process may take
    another of the waiting packs than the one that it is counted for."""

    def __init__(self) -> None:
        self.counts: dict[str, tuple[tuple[int, int], int]] = {}

    def count(self, started: Sequence[Plan]) -> None:
        for plan in started:
            at = _place(plan)
            before, tries = self.counts.get(plan.id, (at, 0))
            self.counts[plan.id] = (at, tries + 1 if before == at else 1)

    def exhausted(self, plan: Plan) -> bool:
        at, tries = self.counts.get(plan.id, ((0, 0), 0))
        return tries >= TRIES and at == _place(plan)


def _place(plan: Plan) -> tuple[int, int]:
    """Its checkpoint, and the deaths of those who had it at that."""
    claim = lease.read(plan.claim)
    return plan.stamp, claim["deaths"] if claim else 0


def _probe(folder: Path) -> None:
    """Raises the OSError that keeps processes from writing there, if that is why they end."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".tmp") as file:
        file.write(bytes(1 << 20))
        os.fsync(file.fileno())
