"""Where commands write: beside what they read or, with --to, elsewhere; a folder that takes no file
gives the printed table, then one line."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.commands import COMMANDS
from analysis.stats import bootstrap
from tests.helpers import made_report, toy_paper
from tests.helpers.machine import mounted
from tests.helpers.made_runs import write_run

OF_HALF = "tau2_half_by_weight_decay_baseline_0_3"
WRITING = {
    "timescales": ("", "tau2_half", {"tables/timescales.csv", "tables/events.csv"}),
    "compare": (
        "--event tau2_half --by weight_decay --baseline 0.3",
        "p (log-rank)",
        {f"tables/compare_{OF_HALF}.csv", f"figures/differences_{OF_HALF}.png"},
    ),
    "fit": ("--event tau_rnc1@0.1", "tau_rnc1@0.1", {"tables/fit_weight_decay_tau_rnc1_0_1.tex"}),
    "order": (
        "--columns test_accuracy,collapse/rnc1",
        "median lead",
        {
            "tables/order_test_accuracy_collapse_rnc1.md",
            "tables/order_test_accuracy_collapse_rnc1_runs.csv",
            "figures/order_test_accuracy_collapse_rnc1.png",
        },
    ),
    "synchrony": ("", "lag", {"tables/synchrony_test_accuracy_collapse_rnc1.md"}),
    "forecast": (
        "--event tau2_half --predictor collapse/nc2_cond",
        "mean of the others",
        {
            "tables/forecast_laws_tau2_half_from_collapse_nc2_cond.csv",
            "figures/forecast_tau2_half_0_from_collapse_nc2_cond.pdf",
        },
    ),
    "figures": ("", "", {"figures/collapse_weight_decay.pdf"}),
}
"""command → options, what it prints before it writes, some of the files"""


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 50)


@pytest.fixture
def grid(runs: Path) -> Path:
    """The runs with a third decay, so that each command has something to say."""
    for seed in range(3):
        write_run(runs, seed, 0.01, 400 if seed else 300)
    return runs


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    with mounted(folder, "--bind", str(folder)):  # root ignores modes
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        yield


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_each_command_that_writes_is_here() -> None:
    others = {
        "adopt",
        "export",
        "gather",
        "restore",
        "status",
        "report",
        "reproduce",
        "paper",
        "why",
    }  # tested below or elsewhere
    assert WRITING.keys() | others == COMMANDS.keys()


@pytest.mark.parametrize("command", WRITING)
def test_to_is_where_it_writes(command: str, grid: Path, tmp_path: Path, capsys) -> None:
    options, said, some = WRITING[command]
    assert main([command, str(grid), *options.split()]) == 0
    printed = capsys.readouterr()
    made = {name for name in files(grid) if name.startswith(("tables/", "figures/"))}
    assert some <= made and said in printed.out
    before = {name: (grid / name).read_bytes() for name in files(grid)}
    assert main([command, str(grid), *options.split(), "--to", str(tmp_path / "a" / "b")]) == 0
    assert files(tmp_path / "a" / "b") == made
    assert {name: (grid / name).read_bytes() for name in files(grid)} == before
    again = capsys.readouterr()
    assert again.out == printed.out.replace(str(grid), str(tmp_path / "a" / "b"))
    assert again.err == printed.err


@pytest.mark.parametrize("command", WRITING)
def test_run_logs_in_a_read_only_folder(command: str, grid: Path, tmp_path: Path, capsys) -> None:
    """Not gathered yet: what is printed is what a folder that can be written to gives."""
    options, said, some = WRITING[command]
    with read_only(grid):
        assert main([command, str(grid), *options.split()]) == 2
        printed = capsys.readouterr()
        assert said in printed.out and "written" not in printed.out
        (line,) = [line for line in printed.err.splitlines() if not line.startswith("note: ")]
        assert re.fullmatch(
            rf"error: {grid}/(tables|figures): cannot be written to \(Read-only file system\); "
            "name another folder by --to FOLDER",
            line,
        )
        assert not {"tables", "figures"} & {path.name for path in grid.iterdir()}
        assert main([command, str(grid), *options.split(), "--to", str(tmp_path / "to")]) == 0
        assert capsys.readouterr().out.startswith(printed.out.rstrip())
    assert some <= files(tmp_path / "to")


@pytest.mark.parametrize("command", WRITING)
def test_a_file_in_the_way(command: str, grid: Path, tmp_path: Path, capsys) -> None:
    options, said, _ = WRITING[command]
    (tmp_path / "to").write_text("mine")
    assert main([command, str(grid), *options.split(), "--to", str(tmp_path / "to")]) == 2
    printed = capsys.readouterr()
    assert said in printed.out
    assert printed.err.count("error: ") == 1 and printed.err.endswith("--to FOLDER\n")
    assert f"{tmp_path}/to/" in printed.err and "a file is in the way" in printed.err
    assert (tmp_path / "to").read_text() == "mine"


def test_gather(grid: Path, tmp_path: Path, capsys) -> None:
    with read_only(grid):
        assert main(["gather", str(grid)]) == 2
        error = capsys.readouterr().err
        assert f"{grid}: cannot be written to" in error and error.count("\n") == 1
        assert main(["gather", str(grid), "--to", str(tmp_path / "to")]) == 0
        assert "9 new" in capsys.readouterr().out
    assert files(tmp_path / "to") == {"curves.parquet", "cells.parquet"}
    (tmp_path / "file").write_text("")
    assert main(["gather", str(grid), "--to", str(tmp_path / "file")]) == 2
    assert "a file is in the way" in capsys.readouterr().err


def test_a_report_elsewhere_links_to_its_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    runs, to = made_report.stored(tmp_path), tmp_path / "some" / "where"
    paper = toy_paper.read()
    monkeypatch.setattr("analysis.claims.reading.read", lambda name: paper)
    assert main(["report", "entropy", "--runs", str(runs), "--to", str(to)]) == 0
    assert not (runs / "report").exists()
    page = (to / "report" / "report.md").read_text()
    links = re.findall(r"\]\(((?:\.\./)+[^)]*parquet)\)", page)
    assert links and all((to / "report" / link).exists() for link in links)
    capsys.readouterr()
    with read_only(runs):
        assert main(["report", "entropy", "--runs", str(runs)]) == 2
    error = capsys.readouterr().err
    assert f"{runs}/report: cannot be written to" in error and error.count("\n") == 1


def test_a_report_outside_of_a_clone_asks_for_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", "entropy"]) == 2
    assert capsys.readouterr().err == (
        "error: outputs/reference/entropy: no such folder, outside of a clone; name one by "
        "--runs FOLDER\n"
    )


def test_an_error_of_the_system_is_one_line(grid: Path, capsys) -> None:
    """Here a folder stands where a file is read."""
    log = next((grid / "cells").iterdir())
    (log / "curves.parquet").unlink()
    (log / "curves.parquet").mkdir()
    assert main(["timescales", str(grid)]) == 2
    error = capsys.readouterr().err
    assert f"{log}/curves.parquet" in error and error.count("\n") == 1
