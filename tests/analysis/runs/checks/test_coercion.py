"""Columns in the types of our own tables: against NumPy's own shortest texts, and by hand."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from analysis.runs.checks import coercion
from analysis.runs.checks.coercion import plain, shortest


@pytest.mark.parametrize("width", [np.float32, np.float16])
def test_the_shortest_decimal_is_the_one_that_numpy_prints(width) -> None:
    draws = np.random.default_rng(0)
    wide = np.concatenate(
        [draws.random(2000), -(10 ** draws.uniform(-44, 38, 2000)), [0, 1, 0.2, np.nan, np.inf]]
    )
    with np.errstate(over="ignore", under="ignore"):
        narrow = wide.astype(width)
    np.testing.assert_array_equal(shortest(narrow), [float(str(value)) for value in narrow])


def column(values: object, kind: pa.DataType | None = None) -> list[object]:
    return plain(pa.chunked_array([pa.array(values, kind)])).tolist()


def test_values_stay_and_types_become_ours() -> None:
    assert column([0.2, 0.98], pa.float32()) == [0.2, 0.98]
    assert column([[0.9, 0.98], None, [1, 0]], pa.list_(pa.float32())) == [
        "[0.9, 0.98]", None, "[1.0, 0.0]"
    ]  # fmt: skip
    assert column([[1, 2]]) == ["[1, 2]"] and column([["a"], []]) == ["[a]", "[]"]
    assert column([Decimal("0.10"), Decimal("3.00")]) == [0.1, 3]
    assert column(pa.array(["a", "b", "a"]).dictionary_encode()) == ["a", "b", "a"]
    assert column([True, None]) == [True, None]
    assert column([b"ab"]) == ["ab"] and column([{"x": 1}]) == ["{'x': 1}"]


@pytest.mark.parametrize(
    "texts, numbers",
    [
        (["10", "9", "1000"], [10, 9, 1000]),
        (["0.1", "3e-4"], [0.1, 3e-4]),
        (["9007199254740993"], [2**53 + 1]),  # which no float is
    ],
)
def test_numbers_as_text_are_numbers(texts, numbers) -> None:
    assert column(texts) == numbers


@pytest.mark.parametrize("texts", [["none", "none"], ["0.1", "high"], ["", "nan"], ["1", "inf"]])
def test_words_stay_words(texts) -> None:
    assert column(texts) == texts


def test_what_is_missing_among_numbers_is_missing() -> None:
    values = plain(pa.chunked_array([pa.array(["0.5", "", "nan", None])]))
    assert values.isna().tolist() == [False, True, True, True] and values[0] == 0.5


def test_whole_numbers_and_what_is_none() -> None:
    values = [0.0, 3.0, 0.5, np.nan, np.inf, 1e300]
    numbers, wrong = coercion.whole(pd.Series(values))
    assert wrong.tolist() == [False, False, True, True, True, True]
    assert numbers[~wrong].tolist() == [0, 3] and numbers.dtype == np.int64
    assert coercion.whole(pd.Series(["a", True, None, 4], dtype=object))[1].tolist() == [
        True, True, True, False
    ]  # fmt: skip
    assert coercion.whole(pd.Series([2**63, 1], dtype=np.uint64))[1].tolist() == [True, False]
    assert coercion.whole(pd.Series([True, False]))[1].all()
