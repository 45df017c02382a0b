"""Run the stages of a reproduction one after another, each as a process of its own."""

import shlex
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import FrameType

from tabulate import tabulate

from analysis.reproduce import stamps
from analysis.reproduce.stages import Stage

INTERRUPTED = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM)

Start = Callable[[Sequence[str]], int]
"""runs a command, and returns its exit code"""


def outlook(stages: Sequence[Stage], folder: Path, paper: str) -> str:
    """A line on what follows the training: how many stages of each kind are still to be done."""
    kinds = ("remeasure", "gather", "report")
    every = Counter(stage.kind for stage in stages)
    done = Counter(stage.kind for stage in stages if stage.kind in kinds
                   and stamps.is_done(stage, folder, paper))  # fmt: skip
    left = (f"{kind} {every[kind] - done[kind]} of {every[kind]}" for kind in kinds if every[kind])
    return f"then: {', '.join(left)}"


def run(
    stages: Sequence[Stage],
    folder: Path,
    paper: str,
    trained: Collection[str],
    start: Start,
    tell: Callable[[str], object] = print,
) -> int:
    """Run the stages; one that fails does not stop the others.

    Args:
        folder: of all run logs.
        trained: names of the experiments of which nothing is left to train.
        start: runs a command.
        tell: takes lines for the user.

    Returns:
        exit code: 0, 1 if a stage failed, 130 if one was interrupted.
    """
    outcomes: list[tuple[str, str]] = []
    refused: set[str] = set()
    for stage in stages:
        if stage.kind != "train" and stage.experiment in refused:
            outcomes.append((stage.name, "not run: nothing was trained"))
            continue
        if stage.kind == "train":
            is_done = stage.experiment in trained
        else:
            is_done = stamps.is_done(stage, folder, paper)
        if is_done:
            outcomes.append((stage.name, "done before"))
            continue
        tell(f"\n→ python -m {shlex.join(stage.command)}")
        code = start(stage.command)
        if code in (INTERRUPTED, -signal.SIGINT, -signal.SIGTERM):
            tell(f"\ninterrupted in: {stage.name}; the same command goes on from there")
            return INTERRUPTED
        outcomes.append((stage.name, "done" if code == 0 else f"failed, exit code {code}"))
        if code == 0 and stage.kind != "train":
            stamps.note(stage, folder, paper)
        if code == 2 and stage.kind == "train":
            refused.add(stage.experiment)
    tell("\n" + tabulate(outcomes, headers=["stage", "outcome"]))
    failed = [name for name, outcome in outcomes if outcome.startswith(("failed", "not run"))]
    return 1 if failed else 0


def process(command: Sequence[str]) -> int:
    """Run `python -m …` on the terminal of this process, and wait for it whatever signal comes: ^C
    reaches it from the terminal, and SIGTERM is handed on. Interrupted counts as interrupted even
    if the command came to its end."""
    child: subprocess.Popen[bytes] | None = None
    received: list[int] = []

    def hand_on(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if child is not None and number == signal.SIGTERM:
            child.send_signal(number)

    before = {number: signal.signal(number, hand_on) for number in SIGNALS}
    try:
        child = subprocess.Popen([sys.executable, "-m", *command])
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return INTERRUPTED if received else code
