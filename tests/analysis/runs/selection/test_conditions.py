"""Conditions on columns: how they are written, what they match, and what is said of wrong ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.runs.selection.conditions import choose, chosen, parse, stated, written
from analysis.runs.tables import Tables
from grokpipe.errors import InputError

CELLS = pd.DataFrame(
    {
        "key": ["0000000000000001", "0000000000000002", "1e5", "100000"],
        "state": ["done", "diverged", "done", "interrupted"],
        "task.name": ["mod_add", "mod_mul", "mod_add", "s5"],
        "intervention.name": ["none", "mixing", "mixing", "none"],
        "intervention.alpha": [np.nan, 0.3, -0.1, np.nan],
        "optimizer.betas": ["[0.9, 0.98]", "[0.9, 0.999]", "[0.9, 0.98]", "[0.9, 0.98]"],
        "stop.event": [None, "test_accuracy>=0.9", "t_grok", None],
        "tf32": [True, False, False, False],
        "lr": [0.001, 0.003, 0.001, 0.123456789],
        "steps": [3000, 8000, 8000, 3000],
        "mixed": ["0.30", "words", "true", None],
        "seed": [0, 1, 2, 3],
    }
)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("lr=0.001", [0, 2]), ("lr=1e-3", [0, 2]), ("lr==.001", [0, 2]), (" lr = 0.0010 ", [0, 2]),
        ("lr=0.123457", [3]),  # as tables print it
        ("lr=0.12", None), ("lr=0.0010000001", None),
        ("steps=8000.0", [1, 2]), ("steps=3e3,seed<3", [0]), ("lr=0.001|0.003", [0, 1, 2]),
        ("lr!=0.001|0.003", [3]), ("seed>=1,seed<3", [1, 2]), ("seed<=1", [0, 1]), ("seed>2", [3]),
        ("optimizer.betas=[0.9,0.98]", [0, 2, 3]), ("optimizer.betas=[.9, 0.999],seed=1", [1]),
        ("optimizer.betas!=[0.9, 0.98]", [1]), ("optimizer.betas='[0.9, 0.98]'", [0, 2, 3]),
        ("task=mod_add", [0, 2]), ("task.name='mod_add'", [0, 2]), ("task!=s5", [0, 1, 2]),
        ("intervention=none", [0, 3]), ("intervention.alpha=null", [0, 3]),
        ("intervention.alpha=nan", [0, 3]), ("intervention.alpha=none", [0, 3]),
        ("intervention.alpha!=0.3", [0, 2, 3]), ("intervention.alpha<0", [2]),
        ("intervention.alpha>-1", [1, 2]), ("tf32=true", [0]), ("tf32=False", [1, 2, 3]),
        ("tf32=1", None), ("state=done", [0, 2]), ("key=1e5", [2]), ("key=1", None),
        ("stop.event=test_accuracy>=0.9", [1]), ("mixed=0.3", [0]), ("mixed=True", [2]),
        ("mixed=null", [3]),
    ],
)  # fmt: skip
def test_a_value_matches_however_it_is_written(text: str, rows: list[int] | None) -> None:
    if rows is None:
        with pytest.raises(InputError, match=r"no run; .* has "):
            chosen(CELLS, parse(text))
    else:
        assert chosen(CELLS, parse(text)).index.tolist() == rows


@pytest.mark.parametrize("column", CELLS.columns)
def test_each_value_is_matched_as_it_is_printed_and_as_it_is_written_in_an_error(column) -> None:
    for value in CELLS[column]:
        same = CELLS[column].isna() if pd.isna(value) else CELLS[column] == value
        for text in {written(value), str(value)}:
            condition = stated(column, text) if text[:1] not in "<>!" else None
            assert condition and condition.matches(CELLS[column]).tolist() == same.tolist(), text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lr", "--where lr: not a condition; valid: column=value"),
        ("lr~3", "--where lr~3: not a condition"),
        ("lr=>3", "--where lr=>3: not a condition"),
        ("lr=", "--where lr=: not a condition"),
        ("", "--where : an empty condition"),
        ("lr=1,", "--where lr=1,: an empty condition"),
        ("lr=0.001,0.003", "--where 0.003: not a condition; .*lr=0.001|0.003"),
        ("lr=0.001|", "--where lr=0.001|: a value is missing"),
        ("lr<0.001|2", "--where lr<0.001|2: must compare with one number"),
        ("lr<abc", "--where lr<abc: must compare with one number"),
        ("optimizer.betas=[0.9, 0.98", "a bracket is not closed"),
        ("task='mod", "a quote is not closed"),
        ("task<3", "--where task<3: task.name has no numbers to compare: mod_add, mod_mul, s5"),
        ("tf32<1", "tf32 has no numbers to compare: false, true"),
        ("seed=7", "--where seed=7: no run; seed has 0, 1, 2, 3"),
        ("steps=3000,lr=0.003",
         "--where lr=0.003: no run of those with steps=3000; lr has 0.001, 0.123456789"),
        ("weigth=3", "--where weigth=3: no such column; valid: key, state"),
        ("intervention.alhpa=3", "no such column; nearest: intervention.alpha"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(text: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        chosen(CELLS, parse(text))
    for part in said.split(".*"):
        assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_the_runs_that_are_left_are_counted() -> None:
    curves = pd.DataFrame({"key": CELLS["key"], "step": 0})
    every = Tables(curves, CELLS, Path("x"), ("first",))
    left = choose(every, parse("seed>0,lr=1e-3"))
    assert left.cells["seed"].tolist() == [2] and left.curves["key"].tolist() == ["1e5"]
    assert left.notes == ("first", "note: --where seed>0,lr=1e-3: 1 of 4 runs")
    assert choose(every, ()) is every


def test_a_claims_file_states_the_same() -> None:
    column = CELLS["intervention.alpha"]
    for wanted, text in ((0.3, "=0.3"), ("< 0", "<0"), ("!= 0.3", "!=0.3"), (None, "=null")):
        (condition,) = parse(f"intervention.alpha{text}")
        stated_so = stated("intervention.alpha", wanted)
        assert stated_so.matches(column).tolist() == condition.matches(column).tolist()
    with pytest.raises(InputError, match="< mod_mul: must compare with a number"):
        stated("task.name", "< mod_mul")
