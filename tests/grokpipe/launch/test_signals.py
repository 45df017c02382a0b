"""Requests to stop, however many come at once."""

import subprocess
import sys

from tests.helpers.cli import ENVIRONMENT

TWO = """
import os, signal
from grokpipe.launch.signals import stop_requests

def ask():
    os.kill(os.getpid(), signal.SIGTERM)

with stop_requests() as stop:
    notify_all = stop._cond.notify_all

    def asked_again():  # a second signal arrives while set() holds the event's lock
        ask()
        notify_all()

    stop._cond.notify_all = asked_again
    ask()
    print(stop.is_set())
"""


def test_a_signal_that_comes_while_one_is_handled_does_not_block() -> None:
    """A handler that waits for a lock which its own interrupted call holds waits for ever."""
    ran = subprocess.run(
        [sys.executable, "-c", TWO], env=ENVIRONMENT, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "True\n"
