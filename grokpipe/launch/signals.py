"""Signals that ask this process to stop, with a checkpoint first."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


@contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """An event that the first of SIGINT, SIGTERM, SIGUSR1 and SIGUSR2 sets; a second SIGINT ends
    at once. Without effect outside the main thread, where no handler can be set."""
    requested = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield requested
        return

    asked = False

    def request(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if not asked:
            asked = True  # first: another signal may come while set() holds the event's lock
            requested.set()
        elif number == signal.SIGINT:
            raise KeyboardInterrupt

    handlers: dict[int, Any] = {n: signal.signal(n, request) for n in NUMBERS}
    try:
        yield requested
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
