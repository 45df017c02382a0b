"""Run logs as rows: what stands in a row, read by a loop over the files."""

import json
from pathlib import Path

import pandas as pd

from analysis.runs import rows
from tests.helpers.made_runs import STEPS, write_run


def test_each_evaluation_is_a_row_with_its_configuration(runs: Path) -> None:
    logs = sorted((runs / "cells").iterdir())
    curves, cells = (table.to_pandas() for table in rows.read(logs))
    assert list(cells)[: len(rows.CELL_COLUMNS)] == rows.CELL_COLUMNS
    assert len(curves) == len(logs) * len(STEPS)
    for log in logs:
        own = curves[curves["key"] == log.name]
        result = json.loads((log / "result.json").read_text())
        for name, column in pd.read_parquet(log / "curves.parquet").items():
            assert own[name].tolist() == column.tolist()
        (cell,) = cells[cells["key"] == log.name].to_dict("records")
        assert (cell["state"], cell["trained_steps"]) == (result["state"], result["steps"])
        assert (cell["data"], cell["classes"], cell["commit"]) == ("f00d", 10, "c0ffee")
        for name in ("seed", "weight_decay", "optimizer.betas", "eval.every"):
            values = own[name].map(str).unique().tolist()
            assert values == [str(cell[name])]


def test_an_unfinished_run_has_the_steps_it_has(runs: Path) -> None:
    log = write_run(runs, 8, 0.3, 100, state=None)
    lines = (log / "curves.jsonl").read_text().splitlines()
    (log / "curves.jsonl").write_text("\n".join(lines[:3]) + "\n")
    curves, cells = rows.read([log])
    assert curves["step"].to_pylist() == [*STEPS[:3]]
    assert (cells["state"][0].as_py(), cells["trained_steps"][0].as_py()) == ("interrupted", 10)


def test_columns_of_only_some_logs_are_null_in_the_others(runs: Path) -> None:
    logs = sorted((runs / "cells").iterdir())[:2]
    path = logs[1] / "curves.parquet"
    pd.read_parquet(path).assign(new=1.0).to_parquet(path, index=False)
    curves = rows.read(logs)[0].to_pandas()
    assert curves.groupby("key", observed=True)["new"].count().tolist() == [0, len(STEPS)]


def test_values_of_several_sessions_are_taken_apart() -> None:
    processors = pd.Series(["AMD X 1; Intel Y 2", "AMD X 1"], name="processor")
    assert rows.single_values(processors) == ["AMD X 1", "Intel Y 2", "AMD X 1"]
    assert rows.single_values(pd.Series(["a b", "c"], name="commit")) == ["a", "b", "c"]
