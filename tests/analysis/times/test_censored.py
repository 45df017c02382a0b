"""Cells without an event by the end of their budget: which are listed, which left out, and why."""

import json
import shlex
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from analysis.runs import gather
from analysis.times import censored, timescales
from grokpipe.cell import Cell
from grokpipe.config.schema import Config
from grokpipe.store.run_log import RunLog
from tests.helpers.cli import SERIAL, TOKENS, grokpipe, module

Compose = Callable[..., Config]
EVENT = "test_accuracy>=0.9"
PROVENANCE = {
    "commit": "c0ffee", "dirty": False, "versions": {"torch": "2.13.0"},
    "data": {"classes": 10, "fingerprint": "f00d"},
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path, compose: Compose) -> Callable[..., str]:
    """run("seed=1", …, at=200) → key of a run whose test accuracy is 0.95 from step `at` on."""

    def make(*overrides: str, at: float = float("inf"), state: str = "done", last: int = 0) -> str:
        config = compose("steps=400", *overrides, f"outputs={tmp_path}", "name=x")
        log = RunLog(tmp_path / "x" / "cells" / Cell.of(config).key)
        log.start(asdict(config), PROVENANCE)
        for step in range(0, (last or config.steps) + 1, 100):
            accuracy = 0.95 if step >= at else 0.1
            log.append({"step": step, "train_accuracy": 1.0, "test_accuracy": accuracy})
        if state:
            log.finish(state, last or config.steps, "so", 1.0)
        return log.folder.name

    return make


def read(folder: Path) -> censored.Censored:
    tables = gather.read(folder)
    return censored.censored(folder, tables, timescales.events(tables, [EVENT]), EVENT)


def test_each_cell_without_the_event_is_listed_or_accounted_for(run, tmp_path: Path) -> None:
    wanted = {run(f"seed={seed}", "weight_decay=0.1") for seed in (1, 4)}
    wanted.add(run("seed=0", "weight_decay=0.3", "steps=500"))
    run("seed=0", at=200)
    run("seed=2", state="diverged", last=100)
    run("seed=3", state="", last=100)
    run("seed=5", last=300)  # ended before its budget
    run("seed=4", "weight_decay=0.3")  # has a longer run, which did not reach it either
    wanted.add(run("seed=4", "weight_decay=0.3", "steps=800", "eval.budget=400"))
    run("seed=5", "weight_decay=0.3")  # has one that did
    run("seed=5", "weight_decay=0.3", "steps=800", at=700)
    found = read(tmp_path / "x")
    assert {cell.key for cell in found.cells} == wanted
    assert sorted((cell.last, cell.budget) for cell in found.cells) == [
        (400, 400), (400, 400), (500, 500), (800, 800),
    ]  # fmt: skip
    assert found.runs == 9  # of eleven, two are superseded
    assert len({cell.label for cell in found.cells}) == 4
    assert sorted(found.notes) == [
        f"1 diverged without {EVENT}: left out",
        f"1 interrupted without {EVENT}: left out",
        f"1 without {EVENT} ended by their stop rule: left out",
    ]
    assert [("eval.budget=400" in c, "steps=1600" in c) for c in found.commands].count(
        (True, True)
    ) == 1
    assert f"4 of 9 cells did not reach {EVENT}" in censored.text(found)


def test_a_cell_whose_longer_run_is_to_finish_is_left_out(run, tmp_path: Path) -> None:
    run("seed=0")
    run("seed=0", "steps=800", state="", last=100)  # was interrupted before the shorter one's end
    run("seed=1", at=200)
    run("seed=1", "steps=800", state="", last=100)
    found = read(tmp_path / "x")
    assert (found.cells, found.runs) == ([], 1)
    assert found.notes == [f"1 without {EVENT} have a longer run to finish: left out"]


def test_where_all_reached_it_there_is_no_command(run, tmp_path: Path) -> None:
    run("seed=0", at=0)
    found = read(tmp_path / "x")
    assert (found.cells, found.commands) == ([], [])
    assert censored.text(found) == f"{tmp_path / 'x'}: 0 of 1 cells did not reach {EVENT}"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--censored", "t_grook"], "t_grook: no such event; valid: "),
        (["--censored", "t_grok,tau1"], "--censored t_grok,tau1: one event at a time"),
        (["--censored", "all"], "--censored all: one event at a time"),
        (["--censored", "t_grok", "--by", "seed"], "--by seed: has no effect with --censored"),
        (["--censored", "depth>=3"], "depth>=3: no run has a column depth; valid: "),
    ],
)
def test_wrong_options_are_one_line(run, tmp_path: Path, options, line: str) -> None:
    run("seed=0")
    ran = module("analysis", "status", "x", *options, cwd=tmp_path)
    assert ran.returncode == 2 and ran.stderr.count("\n") == 1
    assert line in ran.stderr


@pytest.mark.slow
def test_the_printed_command_trains_exactly_these_cells_on(tmp_path: Path) -> None:
    """From the shell: a sweep, its status, the printed command, and the status again."""
    ran = grokpipe("-m", SERIAL, *TOKENS, "weight_decay=1,0.1", "seed=0,2", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    told = module("analysis", "status", "outputs/default", "--censored", "t_grok", cwd=tmp_path)
    (command,) = [line for line in told.stdout.splitlines() if line.startswith("python")]
    words = shlex.split(command)[3:]
    dry = grokpipe(*words, SERIAL, "hydra.launcher.dry_run=true", cwd=tmp_path)
    assert "4 cells go on from shorter runs: 80 of 160 seed-steps saved" in dry.stdout
    assert grokpipe(*words, SERIAL, cwd=tmp_path).returncode == 0
    logs = [*tmp_path.glob("outputs/default/cells/*")]
    ends = [json.loads((log / "result.json").read_text())["steps"] for log in logs]
    parents = ["parent" in json.loads((log / "provenance.json").read_text()) for log in logs]
    expected = [(20, False)] * 4 + [(40, True)] * 4
    assert sorted(zip(ends, parents, strict=True)) == expected
    again = module("analysis", "status", "outputs/default", "--censored", "t_grok", "--json",
                   cwd=tmp_path)  # fmt: skip
    assert [cell["budget"] for cell in json.loads(again.stdout)["cells"]] == [40] * 4
