"""Large tables as csv: letter by letter what pandas writes."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis.output import csv
from analysis.output.csv import csv_text

DRAWS = np.random.default_rng(0)


def drawn(*values: object) -> list[object]:
    return [values[at] for at in DRAWS.integers(0, len(values), csv.MANY)]


TABLES = {
    "numbers": {
        "a": DRAWS.random(csv.MANY), "b, c": drawn(1, 2, 10**17),
        "d": drawn(0.1 + 0.2, 1e-7, 1e22, 400.0, math.inf, -math.inf, math.nan),
        "e": drawn(True, False), "f": np.float32(DRAWS.random(csv.MANY)),
    },
    "words": {
        "a": drawn("x", 'say "x"', "x, y", "", None), "b": drawn("[0.9, 0.98]", ",0", "τ"),
        "c": pd.Categorical(drawn("u", "v")), "d": drawn(True, None, False),
    },
    "several types": {"a": drawn(1, True, "1", 1.0)},
    "lines": {"a": drawn("x\ny", "x,0\ny", "z")},
    "nothing": {"a": [math.nan] * csv.MANY, "b": [None] * csv.MANY},
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("rows", [0, 5, csv.MANY])
def test_the_text_is_that_of_pandas(name: str, rows: int) -> None:
    table = pd.DataFrame(TABLES[name])[:rows]
    assert csv_text(table) == table.to_csv(index=False)
