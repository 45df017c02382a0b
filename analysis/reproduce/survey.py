"""A table of what is done of a plan and what remains: cells, seed-steps, hours, disk space."""

import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

from analysis.reproduce.plan import Plan
from grokpipe.config.names import counted
from grokpipe.errors import InputError
from grokpipe.store import manifest

COMMAND = "grokpipe.survey.remaining"
WIDTH = 100
HEADERS = ("experiment", "cells", "done", "failed", "seed-steps left", "hours", "disk")


@dataclass(frozen=True)
class Remaining:
    """Progress of one experiment, as `grokpipe.survey.remaining` tells it."""

    experiment: str
    folder: str
    cells: int
    repeated: int
    states: dict[str, int]
    is_asked: bool
    steps: int
    steps_left: int
    seconds_left: float | None
    by_trial: bool
    bytes_left: int

    @property
    def done(self) -> int:
        """Number of its cells that have ended, without the repeated ones."""
        return sum(self.states.get(state, 0) for state in manifest.FINISHED)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to train, and nothing to record."""
        return self.is_asked and self.done + self.repeated == self.cells


def survey(commands: Sequence[Sequence[str]]) -> list[Remaining]:
    """Progress of the experiments that training commands, each given by its arguments, would train.

    Grokpipe is asked in a process of its own, since the sizes of networks need PyTorch. Raises
    InputError for a command that it refuses."""
    done = ask([word for arguments in commands for word in arguments])
    if done.returncode:
        *_, line = done.stderr.splitlines() or [f"{COMMAND}: exit code {done.returncode}"]
        raise InputError(line.removeprefix("error: "))
    return [Remaining(**one) for one in json.loads(done.stdout)]


def ask(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run grokpipe.survey.remaining in a process of its own."""
    command = [sys.executable, "-m", COMMAND, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def folder_of(found: Sequence[Remaining]) -> Path:
    """The folder of all run logs. Raises InputError if there are several."""
    folders = sorted({one.folder for one in found})
    if len(folders) > 1:
        raise InputError(f"the experiments of a paper must share one folder, not {folders}")
    return Path(folders[0])


def text(found: Sequence[Remaining], plan: Plan) -> str:
    """The survey for people."""
    rows = [
        (
            one.experiment.rpartition("/")[2],
            one.cells,
            one.done + one.repeated,
            one.states.get("failed", 0) or None,
            f"{one.steps_left:,}",
            _hours([one]),
            _size(one.bytes_left),
        )
        for one in found
    ]
    rows.append(
        (
            "all",
            sum(one.cells - one.repeated for one in found),
            sum(one.done for one in found),
            sum(one.states.get("failed", 0) for one in found) or None,
            f"{sum(one.steps_left for one in found):,}",
            _hours(found),
            _size(sum(one.bytes_left for one in found)),
        )
    )
    has_failed = any(row[3] for row in rows)
    keep = [i for i in range(len(HEADERS)) if has_failed or HEADERS[i] != "failed"]
    lines = [
        tabulate(
            [[row[i] for i in keep] for row in rows],
            headers=[HEADERS[i] for i in keep],
            colalign=["left", *["right"] * (len(keep) - 1)],
            disable_numparse=True,
        )
    ]
    return "\n".join([*lines, *_left_out(plan.left_out), *_notes(found)])


def _left_out(reasons: Mapping[str, str]) -> list[str]:
    """A line for each reason, with all that it leaves out."""
    names: dict[str, list[str]] = {}
    for name, why in reasons.items():
        names.setdefault(why, []).append(name)
    return [
        line
        for why, several in names.items()
        for line in textwrap.wrap(
            f"left out: {', '.join(several)}: {why}", WIDTH, subsequent_indent="  "
        )
    ]


def _notes(found: Sequence[Remaining]) -> list[str]:
    """Lines on what the numbers mean, as far as they are shown."""
    notes = []
    if repeated := sum(one.repeated for one in found):
        notes.append(f"{counted(repeated, 'cell')} of an earlier experiment too: run once")
    if any(one.seconds_left is None for one in found):
        notes.append("–: unknown, of packs on other machines, or of runs too short for a trial")
    if any(one.by_trial for one in found):
        notes.append("≈: by a trial of a few steps without evaluations, not by finished runs")
    if needed := sum(one.bytes_left for one in found):
        above = folder_of(found).absolute()
        while not above.is_dir():
            above = above.parent
        free = shutil.disk_usage(above).free
        short = " – TOO LITTLE" if free < needed else ""
        notes.append(f"disk: {_size(needed)} needed at most, {_size(free)} free{short}")
    return notes


def _hours(found: Sequence[Remaining]) -> str:
    seconds = [one.seconds_left for one in found if one.steps_left]
    if None in seconds:
        return "–"
    hours = sum(second for second in seconds if second is not None) / 3600
    shown = f"{hours:,.0f}" if hours >= 10 else f"{hours:.1f}" if hours >= 0.1 else f"{hours:.2f}"
    return ("≈ " if any(one.by_trial for one in found) else "") + shown


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
