"""Values that only rounding tells apart."""

import numpy as np
import pandas as pd

from analysis.runs.checks.near import merged


def test_what_is_equal_to_12_digits_is_one_value_and_is_told_once() -> None:
    values = [0.1, 0.3, 0.1 + 0.2, 0.30000000001, np.nan]
    cells = pd.DataFrame({"a": values, "b": values, "seed": [0, 1, 2, 3, 4]})
    one, notes = merged(cells, ["a", "b", "seed"])
    np.testing.assert_array_equal(one["a"], [0.1, 0.3, 0.3, 0.30000000001, np.nan])
    assert notes == [
        "note: a, b: 0.30000000000000004 of 1 runs is taken for 0.3, equal to 12 digits"
    ]
    assert cells["a"][2] == 0.1 + 0.2  # the table that was handed in stays


def test_whole_numbers_are_never_alike() -> None:
    cells = pd.DataFrame({"seed": [10**15, 10**15 + 1]})
    assert merged(cells, ["seed"])[0]["seed"].tolist() == [10**15, 10**15 + 1]
