"""Tables as other programs write them, through the commands: right numbers, or one line.

Each is built here, and read from the shared inputs too where these lie beside the checkout.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from analysis.__main__ import main
from tests.helpers.broken_tables import again, without
from tests.helpers.foreign_tables import MEDIANS, Change, P, same, write

SHARED = Path(__file__).resolve().parents[4] / "shared" / "faults"


def numbered(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(key=table["key"].map(lambda key: int(key, 16)))


COMPARED = "compare_t_grok_by_weight_decay_baseline_0_1_Mann_Whitney"
RIGHT: dict[str, tuple[Change, Change]] = {
    "strstep": (same, lambda t: t.astype({"step": str})),
    "intkey": (numbered, numbered),
    "listcol": (lambda t: t.assign(**{"optimizer.betas": [[0.9, 0.98]] * len(t)}), same),
    "dupcells": (lambda t: pd.concat([t, t[:1]]), same),
    "order of columns": (lambda t: t[sorted(t)], lambda t: t[sorted(t, reverse=True)]),
    "decays in float32": (lambda t: t.astype({"weight_decay": "float32"}), same),
}
REFUSED: dict[str, tuple[Change, Change, str]] = {
    "percent": (
        same, lambda t: t.assign(test_accuracy=100 * t["test_accuracy"]),
        "curves.parquet: t.*_accuracy=10, key .*: must be within [0, 1]",
    ),
    "conflictcurves": (
        same, again(30, test_accuracy=0.1),
        "curves.parquet: key 0000000000000000, step 300 stands twice, with test_accuracy",
    ),
    "no_steps": (without("steps"), same, "cells.parquet: no column steps, needed for times"),
    "no_seed": (without("seed"), same, "cells.parquet: no column seed, needed for times"),
    "no_step": (same, without("step"), "curves.parquet: no column step; there are: key, "),
}  # fmt: skip


@pytest.fixture(params=["built", "shared"])
def source(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tables(source: str, tmp_path: Path) -> Callable[[str, Change, Change], Path]:
    """The folder of some tables, as built or as shared."""

    def found(name: str, of_cells: Change, of_curves: Change) -> Path:
        if source == "built":
            return write(tmp_path / name, of_cells, of_curves)
        if not (SHARED / name).is_dir():
            pytest.skip(f"needs the shared input {name}")
        (tmp_path / name).mkdir()
        for path in (SHARED / name).iterdir():
            shutil.copyfile(path, tmp_path / name / path.name)
        return tmp_path / name

    return found


def medians(folder: Path) -> dict[float, float]:
    assert main(["timescales", str(folder), "--event", "t_grok", "--by", "weight_decay"]) == 0
    table = pd.read_csv(folder / "tables" / "timescales_t_grok_by_weight_decay.csv")
    return dict(zip(table["weight_decay"], table["median"], strict=True))


@pytest.mark.parametrize("name", RIGHT)
def test_right_numbers(name: str, tables, capsys) -> None:
    folder = tables(name, *RIGHT[name])
    assert medians(folder) == MEDIANS
    compared = ["--event", "t_grok", "--by", "weight_decay", "--baseline", "0.1"]
    assert main(["compare", str(folder), *compared, "--test", "Mann–Whitney"]) == 0
    (p,) = pd.read_csv(folder / "tables" / f"{COMPARED}.csv")["p"].dropna()
    assert p == pytest.approx(P)
    said = capsys.readouterr().err
    assert ("1 row repeated with equal values: counted once" in said) == (name == "dupcells")


@pytest.mark.parametrize("name", REFUSED)
def test_one_line(name: str, tables, capsys) -> None:
    *changes, line = REFUSED[name]
    assert main(["timescales", str(tables(name, *changes)), "--by", "weight_decay"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    before, _, after = line.partition(".*")
    assert before in said and after.rpartition(".*")[2] in said


def test_without_classes_there_is_no_event_above_chance(tables, capsys) -> None:
    """The number of classes is chance, which one event alone depends on."""
    folder = tables("no_classes", without("classes"), same)
    assert medians(folder) == MEDIANS
    assert "tau2_rise" not in set(pd.read_csv(folder / "tables" / "events.csv")["event"])
    capsys.readouterr()
    assert main(["timescales", str(folder), "--event", "tau2_rise"]) == 2
    said = capsys.readouterr().err
    assert "tau2_rise: no run has it: the number of classes, and so chance, is not known" in said


def collided(cells: pd.DataFrame) -> pd.DataFrame:
    """One run in two with λ = 0.3 has the λ that 0.1 + 0.2 is."""
    other = (cells["weight_decay"] == 0.3) & (cells["seed"] % 2 == 1)
    return cells.assign(weight_decay=cells["weight_decay"].mask(other, 0.1 + 0.2))


def test_every_run_is_counted_where_two_values_are_written_alike(tables, source, capsys) -> None:
    folder = tables("floatcollide", collided, same)
    assert list(medians(folder)) == [0.3, 0.1]
    table = pd.read_csv(folder / "tables" / "timescales_t_grok_by_weight_decay.csv")
    assert table["n"].tolist() == ([5, 5] if source == "built" else [10, 5])
    assert "0.30000000000000004 of " in capsys.readouterr().err


def test_a_fraction_in_float32_is_the_fraction(tmp_path: Path, capsys) -> None:
    folder = write(
        tmp_path / "t",
        lambda t: t.assign(**{"task.fraction": pd.Series([0.2, 0.3] * 5, dtype="float32")}),
    )
    assert main(["timescales", str(folder), "--event", "t_grok", "--by", "task.fraction"]) == 0
    table = pd.read_csv(folder / "tables" / "timescales_t_grok_by_task_fraction.csv")
    assert table["task.fraction"].tolist() == [0.3, 0.2]
    assert "0.2000000" not in capsys.readouterr().out
