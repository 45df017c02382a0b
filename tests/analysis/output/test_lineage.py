"""What stands behind a figure or table: noted when it is made, and told when asked."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.output import lineage
from tests.helpers.made_runs import two_decays, write_run

ROOT = Path(__file__).resolve().parents[3]


def made(runs: Path, *arguments: str) -> None:
    assert main(["timescales", str(runs), *arguments]) == 0
    assert main(["figures", str(runs), *arguments]) == 0


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs with their tables and figures, to be read only."""
    folder = two_decays(tmp_path_factory.mktemp("shown") / "runs")
    made(folder)
    (folder / "old.png").write_text("")  # of a release that wrote no lineage
    return folder


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a seventh run, which is not finished."""
    folder = two_decays(tmp_path_factory.mktemp("unfinished") / "runs")
    write_run(folder, 8, 0.3, 100, state=None)
    made(folder)
    return folder


def side(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def set_provenance(log: Path, **values: Any) -> None:
    path = log / "provenance.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_every_figure_and_table_has_one(shown: Path) -> None:
    for folder in ("tables", "figures"):
        files = {path.name for path in (shown / folder).iterdir()}
        names = {name.partition(".")[0] for name in files}
        assert {name for name in files if name.endswith(".why.json")} == {
            f"{name}.why.json" for name in names
        }
        assert len(names) == {"tables": 2, "figures": 1}[folder]


def test_the_runs_are_those_that_are_shown(runs: Path) -> None:
    write_run(runs, 8, 0.3, 100, state=None)
    empty = write_run(runs, 9, 0.3, 100, state=None)
    (empty / "curves.jsonl").write_text("")
    made(runs)
    keys = {path.name for path in (runs / "cells").iterdir()} - {empty.name}
    assert set(pd.read_csv(runs / "tables/events.csv", dtype=str)["key"]) == keys
    for name in ("tables/timescales", "tables/events", "figures/collapse_weight_decay"):
        cells = side(runs / f"{name}.why.json")["cells"]
        assert set(cells) == keys
        assert [key for key, state in cells.items() if state != "done"] == ["0300000000000008"]


def test_a_figure_leaves_out_runs_without_a_value_to_group_by(runs: Path) -> None:
    for path in (runs / "cells").glob("0300*/config.yaml"):
        path.write_text(path.read_text().replace("every: null", "every: 100"))
    assert main(["figures", str(runs), "--by", "eval.every"]) == 0
    cells = side(runs / "figures/collapse_eval_every.why.json")["cells"]
    assert {key[:4] for key in cells} == {"0300"}


def test_what_varies_and_what_does_not(shown: Path) -> None:
    found = side(shown / "tables/timescales.why.json")
    assert found["varied"]["weight_decay"] == [0.1, 0.3]
    assert found["varied"]["seed"] == [0, 1, 2]
    assert found["constant"]["task.train_size"] == 1000
    assert found["constant"]["eval.every"] is None
    assert not set(found["varied"]) & set(found["constant"])
    configuration = set(pd.read_csv(shown / "tables/events.csv").columns)
    assert set(found["varied"]) | set(found["constant"]) <= configuration


def test_commits_and_software_with_the_number_of_runs(runs: Path) -> None:
    made(runs)
    path = runs / "tables/timescales.why.json"
    found = side(path)
    assert (found["commits"], found["dirty"]) == ({"c0ffee": 6}, 0)
    assert (found["torch"], found["code"]) == ({"2.13.0": 6}, {"unknown": 6})

    log = runs / "cells" / "0300000000000000"
    set_provenance(log, commit="beef", dirty=True, code="aa:01")
    write_run(runs, 0, 0.3, 100)  # it went on under the first code
    made(runs)
    found = side(path)
    assert (found["commits"], found["dirty"]) == ({"c0ffee": 6, "beef": 1}, 1)
    assert found["code"] == {"unknown": 6, "aa:01": 1}
    assert "\nchanged   from its commit (1)\n" in lineage.text(path)


def test_the_same_again_gives_the_same_bytes(runs: Path) -> None:
    made(runs)
    paths = list(runs.glob("*/*.why.json"))
    before = {path: path.read_bytes() for path in paths}
    made(runs)
    assert {path: path.read_bytes() for path in paths} == before


def test_the_command_and_the_folder_as_they_were_typed(runs: Path) -> None:
    line = ["-m", "analysis", "timescales", "runs", "--by", "weight_decay"]
    subprocess.run([sys.executable, *line], cwd=runs.parent, check=True, capture_output=True)
    found = side(runs / "tables/events.why.json")
    assert found["command"] == "python " + " ".join(line)
    assert found["folder"] == "runs"


def test_the_commit_holds_the_code_of_the_analysis(shown: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    found = side(shown / "tables/timescales.why.json")["analysis"]
    same = ["git", "-C", str(ROOT), "diff", "--quiet", found["commit"]]
    assert subprocess.run([*same, "HEAD", "--", "analysis"]).returncode == 0
    if not found["dirty"]:
        assert subprocess.run([*same, "--", "analysis"]).returncode == 0


@pytest.mark.parametrize("ending", ["", ".pdf", ".png", ".why.json"])
def test_told_by_any_file_of_a_figure(unfinished: Path, ending: str, capsys) -> None:
    assert main(["why", str(unfinished / f"figures/collapse_weight_decay{ending}")]) == 0
    told = capsys.readouterr().out
    for log in (unfinished / "cells").iterdir():
        assert f"{log}\n" in told
    for part in ("6 done, 1 interrupted", "weight_decay: 0.1, 0.3", "c0ffee (7)", "steps=400"):
        assert part in told
    assert "optimizer.weight_decay" not in told  # weight_decay says it


def test_told_as_json(shown: Path, capsys) -> None:
    assert main(["why", "--json", str(shown / "tables/events.csv")]) == 0
    assert json.loads(capsys.readouterr().out) == side(shown / "tables/events.why.json")


def test_many_values_are_told_in_short(runs: Path, capsys) -> None:
    for seed in range(3, 40):
        write_run(runs, seed, 0.3, 100)
    for seed in range(12):
        write_run(runs, 0, 1 + seed / 8, 100)
    made(runs)
    capsys.readouterr()
    main(["why", str(runs / "tables/timescales.md")])
    told = capsys.readouterr().out
    assert "seed: 0–39" in told
    assert "2.375 (14 values)" in told


def test_gathered_tables_name_the_runs_too(runs: Path, tmp_path: Path, capsys) -> None:
    stored = tmp_path / "reference"
    main(["gather", str(runs), "--to", str(stored)])
    made(stored)
    made(runs)
    ours, theirs = (side(folder / "tables/timescales.why.json") for folder in (stored, runs))
    assert (ours["cells"], ours["varied"]) == (theirs["cells"], theirs["varied"])
    main(["why", str(stored / "tables/timescales.md")])
    assert "0300000000000000" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("runs/figures/colapse.png", ["colapse.png", "no such figure or table"]),
        ("runs/figures/colapse", ["no such figure or table"]),
        ("runs/figures", ["no such figure or table"]),
        ("runs/figures/collapse_weight_decay.csv", ["no such figure or table"]),
        ("runs/old.png", ["old.png", "no old.why.json beside it"]),
    ],
)
def test_wrong_input_is_one_line(
    shown: Path, path: str, parts: list[str], monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(shown.parent)
    assert main(["why", path]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    for part in parts:
        assert part in printed.err
