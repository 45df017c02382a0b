"""Stages that fail, that are interrupted, and that need not run."""

import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from analysis.reproduce import running
from analysis.reproduce.plan import Experiment, Plan
from analysis.reproduce.running import run
from analysis.reproduce.stages import stages, training

PLAN = Plan("made", (Experiment("base", ("logits",)), Experiment("held")), {})


class Started:
    """Notes commands in place of running them; each ends with the code of its stage, or 0."""

    def __init__(self, codes: Mapping[str, int]):
        self.codes, self.commands = codes, list[str]()

    def __call__(self, command: Sequence[str]) -> int:
        text = " ".join(command)
        self.commands.append(text)
        return next((code for part, code in self.codes.items() if part in text), 0)


def reproduce(
    folder: Path, trained: Sequence[str] = (), **codes: int
) -> tuple[int, list[str], str]:
    """Exit code, first words of the commands that were run, and what was printed."""
    every = stages(PLAN, folder, training(PLAN, []))
    for stage in every:
        for path in stage.made:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    started, lines = Started(codes), list[str]()
    code = run(every, folder, "made", trained, started, lines.append)
    return code, [text.split()[0] for text in started.commands], "\n".join(lines)


ALL = ["grokpipe", "grokpipe.remeasure", "analysis", "grokpipe", "analysis", "analysis"]


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    assert reproduce(tmp_path)[:2] == (0, ALL)
    code, commands, text = reproduce(tmp_path, ["base"])
    assert (code, commands) == (0, ["grokpipe"])  # what is left to train is asked of the survey
    assert text.count("done before") == 5
    every = stages(PLAN, tmp_path, training(PLAN, []))
    left = "then: remeasure 0 of 1, gather 0 of 2, report 0 of 1"
    assert running.outlook(every, tmp_path, "made") == left


def test_a_failure_does_not_stop_the_others(tmp_path: Path) -> None:
    code, commands, text = reproduce(tmp_path, **{"made/held": 2, "remeasure": 1})
    assert code == 1
    assert commands == ["grokpipe", "grokpipe.remeasure", "analysis", "grokpipe", "analysis"]
    assert "remeasure base  failed, exit code 1" in text
    assert "train held      failed, exit code 2" in text
    assert "gather held     not run: nothing was trained" in text
    assert reproduce(tmp_path)[1] == ["grokpipe", "grokpipe.remeasure", "grokpipe", "analysis"]


def test_an_interruption_stops_everything_and_the_same_command_goes_on(tmp_path: Path) -> None:
    code, commands, text = reproduce(tmp_path, **{"gather": 130})
    assert (code, commands) == (130, ALL[:3])
    assert text.endswith("interrupted in: gather base; the same command goes on from there")
    assert reproduce(tmp_path, ["base"])[1] == ALL[2:]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_waits_for_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """SIGTERM is handed on, ^C is not, as the terminal sends it to both."""
    lines = (
        "import pathlib, signal, time",
        "got = []",
        "signal.signal(signal.SIGTERM, lambda *_: got.append('told'))",
        "pathlib.Path('begun').touch()",
        "while not got and not pathlib.Path('enough').exists(): time.sleep(0.01)",
        "pathlib.Path('ended').write_text(' '.join(got))",
    )
    (tmp_path / "slowly.py").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)

    def interrupt() -> None:
        while not Path("begun").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), number)
        if number == signal.SIGINT:
            Path("enough").touch()

    thread = threading.Thread(target=interrupt)
    before = signal.getsignal(number)
    thread.start()
    assert running.process(["slowly"]) == 130
    thread.join()
    assert Path("ended").read_text() == ("told" if number == signal.SIGTERM else "")
    assert signal.getsignal(number) is before
