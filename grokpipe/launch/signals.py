"""Turn signals into requests to stop with a checkpoint."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


@contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """Yield an event that the first SIGINT, SIGTERM, SIGUSR1 or SIGUSR2 sets.

    A later SIGINT raises KeyboardInterrupt at once. Outside the main thread no handler can be
    installed, and the event is never set.
    """
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
