"""Labels of groups: every run in one, whatever its values are."""

import math

import pandas as pd

from analysis.times.labels import labelled, texts


def grouped(*values: object, dtype: object = None) -> dict[str, int]:
    """The labels of groups of runs with these values, and how many runs each has."""
    column = pd.Series(values, dtype=dtype)
    runs = pd.DataFrame({"key": [f"{run:04d}" for run in column.index], "seed": 0, "x": column})
    return {label: len(group) for label, group in labelled(runs, ["x"]).items()}


def test_no_group_is_lost_whatever_its_values_are() -> None:
    assert grouped(0.1, 0.3, 0.1 + 0.2, 0.3) == {
        "0.30000000000000004": 1, "0.3": 2, "0.1": 1
    }  # fmt: skip
    assert grouped(0.12345678, 0.12345679, 1e-4) == {"0.12345679": 1, "0.12345678": 1, "0.0001": 1}
    assert grouped(1 / 3, 0.001) == {"0.333333": 1, "0.001": 1}  # six digits tell them apart
    assert grouped("1", 1.0, 2.0, dtype=object) == {"1": 1, "1.0": 1, "2.0": 1}
    assert grouped(None, "none", dtype=object) == {"x='none'": 1, "x=none": 1}
    assert grouped(True, False, None, dtype=object) == {"False": 1, "True": 1, "none": 1}
    assert grouped(math.nan, 2.0, math.nan) == {"2": 1, "none": 2}


def test_groups_of_two_columns_keep_their_runs() -> None:
    x, y = ["a, b", "a", None, "a"], ["c", "b, c", "a", "c"]
    groups = labelled(pd.DataFrame({"key": list("abcd"), "seed": 0, "x": x, "y": y}), ["x", "y"])
    assert {label: group["key"].tolist() for label, group in groups.items()} == {
        "x=a, y=b, c": ["b"], "x=a, y=c": ["d"], "x=a, b, y=c": ["a"], "x=none, y=a": ["c"]
    }  # fmt: skip


def test_values_are_written_to_as_many_digits_as_tell_them_apart() -> None:
    assert texts([0.1, 300.0, None, "a", 7]) == {0.1: "0.1", 300: "300", "a": "a", 7: "7"}
