"""Gathering: tidy, incremental, and honest about what it skips."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis.runs import gather
from analysis.runs.tables import mixtures, varied_columns, write_gathered
from grokpipe.errors import InputError
from grokpipe.store.run_log import RunLog
from tests.helpers.made_runs import STEPS, write_run


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
    write_gathered(tables, tmp_path / "reference")
    again = gather.read(tmp_path / "reference")
    pd.testing.assert_frame_equal(again.curves, tables.curves)
    pd.testing.assert_frame_equal(again.cells, tables.cells)
    first = (tmp_path / "reference" / "curves.parquet").read_bytes()
    write_gathered(again, tmp_path / "reference")
    assert (tmp_path / "reference" / "curves.parquet").read_bytes() == first


def test_a_folder_of_neither_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither run logs"):
        gather.read(tmp_path)


def test_mixtures_are_told(runs: Path) -> None:
    tables = gather.read(runs)
    assert mixtures(tables.cells) == []
    tables.cells.loc[0, "commit"] = "another"
    tables.cells.loc[1, "dirty"] = True
    assert len(mixtures(tables.cells)) == 2


def test_a_resume_under_another_commit_is_a_mixture(runs: Path) -> None:
    path = runs / "cells" / "0300000000000000" / "provenance.json"
    first = json.loads(path.read_text())
    later = {**first, "commit": "beef", "versions": {"torch": "2.14"}}
    path.write_text(json.dumps({**first, "resumed": [later]}))
    assert len(mixtures(gather.read(runs).cells)) == 2


def test_a_resume_on_another_processor_is_a_mixture(runs: Path) -> None:
    path = runs / "cells" / "0300000000000000" / "provenance.json"
    first = json.loads(path.read_text()) | {"processor": "A B"}
    path.write_text(json.dumps({**first, "resumed": [{**first, "processor": "C D"}]}))
    cells = gather.read(runs).cells
    (told,) = mixtures(cells)
    assert told.endswith(": A B, C D, unknown")
    assert set(cells["processor"]) == {"A B; C D", "unknown"}


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


def test_two_keys_swept_together_are_both_named(runs: Path) -> None:
    tables = gather.read(runs)
    tables.cells["batch_size"] = tables.cells["weight_decay"]
    assert sorted(varied_columns(tables)) == ["batch_size", "weight_decay"]


def test_swept_columns_without_seed_and_repetition(runs: Path) -> None:
    assert varied_columns(gather.read(runs)) == ["weight_decay"]


def remeasure(log: Path, **columns: list[float]) -> None:
    """Measures of its evaluations at steps 10 and 300, in the format that re-measuring writes."""
    table = pd.DataFrame({"step": [10, 300], **columns})
    table.to_parquet(log / "remeasured.parquet", index=False)


def test_what_was_measured_later_joins_on_the_step(runs: Path) -> None:
    log = runs / "cells" / "0100000000000001"
    before = gather.read(runs).curves
    remeasure(log, **{"later/x": [1.5, 2.5], "test_accuracy": [7.0, 7.0]})
    curves = gather.read(runs).curves
    assert len(curves) == len(before)
    found = curves.set_index(["key", "step"])["later/x"].dropna()
    assert found.to_dict() == {(log.name, 10): 1.5, (log.name, 300): 2.5}
    pd.testing.assert_frame_equal(curves.drop(columns="later/x"), before)  # its own columns stay
    assert pd.read_parquet(runs / "curves.parquet")["later/x"].count() == 2


def test_measured_again_is_gathered_again(runs: Path) -> None:
    gather.gather(runs)
    log = runs / "cells" / "0100000000000001"
    for value in (1.5, 3.5):
        remeasure(log, later=[value, value])
        assert gather.read(runs).curves["later"].dropna().tolist() == [value] * 2
    (log / "remeasured.parquet").unlink()
    assert "later" not in gather.read(runs).curves


def test_unfinished_runs_may_be_measured_later_too(runs: Path) -> None:
    log = write_run(runs, 8, 0.3, 100, state=None)
    remeasure(log, later=[1.0, 2.0])
    curves = gather.read(runs).curves
    assert curves[curves["key"] == log.name]["later"].dropna().tolist() == [1.0, 2.0]


def test_steps_that_the_curves_do_not_have_are_left_out(runs: Path) -> None:
    log = runs / "cells" / "0100000000000001"
    pd.DataFrame({"step": [5, 300], "later": [1.0, 2.0]}).to_parquet(log / "remeasured.parquet")
    curves = gather.read(runs).curves
    assert len(curves) == 6 * len(STEPS)
    assert curves["later"].dropna().tolist() == [2.0]


def test_many_run_logs_take_several_parts(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(runs, 8, 0.3, 100, state=None)
    whole = gather.read(runs)
    shutil.rmtree(runs / "cells.parquet")
    monkeypatch.setattr(gather, "BATCH", 4)
    tables = gather.read(runs)
    assert len(list(runs.glob("curves.parquet/part-*"))) == 2
    pd.testing.assert_frame_equal(tables.curves, whole.curves)
    pd.testing.assert_frame_equal(tables.cells, whole.cells)


def test_only_the_part_of_a_cell_run_again_is_made_anew(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "BATCH", 2)
    gather.gather(runs)
    for log in ("0100000000000000", "0100000000000001", "0300000000000001", "0300000000000002"):
        (runs / "cells" / log / "curves.parquet").write_bytes(b"reading this again would fail")
    write_run(runs, 2, 0.1, 100)
    assert "2 new, 4 gathered before" in gather.gather(runs)[0]
    assert gather.read(runs).cells["key"].is_unique


def test_an_interrupted_gathering_goes_on(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "BATCH", 2)
    provenance = runs / "cells" / "0300000000000002" / "provenance.json"
    content = provenance.read_text()
    provenance.write_text("{")
    with pytest.raises(json.JSONDecodeError):
        gather.gather(runs)
    provenance.write_text(content)
    assert "2 new, 4 gathered before" in gather.gather(runs)[0]
    assert len(gather.read(runs).curves) == 6 * len(STEPS)


@pytest.mark.parametrize("value", [100, "late"])
def test_a_column_of_nothing_may_come_to_hold_something(runs: Path, value: object) -> None:
    gather.gather(runs)
    path = write_run(runs, 7, 0.3, 100) / "config.yaml"
    path.write_text(path.read_text().replace("every: null", f"every: {value}"))
    tables = gather.read(runs)
    assert tables.cells["eval.every"].dropna().tolist() == [value]
    pd.testing.assert_frame_equal(  # as pandas alone reads the folder
        pd.read_parquet(runs / "curves.parquet").sort_values(["key", "step"], ignore_index=True),
        tables.curves,
    )


@pytest.mark.parametrize("together", [True, False])
def test_a_dial_of_two_architectures_may_hold_numbers_and_words(runs: Path, together: bool) -> None:
    """As `embedding`, which is a scale in one and a dimension in the other."""
    if not together:
        gather.gather(runs)
    for seed, value in ((7, 128), (8, "unit")):
        path = write_run(runs, seed, 0.3, 100) / "config.yaml"
        path.write_text(path.read_text().replace("every: null", f"every: {value}"))
        if not together:
            gather.gather(runs)  # each a part of its own
    tables = gather.read(runs)
    for table in (tables.cells, tables.curves, pd.read_parquet(runs / "cells.parquet")):
        assert set(table["eval.every"].dropna()) == {"128", "unit"}
    write_gathered(tables, runs / "stored")
    pd.testing.assert_frame_equal(gather.read(runs / "stored").cells, tables.cells)


def test_tables_of_an_older_format_are_gathered_anew(runs: Path) -> None:
    gather.gather(runs)
    for path in runs.glob("*.parquet/*.parquet"):
        table = pd.read_parquet(path)
        table.drop(columns="code", errors="ignore").to_parquet(path, index=False)
    (runs / "cells.parquet" / "_index.json").write_text('{"parts": 1, "columns": [], "keys": {}}')
    assert "6 new" in gather.gather(runs)[0]
    assert len(gather.read(runs).cells) == 6


def test_nothing_is_left_of_run_logs_that_are_all_gone(runs: Path) -> None:
    gather.gather(runs)
    shutil.rmtree(runs / "cells")
    (runs / "cells").mkdir()
    with pytest.raises(InputError, match="no run log"):
        gather.read(runs)


def set_code(log: Path, *codes: str | None) -> None:
    """The codes of its sessions: the first, and those that it was resumed with."""
    path = log / "provenance.json"
    first = json.loads(path.read_text())
    sessions = [first | ({} if code is None else {"code": code}) for code in codes]
    path.write_text(json.dumps({**sessions[0], "resumed": sessions[1:]}))


def test_the_code_of_all_sessions(runs: Path) -> None:
    logs = sorted((runs / "cells").iterdir())
    set_code(logs[0], "aa:01")
    set_code(logs[1], "aa:01", "aa:01", "aa:02")
    set_code(logs[2], None, "bb:03")
    cells = gather.read(runs).cells
    assert cells["code"].tolist() == ["aa:01", "aa:01 aa:02", "unknown bb:03", *["unknown"] * 3]
    assert list(cells).index("code") == list(cells).index("dirty") + 1
    assert "code" not in gather.read(runs).configuration


@pytest.mark.parametrize(
    ("codes", "versions"),
    [
        (["aa:01", "aa:01", "bb:02"], 1),  # what trains otherwise has another fingerprint
        (["aa:01", "aa:02", "bb:02"], 2),
        (["aa:01", "aa:02", "aa:03"], 3),
        (["aa:01", "bb:02 bb:03", "cc:04"], 2),
        (["aa:01", "unknown", "unknown aa:01"], 1),  # not known is not another
    ],
)
def test_mixtures_of_scientific_code(runs: Path, codes: list[str], versions: int) -> None:
    cells = gather.read(runs).cells
    cells["code"] = codes + codes[:1] * 3
    told = mixtures(cells)
    line = f"note: cells were trained by {versions} versions of the scientific code"
    assert told == ([line] if versions > 1 else [])


@pytest.mark.parametrize("later", [["code"], ["code", "processor"]])
def test_stored_tables_without_a_later_column(runs: Path, tmp_path: Path, later: list[str]) -> None:
    tables = gather.read(runs)
    write_gathered(tables, tmp_path / "reference")
    path = tmp_path / "reference" / "cells.parquet"
    pd.read_parquet(path).drop(columns=later).to_parquet(path, index=False)
    again = gather.read(tmp_path / "reference")
    pd.testing.assert_frame_equal(again.cells, tables.cells)
    assert again.configuration == tables.configuration
    assert mixtures(again.cells) == []
