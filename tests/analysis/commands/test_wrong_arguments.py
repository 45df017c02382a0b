"""Each command, each kind of wrong argument: exit code 2 and one line that names it."""

import shutil
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.commands import COMMANDS
from tests.helpers.made_runs import ask, key, two_decays

GOOD = {
    "adopt": "{runs} --to mine",
    "export": "{runs} --to csv",
    "gather": "{runs}",
    "restore": "{tables} new",
    "status": "{runs}",
    "timescales": "{runs}",
    "compare": "{runs} --event tau2_half --by weight_decay --baseline 0.3",
    "fit": "{runs} --event tau_rnc1@0.1",
    "forecast": "{runs} --event tau2_half --predictor collapse/rnc1",
    "order": "{runs} --event t_mem,tau2_half",
    "synchrony": "{runs}",
    "figures": "{runs}",
    "report": "entropy --runs {runs}",
    "paper": "entropy settings {runs}",
    "why": "{runs}/tables/timescales.csv",
}
WRONG = {
    "--event": {"tau9": "tau9", "test_accuracy>>1": "not a condition", "nope>=1": "nope"},
    "--by": {"decay": "--by decay: no such column", "steps": "steps"},
    "--against": {"decay": "--against decay: no such column", "steps": "steps", "task": "numbers"},
    "--baseline": {"3": "--baseline 3: no such arm; valid: 0.3 | 0.1"},
    "--test": {"t": "--test t"},
    "--margin": {"-5": "--margin -5", "a lot": "--margin a lot"},
    "--columns": {
        "nope": "--columns nope: the runs have no column nope; valid: train_accuracy, ",
        "seed": "--columns seed: the runs have no column seed",
        "a b": "--columns a b: a b is not the name of a column",
    },
    "--predictor": {"nope": "nope: the runs have no such measure"},
    "--first": {"nope": "nope"},
    "--second": {"nope": "nope", "test_accuracy": "must be different"},
    "--given": {"nope": "nope"},
    "--tolerance": {"2": "--tolerance 2"},
    "--experiment": {"nope": "--experiment nope"},
    "--runs": {"nowhere": "nowhere: no such folder", "empty": "none of the experiments"},
}
CASES = [
    (command, option, value, said)
    for command, option, values in (
        ("timescales", "--event", WRONG["--event"]),
        ("timescales", "--by", WRONG["--by"]),
        ("compare", "--event", WRONG["--event"]),
        ("compare", "--by", WRONG["--by"]),
        ("compare", "--baseline", WRONG["--baseline"]),
        ("compare", "--test", WRONG["--test"]),
        ("compare", "--margin", WRONG["--margin"]),
        ("fit", "--event", WRONG["--event"]),
        ("fit", "--against", WRONG["--against"]),
        ("forecast", "--event", WRONG["--event"]),
        ("forecast", "--predictor", WRONG["--predictor"]),
        ("forecast", "--tolerance", WRONG["--tolerance"]),
        (
            "order",
            "--event",
            WRONG["--event"]
            | {
                "t_mem": "--event t_mem: needs at least two",
                "all": "--event all: name the events",
                "half(nope),t_mem": "--event half(nope): no run has a column nope",
                "tau2_half/tau1,t_mem": "--event tau2_half/tau1: a ratio of times has no order",
            },
        ),
        ("order", "--columns", WRONG["--columns"]),
        ("order", "--by", WRONG["--by"]),
        ("synchrony", "--first", WRONG["--first"]),
        ("synchrony", "--second", WRONG["--second"]),
        ("synchrony", "--given", WRONG["--given"]),
        ("synchrony", "--by", WRONG["--by"]),
        ("figures", "--by", WRONG["--by"]),
        ("status", "--by", {"decay": "--by decay: no such column"}),
        ("gather", "--experiment", {"nope": "--experiment nope"}),
        ("report", "--runs", WRONG["--runs"]),
    )
    for value, said in values.items()
]
FOLDERS = {  # what stands in the place of the runs → what is said of it
    "nowhere": "nowhere: no such folder",
    "file": "file",
    "empty": "empty",
    "begun": "begun",
    "other": "other",
}
KINDS = {"restore": "gathered", "why": "file"}  # commands that read something else than runs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs, their tables, and folders that hold neither."""
    folder = tmp_path_factory.mktemp("wrong")
    ask(two_decays(folder / "runs"), [key(0.3, 0)], experiment="mine")
    assert main(["gather", str(folder / "runs"), "--to", str(folder / "tables")]) == 0
    (folder / "empty").mkdir()
    (folder / "begun" / "cells").mkdir(parents=True)
    (folder / "other").mkdir()
    (folder / "other" / "notes.txt").write_text("")
    (folder / "file").write_text("")
    return folder


def refusal(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of a command that must fail."""
    capsys.readouterr()
    assert main(arguments) == 2
    printed = capsys.readouterr().err.splitlines()
    errors = [line for line in printed if not line.startswith("note: ")]
    assert len(errors) == 1 and errors[0].startswith("error: "), printed
    return errors[0]


def good(command: str, runs: str = "runs") -> list[str]:
    return [command, *(part.format(runs=runs, tables="tables") for part in GOOD[command].split())]


def test_each_command_is_here() -> None:
    with_runs = COMMANDS.keys() - {"reproduce"}  # whose own tests are in tests/analysis/reproduce
    assert GOOD.keys() == with_runs


@pytest.mark.parametrize(("command", "option", "value", "said"), CASES)
def test_a_wrong_value_of_an_option(
    folder: Path, command, option, value, said, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(folder)
    extra = ["--to", "elsewhere"] if command == "gather" else []
    assert said in refusal([*good(command), option, value, *extra], capsys)


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("command", sorted(GOOD.keys() - {"restore", "why"}))
def test_a_folder_of_another_kind(
    folder: Path, command: str, name: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(folder)
    assert FOLDERS[name] in refusal(good(command, name), capsys)
    assert not list((folder / "empty").iterdir()) and not (folder / "nowhere").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("restore nowhere new", "nowhere: no such folder"),
        ("restore empty new", "empty: neither run logs"),
        ("restore runs new", "runs: run logs already"),
        ("restore tables new", "tables: no column arch.name"),
        ("status tables", "tables: gathered tables; status needs a folder of run logs"),
        ("why nowhere.csv", "nowhere.csv: no such figure or table"),
        ("why empty", "empty: no such figure or table"),
        ("why file", "file: no such figure or table"),
        ("gather runs --experiment mine", "--experiment mine: needs --to"),
        ("gather runs --to runs", "--to runs: is the folder itself"),
        ("report nope", "nope"),
        ("paper nope", "nope: no such paper"),
        ("compare runs --event tau2_half --by weight_decay,decay --baseline 0.3", "--by decay"),
    ],
)
def test_other_wrong_arguments(
    folder: Path, arguments: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(folder)
    assert said in refusal(arguments.split(), capsys)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_a_damaged_side_file(folder: Path, content: str, tmp_path: Path, capsys) -> None:
    shutil.copytree(folder / "tables", tmp_path / "t")
    assert main(["timescales", str(tmp_path / "t")]) == 0
    side = tmp_path / "t" / "tables" / "timescales.why.json"
    side.write_text(content)
    assert f"{side}: damaged" in refusal(["why", str(side)], capsys)
