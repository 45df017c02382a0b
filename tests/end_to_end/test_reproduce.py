"""`python -m analysis reproduce`, from no outputs to the report, stopped on its way."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.claims import reading
from analysis.reproduce import plan, running, survey
from analysis.reproduce.plan import Experiment, Plan
from tests.helpers import cli, toy_paper

SMALL = (
    cli.SERIAL, *cli.TOKENS, "seed=range(2)", "measures.names=[weights,logits]", "snapshots=log:3",
)  # fmt: skip
FOLLOWING = ("intervention.alpha=0.1", "intervention.baseline_seeds=[0,1]")
PLAN = Plan(
    "entropy",
    (
        Experiment("e1_baseline", ("spectral",), SMALL),
        Experiment("e3_norm_control", (), (*SMALL, *FOLLOWING)),
    ),
    {"e9_rates": "too long"},
)
FOLDER = Path("outputs/entropy")


def test_wrong_input_is_one_line_with_what_is_valid(capsys) -> None:
    wrong = {
        (): "name a paper; valid: collapse, entropy",
        ("grokking",): "grokking: no such paper; valid: collapse, entropy",
        ("entropy", "--only", "e1"): "--only e1: no such experiment; valid: e0_fingerprint, ",
    }
    for arguments, said in wrong.items():
        assert main(["reproduce", *arguments]) == 2
        printed = capsys.readouterr()
        assert printed.err.startswith(f"error: {said}")
        assert (printed.out, printed.err.count("\n")) == ("", 1)


class Commands:
    """Runs commands: those of analysis in this process, others forked. The one with `stopped` in
    it is not run, as if ^C came first."""

    def __init__(self, folder: Path):
        self.folder, self.stopped = folder, ""
        self.ran: list[str] = []

    def __call__(self, command: Sequence[str]) -> int:
        name, *arguments = command
        if self.stopped and self.stopped in " ".join(command):
            return running.INTERRUPTED
        self.ran.append(" ".join((name.partition(".")[2] or name, arguments[0])))
        if name == "analysis":
            return main(arguments)
        done = cli.module(name, *arguments, cwd=self.folder)
        assert done.returncode == 0, done.stderr
        return done.returncode

    def ask(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return cli.module(survey.COMMAND, *words, cwd=self.folder)


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """In an empty folder, with two experiments of the paper, and the claims of a made-up one."""
    found, made_up = Commands(tmp_path), toy_paper.read()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plan, "read", lambda paper: PLAN)
    monkeypatch.setattr(reading, "read", lambda paper: made_up)
    monkeypatch.setattr(running, "process", found)
    monkeypatch.setattr(survey, "ask", found.ask)
    return found


@pytest.mark.slow(seconds=25)
def test_from_no_outputs_to_the_report(commands: Commands, capsys) -> None:
    given = ["reproduce", "entropy", "--small"]
    assert main([*given, "--dry-run"]) == 0
    told = capsys.readouterr().out
    rows = [line.split() for line in told.splitlines()]
    assert [row[:4] for row in rows[2:5]] == [
        ["e1_baseline", "2", "0", "40"],
        ["e3_norm_control", "2", "0", "40"],
        ["all", "4", "0", "80"],
    ]
    assert "left out: e9_rates: too long" in told
    assert told.endswith("then: remeasure 1 of 1, gather 2 of 2, report 1 of 1\n")
    assert (commands.ran, [*commands.folder.iterdir()]) == ([], [])

    commands.stopped = "experiment=entropy/e3_norm_control"
    assert main(given) == 130
    assert "the same command goes on from there" in capsys.readouterr().out
    assert commands.ran == ["grokpipe -m", f"remeasure {FOLDER}", "analysis gather"]

    commands.stopped, commands.ran = "", []
    assert main(given) == 0
    assert commands.ran == ["grokpipe -m", "analysis gather", "analysis report"]
    told = capsys.readouterr().out
    rows = [line.split() for line in told.splitlines()]
    assert rows[2][:4] == ["e1_baseline", "2", "2", "0"]
    assert rows[4][:4] == ["all", "4", "2", "40"]
    assert "remeasure e1_baseline done before".split() in rows
    tables = {
        name: pd.read_parquet(FOLDER / "gathered" / name / "curves.parquet")
        for name in ("e1_baseline", "e3_norm_control")
    }
    assert [table["key"].nunique() for table in tables.values()] == [2, 2]
    assert tables["e1_baseline"]["spectral/entropy_train"].notna().any()
    assert (FOLDER / "report" / "report.html").exists()
    verdicts = pd.read_csv(FOLDER / "report" / "verdicts.csv", index_col="id")["verdict"]
    assert verdicts["A-all"] != "not run"
    assert verdicts["B"] == "not run"  # nothing asked for its arm

    commands.ran = []
    assert main(given) == 0
    assert commands.ran == []
