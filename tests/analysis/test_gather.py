"""Gathering: tidy, incremental, and honest about what it skips."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis import gather
from grokpipe.errors import InputError
from grokpipe.runlog import RunLog
from tests.analysis.conftest import STEPS, write_run


def test_tables_are_tidy_sorted_and_without_wall_times(runs: Path) -> None:
    tables = gather.read(runs)
    assert len(tables.curves) == 6 * len(STEPS)
    assert list(tables.curves.columns[:2]) == ["key", "step"]
    assert tables.curves[["key", "step"]].equals(
        tables.curves[["key", "step"]].sort_values(["key", "step"], ignore_index=True)
    )
    assert {"weight_decay", "task.train_size", "optimizer.betas"} <= set(tables.curves)
    told = [c for c in (*tables.curves, *tables.cells) if "seconds" in c or "time" in c]
    assert told == []
    operational = {"name", "threads", "checkpoint.every"}
    assert not operational & set(tables.cells)
    assert tables.cells["state"].tolist() == ["done"] * 6
    assert tables.cells["trained_steps"].tolist() == [400] * 6


def test_each_number_stands_where_it_belongs(runs: Path) -> None:
    curves = gather.read(runs).curves
    row = curves[(curves["seed"] == 1) & (curves["weight_decay"] == 0.1) & (curves["step"] == 300)]
    assert row["test_accuracy"].item() == 0.9
    assert row["optimizer.weight_decay"].item() == 0.1


def test_only_new_run_logs_are_read(runs: Path) -> None:
    gather.gather(runs)
    parts = {p: p.stat().st_mtime_ns for p in runs.glob("*.parquet/part-*")}
    assert len(parts) == 2
    for path in (runs / "cells").glob("*/curves.parquet"):
        path.write_bytes(b"reading this again would fail")
    write_run(runs, 7, 0.3, 100)
    told = gather.gather(runs)
    assert "1 new, 6 gathered before, 0 not finished" in told[0]
    assert all(p.stat().st_mtime_ns == stamp for p, stamp in parts.items())
    assert gather.read(runs).cells["seed"].tolist() == [0, 1, 2, 0, 1, 2, 7]
    assert len(list(runs.glob("*.parquet/part-*"))) == 4
    # pandas reads the folder of parts as one table
    assert len(pd.read_parquet(runs / "curves.parquet")) == 7 * len(STEPS)


def test_unfinished_runs_are_read_anew_each_time(runs: Path) -> None:
    log = write_run(runs, 8, 0.3, 100, state=None)
    first = gather.read(runs)
    assert first.cells.set_index("key").loc[log.name, "state"] == "interrupted"
    with open(log / "curves.jsonl") as file:
        rows = file.readlines()
    (log / "curves.jsonl").write_text("".join(rows[:3]))
    assert (gather.read(runs).curves["key"] == log.name).sum() == 3
    write_run(runs, 8, 0.3, 100)  # the same cell, finished
    again = gather.read(runs)
    assert again.cells.set_index("key").loc[log.name, "state"] == "done"
    assert not list(runs.glob("*.parquet/unfinished*"))


def test_a_cell_run_again_or_removed_is_gathered_anew(runs: Path) -> None:
    gather.gather(runs)
    key = "0300000000000000"
    shutil.rmtree(runs / "cells" / key)
    assert key not in gather.read(runs).cells["key"].tolist()
    write_run(runs, 0, 0.3, 300)
    curves = gather.read(runs).curves
    assert curves[(curves["key"] == key) & (curves["step"] == 200)]["test_accuracy"].item() == 0.1


def test_parts_of_a_crash_are_not_counted_twice(runs: Path) -> None:
    gather.gather(runs)
    for name in ("curves.parquet", "cells.parquet"):
        shutil.copy(runs / name / "part-000000.parquet", runs / name / "part-000001.parquet")
    assert len(gather.read(runs).cells) == 6


def test_what_is_no_run_log_is_named_and_skipped(runs: Path) -> None:
    (runs / "cells" / "notes").mkdir()
    (runs / "cells" / "stray.txt").write_text("")
    told = "\n".join(gather.gather(runs))
    assert "cells/notes: not a run log" in told
    assert "cells/stray.txt: not a run log" in told
    assert len(gather.read(runs).cells) == 6


def test_gathered_files_read_the_same(runs: Path, tmp_path: Path) -> None:
    tables = gather.read(runs)
    gather.write(tables, tmp_path / "reference")
    again = gather.read(tmp_path / "reference")
    pd.testing.assert_frame_equal(again.curves, tables.curves)
    pd.testing.assert_frame_equal(again.cells, tables.cells)
    first = (tmp_path / "reference" / "curves.parquet").read_bytes()
    gather.write(again, tmp_path / "reference")
    assert (tmp_path / "reference" / "curves.parquet").read_bytes() == first


def test_a_folder_of_neither_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither run logs"):
        gather.read(tmp_path)


def test_mixtures_are_told(runs: Path) -> None:
    tables = gather.read(runs)
    assert gather.mixtures(tables) == []
    tables.cells.loc[0, "commit"] = "another"
    tables.cells.loc[1, "dirty"] = True
    assert len(gather.mixtures(tables)) == 2


def test_a_resume_under_another_commit_is_a_mixture(runs: Path) -> None:
    path = runs / "cells" / "0300000000000000" / "provenance.json"
    first = json.loads(path.read_text())
    later = {**first, "commit": "beef", "versions": {"torch": "2.14"}}
    path.write_text(json.dumps({**first, "resumed": [later]}))
    assert len(gather.mixtures(gather.read(runs))) == 2


def test_a_new_column_reaches_other_readers_too(runs: Path) -> None:
    gather.gather(runs)
    log = write_run(runs, 7, 0.3, 100, state=None)
    rows = [json.loads(line) for line in (log / "curves.jsonl").read_text().splitlines()]
    lines = [json.dumps({**row, "new/measure": 1.0}) + "\n" for row in rows]
    (log / "curves.jsonl").write_text("".join(lines))
    RunLog(log).finish("done", 400, "reached its steps", 1.0)
    gather.gather(runs)
    table = pd.read_parquet(runs / "curves.parquet")
    assert table["new/measure"].notna().sum() == len(STEPS)
    assert len(table) == 7 * len(STEPS)


def test_two_dials_swept_together_are_both_named(runs: Path) -> None:
    tables = gather.read(runs)
    tables.cells["batch_size"] = tables.cells["weight_decay"]
    assert sorted(gather.varied(tables)) == ["batch_size", "weight_decay"]


def test_swept_columns_without_seed_and_repetition(runs: Path) -> None:
    assert gather.varied(gather.read(runs)) == ["weight_decay"]
