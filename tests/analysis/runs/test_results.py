"""Results of cells, read once; their index is tested with `analysis status`, which needs it."""

import json
import os
from pathlib import Path

from analysis.runs import results
from tests.helpers.made_runs import write_run


def test_each_result_is_what_its_file_says(runs: Path) -> None:
    begun = write_run(runs, 8, 0.3, 100, state=None)
    write_run(runs, 9, 0.3, 100, state="diverged")
    (runs / "cells" / "no run log").mkdir()
    found, unfinished = results.read(runs)
    assert unfinished == [begun.name]
    files = {path.parent.name: path for path in runs.glob("cells/*/result.json")}
    assert found.keys() == files.keys() and len(files) == 7
    for key, path in files.items():
        said = json.loads(path.read_text())
        assert (found[key].state, found[key].steps) == (said["state"], said["steps"])
        assert found[key].stamp == path.stat().st_mtime_ns
    assert results.read(runs)[0] == found  # from the index now


def test_a_result_that_was_written_again_is_read_again(runs: Path) -> None:
    before, _ = results.read(runs)
    path = sorted(runs.glob("cells/*/result.json"))[0]
    said = json.loads(path.read_text())
    path.write_text(json.dumps({**said, "state": "failed", "reason": "x" * 1_000}))
    os.utime(path, ns=(0, before[path.parent.name].stamp + 1))
    after, _ = results.read(runs)
    changed = after[path.parent.name]
    assert (changed.state, changed.reason) == ("failed", "x" * results.REASON)
    assert {k: v for k, v in after.items() if v == before[k]}.keys() == {
        *before
    } - {path.parent.name}  # fmt: skip


def test_a_folder_without_cells(tmp_path: Path) -> None:
    assert results.read(tmp_path) == ({}, [])
