"""The table of what remains, of made-up numbers."""

import json
import shutil
import subprocess
from collections import namedtuple
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from analysis.reproduce import survey
from analysis.reproduce.plan import Plan
from analysis.reproduce.survey import Remaining
from grokpipe.errors import InputError

PLAN = Plan("made", (), {"huge": "needs a GPU"})
BASE = Remaining(
    experiment="made/base", folder="outputs/made", cells=20, repeated=0, states={"done": 20},
    is_asked=True, steps=2_000_000, steps_left=0, seconds_left=0.0, by_trial=False, bytes_left=0,
)  # fmt: skip
HELD = replace(
    BASE, experiment="made/held", cells=12, repeated=2,
    states={"done": 4, "diverged": 1, "missing": 5},
    is_asked=False, steps=1_000_000, steps_left=500_000, seconds_left=5400.0, by_trial=True,
    bytes_left=2_500_000_000,
)  # fmt: skip


def table(*found: Remaining) -> tuple[list[list[str]], list[str]]:
    """Rows of the table, and the lines below it."""
    lines = survey.text(found, PLAN).splitlines()
    rows = [line.split("  ") for line in [lines[0], *lines[2 : 3 + len(found)]]]
    return [[word.strip() for word in row if word] for row in rows], lines[3 + len(found) :]


def test_a_row_for_each_experiment_and_their_sum() -> None:
    rows, notes = table(BASE, HELD)
    assert rows == [
        ["experiment", "cells", "done", "seed-steps left", "hours", "disk"],
        ["base", "20", "20", "0", "0.00", "0.0 MB"],
        ["held", "12", "7", "500,000", "≈ 1.5", "2.5 GB"],
        ["all", "30", "25", "500,000", "≈ 1.5", "2.5 GB"],
    ]
    assert notes[:2] == [
        "left out: huge: needs a GPU",
        "2 cells of an earlier experiment too: run once",
    ]
    assert notes[2].startswith("≈: by a trial")
    assert notes[3].startswith("disk: 2.5 GB needed at most, ")
    assert (BASE.is_done, HELD.is_done, replace(BASE, is_asked=False).is_done) == (
        True,
        False,
        False,
    )


def test_a_reason_is_told_once() -> None:
    names = [f"experiment_{number}" for number in range(9)]
    plan = Plan("made", (), {**dict.fromkeys(names, "wait for a pilot"), "huge": "needs a GPU"})
    left_out = survey.text([BASE], plan).splitlines()[4:]
    listed = ", ".join(names)
    assert " ".join(map(str.strip, left_out[:2])) == f"left out: {listed}: wait for a pilot"
    assert left_out[2] == "left out: huge: needs a GPU"
    assert max(map(len, left_out)) <= 100


def test_failed_cells_unknown_hours_and_a_full_disk(monkeypatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(9, 8, 1_000_000))
    failed = replace(HELD, repeated=0, states={"done": 9, "failed": 3}, seconds_left=None)
    rows, notes = table(BASE, replace(failed, by_trial=False))
    assert rows[0][3] == "failed"
    assert rows[2] == ["held", "12", "9", "3", "500,000", "–", "2.5 GB"]
    assert notes[1].startswith("–: unknown")
    assert notes[2] == "disk: 2.5 GB needed at most, 1.0 MB free – TOO LITTLE"


def test_what_grokpipe_tells_and_what_it_refuses(monkeypatch) -> None:
    answers = iter([(0, json.dumps([asdict(BASE)]), ""), (2, "", "a warning\nerror: lr=-1: no\n")])
    asked: list[list[str]] = []

    def ask(words: list[str]) -> subprocess.CompletedProcess[str]:
        asked.append(words)
        return subprocess.CompletedProcess(words, *next(answers))

    monkeypatch.setattr(survey, "ask", ask)
    assert survey.survey([("-m", "experiment=a"), ("-m", "experiment=b", "lr=1")]) == [BASE]
    assert asked == [["-m", "experiment=a", "-m", "experiment=b", "lr=1"]]
    with pytest.raises(InputError, match=r"^lr=-1: no"):
        survey.survey([("-m", "experiment=a")])


def test_experiments_share_one_folder() -> None:
    assert survey.folder_of([BASE, HELD]) == Path("outputs/made")
    with pytest.raises(InputError, match="must share one folder"):
        survey.folder_of([BASE, replace(HELD, folder="outputs/other")])
