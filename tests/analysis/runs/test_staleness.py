"""Cells that were trained by other code than the present."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from analysis.runs import staleness
from analysis.runs.status import status, text
from grokpipe.provenance import fingerprint
from grokpipe.store import files, run_log
from grokpipe.store.run_log import RunLog
from tests.helpers.made_runs import key

A, B = "a" * 16, "b" * 16
PRESENT = {A: "1" * 16, B: "2" * 16}


@pytest.fixture
def coded(sweep: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The done and diverged cells with the code that trained them; it is never computed."""
    codes = [
        f"{A}:{PRESENT[A]}", f"{A}:{'0' * 16}", f"{B}:{PRESENT[B]}", f"{B}:{'0' * 16}",
        f"{A}:{'0' * 16} {A}:{PRESENT[A]}", "", None, f"unknown {A}:{PRESENT[A]}",
    ]  # fmt: skip
    keys = [key(decay, seed) for decay in (0.3, 0.1) for seed in range(4)]
    for k, code in zip([*keys, key(0.3, 7)], [*codes, f"{A}:{'0' * 16}"]):
        path = sweep / "cells" / k / run_log.RESULT
        path.write_text(json.dumps({**files.read_json(path), "code": code}))
    monkeypatch.setattr(fingerprint, "known", PRESENT.get)
    return sweep


def test_what_was_trained_by_other_code_is_stale(coded: Path, capsys) -> None:
    for _ in ("read", "from the index"):
        found = status(coded)
        # one with an empty code, one with null, one resumed, one that nobody asked for
        assert (found.stale, found.unknown_code) == (3, 4)
    printed = text(found)
    assert "3 of the finished cells were trained by other code (stale); they are kept" in printed
    assert "4 of the finished cells have unknown code: not recorded or not checked" in printed
    assert capsys.readouterr().err == ""


def test_code_that_cannot_be_checked_is_unknown(coded: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(fingerprint, "known", {A: PRESENT[A]}.get)
    for path in (coded / "cells").glob(f"*/{run_log.CONFIG}"):
        path.write_text("task: none")
    found = status(coded)
    assert (found.stale, found.unknown_code) == (2, 6)
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "checking the code: 1 fingerprints to compute"
    assert told[1].startswith("not checked: error: ") and "task=" in told[1]
    assert len(told) == 2


def test_code_is_checked_once_for_each_trajectory(coded: Path, monkeypatch) -> None:
    def computed(logs):
        asked.extend(logs)
        return {A: PRESENT[A]}

    asked: list[Path] = []
    monkeypatch.setattr(fingerprint, "known", {}.get)
    monkeypatch.setattr(staleness, "_computed", computed)
    assert status(coded).stale == 2
    assert len(asked) == 2
    codes = [str(files.read_json(log / run_log.RESULT)["code"]) for log in asked]
    assert A in codes[0] and B in codes[1]


@pytest.mark.slow
def test_code_is_checked_by_a_process_of_its_own(compose, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    config = compose("task=mod_add", "task.p=11", "arch.width=12", "arch.heads=3", "batch_size=16")
    now = fingerprint.fingerprint(config)
    shutil.rmtree(tmp_path / "cache")
    for seed, code in enumerate((now, now, f"{now.partition(':')[0]}:{'0' * 16}")):
        log = RunLog(tmp_path / "cells" / key(0.1, seed))
        log.start(asdict(replace(config, seed=seed)), {"code": code})
        log.finish("done", 400, "reached its steps", 1.0)
    for told in ("checking the code: 1 fingerprints to compute\n", ""):  # then it is in the cache
        found = status(tmp_path)
        assert (found.stale, found.unknown_code) == (1, 0)
        assert capsys.readouterr().err == told
