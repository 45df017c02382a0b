"""`adopt`, from logs of other programs to a table of medians, and every command after it."""

import json
from pathlib import Path

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.stats import bootstrap
from tests.helpers import foreign_logs
from tests.helpers.foreign_tables import MEDIANS
from tests.helpers.made_runs import two_decays


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 50)


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables adopted from a CSV, without classes, task, commit and the rest."""
    folder = tmp_path_factory.mktemp("adopted")
    assert main(["adopt", str(foreign_logs.csv(folder)), "--to", str(folder / "mine")]) == 0
    return folder / "mine"


def test_one_command_from_a_csv_to_the_medians(tmp_path: Path, capsys) -> None:
    to = tmp_path / "outputs" / "mine"
    assert main(["adopt", str(foreign_logs.csv(tmp_path)), "--to", str(to)]) == 0
    printed = capsys.readouterr()
    assert printed.out.index("runs: 10") < printed.out.index("written:") < (
        printed.out.index("median")
    )  # fmt: skip
    assert "budget not given" in printed.err
    events = pd.read_csv(to / "tables" / "events.csv")
    of_grok = events[events["event"] == "t_grok"]
    assert of_grok.groupby("weight_decay")["step"].median().to_dict() == MEDIANS
    assert {path.name for path in to.iterdir()} == {
        "curves.parquet", "cells.parquet", "adopted.json", "tables",
    }  # fmt: skip
    note = json.loads((to / "adopted.json").read_text())
    assert note["sources"] == [str(tmp_path / "runs.csv")] and note["map"]["columns"] == {}


COMMANDS = {
    "timescales {} --event all --by weight_decay": "t_grok",
    "timescales {} --event train_loss<=0.1": "train_loss<=0.1",
    "compare {} --event t_grok --by weight_decay --baseline 0.1": "log-rank",
    "fit {} --event t_grok": "weight_decay",
    "forecast {} --predictor train_loss": "mean of the others",
    "synchrony {} --second train_loss": "lag",
    "figures {}": "written:",
    "gather {} --to {}/again": "1,010 rows",
    "export {} --to csv": "(10 runs)",
    "why {}/tables/events": "adopted from ",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_works_on_adopted_tables(
    command: str, mine: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    if not command.startswith("figures"):  # drawn, but a file takes seconds
        monkeypatch.setattr("analysis.figures.style.save", lambda *arguments: [])
    assert main(command.replace("{}", str(mine)).split()) == 0
    assert COMMANDS[command] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("status {}", "gathered tables; status needs a folder of run logs"),
        ("restore {} {}/new", "no column task.name; a run log needs it"),
    ],
)
def test_commands_that_need_run_logs_say_so(command: str, said: str, mine: Path, capsys) -> None:
    assert main(command.replace("{}", str(mine)).split()) == 2
    assert said in capsys.readouterr().err


def test_a_table_without_an_event_tells_of_conditions(tmp_path: Path, capsys) -> None:
    (tmp_path / "f1.csv").write_text("run,step,f1\na,0,0.1\na,10,0.8\nb,0,0.1\nb,20,0.9\n")
    to = tmp_path / "mine"
    assert main(["adopt", str(tmp_path / "f1.csv"), "--to", str(to)]) == 0
    assert f"timescales {to} --event 'f1>=0.9'" in capsys.readouterr().out
    assert main(["timescales", str(to), "--event", "f1>=0.8"]) == 0
    assert "f1>=0.8" in capsys.readouterr().out


def test_nothing_is_written_over_what_is_not_adopted_from_the_same(tmp_path: Path, capsys) -> None:
    def adopt(name: str, to: Path, *options: str) -> str:
        code = main(["adopt", str(tmp_path / name), "--to", str(to), *options])
        return capsys.readouterr().err if code else ""

    text = foreign_logs.csv(tmp_path).read_text()
    (tmp_path / "other.csv").write_text(text)
    to = tmp_path / "mine"
    assert adopt("runs.csv", to) == ""
    before = (to / "curves.parquet").read_bytes()
    assert "has tables adopted from " in adopt("other.csv", to)
    assert (to / "curves.parquet").read_bytes() == before
    # a log that has grown since
    (tmp_path / "runs.csv").write_text(text + text.splitlines()[-1].replace("1000", "2000", 1))
    assert adopt("runs.csv", to) == ""
    assert (to / "curves.parquet").read_bytes() != before
    assert adopt("other.csv", to, "--force") == ""
    assert (to / "curves.parquet").read_bytes() == before
    (to / "adopted.json").unlink()
    assert "has tables of another origin" in adopt("other.csv", to, "--force")
    runs = two_decays(tmp_path / "runs")
    assert "has run logs, which stay" in adopt("runs.csv", runs, "--force")
    for folder, said in ((runs, "has run logs, which every"), (to, "has gathered tables, which")):
        assert said in adopt(folder.name, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("")
    assert "a file is in the way" in adopt("runs.csv", tmp_path / "file")


def test_a_refused_table_leaves_nothing(tmp_path: Path, capsys) -> None:
    (tmp_path / "runs.csv").write_text("seed,step,val_acc\n0,0,12\n")
    assert main(["adopt", str(tmp_path / "runs.csv"), "--to", str(tmp_path / "mine")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "mine").exists()
