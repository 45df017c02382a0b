"""`export`: what is written is what the tables hold, and `adopt` reads it back."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.runs.adopt import sources
from analysis.runs.adopt.adopting import adopt
from analysis.runs.adopt.mapping import Map
from tests.helpers import foreign_tables


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    return foreign_tables.write(tmp_path / "tables")


def test_csv(tables: Path, capsys) -> None:
    assert main(["export", str(tables), "--to", "csv"]) == 0
    into = tables / "export" / "csv"
    assert str(into / "curves.csv") in capsys.readouterr().out
    expected = foreign_tables.curves().merge(
        foreign_tables.cells()[["key", "seed", "weight_decay", "lr"]], on="key"
    )
    got = pd.read_csv(into / "curves.csv", dtype={"key": str})
    pd.testing.assert_frame_equal(got[[*expected]], expected)
    cells = pd.read_csv(into / "cells.csv")
    assert cells["weight_decay"].tolist() == foreign_tables.cells()["weight_decay"].tolist()


def test_event_files_read_back(tables: Path, tmp_path: Path) -> None:
    into = tmp_path / "events"
    for _ in range(2):  # the second replaces the first
        assert main(["export", str(tables), "--to", "tensorboard", "--into", str(into)]) == 0
    assert len(list(into.iterdir())) == 10
    assert (into / "mnist_wd0.1_lr0.001_seed3-0000000000000003").is_dir()
    logs = sources.read(sources.find([str(into)]))
    back = adopt(logs, Map(), tmp_path / "back").tables
    cells = back.cells.sort_values(["weight_decay", "seed"])
    expected = foreign_tables.cells()
    for name in ("weight_decay", "seed", "steps", "classes", "task.name", "state"):
        assert cells[name].tolist() == expected[name].tolist()
    curves = back.spread(["weight_decay", "seed"]).curves
    curves = curves.sort_values(["weight_decay", "seed", "step"], ignore_index=True)
    for name, values in foreign_tables.curves().drop(columns="key").items():
        np.testing.assert_allclose(curves[name], values, rtol=1e-6)


def test_without_the_package_one_line_says_how_to_install_it(
    tables: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    assert main(["export", str(tables), "--to", "tensorboard"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "needs the package tensorboard: pip install 'grokpipe[tensorboard]'" in said


def test_a_file_in_the_way(tables: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "file").write_text("")
    assert main(["export", str(tables), "--to", "csv", "--into", str(tmp_path / "file")]) == 2
    assert "name another folder by --into FOLDER" in capsys.readouterr().err
