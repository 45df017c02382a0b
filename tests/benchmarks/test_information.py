"""The biases that docs/information.md prints are those of the code."""

import math

import pandas as pd
import pytest

from benchmarks.information import FILE, REPLICATIONS, cases, rows

STORED = pd.read_csv(FILE).set_index(["estimator", "dimensions", "true", "n"])


def test_every_case_is_stored() -> None:
    names = {
        "pair": ("compression", "compression_5nn"),
        "channel": ("conditional", "conditional_lower", "conditional_upper"),
    }
    expected = {(name, d, true, n) for kind, d, true, n, _ in cases(1) for name in names[kind]}
    assert set(STORED.index) == expected
    assert (STORED["replications"] == REPLICATIONS).all()


@pytest.mark.parametrize(
    "case", [("pair", 4, 3.32, 1000), ("pair", 1, 7.83, 1000), ("channel", 10, 3.32, 300)]
)
def test_the_code_errs_as_stored(case: tuple[str, int, float, int]) -> None:
    """Three draws, the first of the stored ten; four standard errors of both."""
    for row in rows((*case, 3)):
        stored = STORED.loc[(row["estimator"], *case[1:])]
        error = stored["sd"] * math.sqrt(1 / 3 + 1 / REPLICATIONS)
        assert row["bias"] == pytest.approx(stored["bias"], abs=4 * error), row


def test_five_neighbours_err_less_at_the_size_of_the_columns() -> None:
    """As the notes on the paper have it: sd 0.15 to 0.22 against 0.03 at most, n = 10,000."""
    of_size = STORED.xs((4, 10_000), level=("dimensions", "n"))
    five, released = of_size.loc["compression_5nn"], of_size.loc["compression"]
    assert (five["sd"] < 0.03).all() and (five["bias"].abs() < 0.05).all()
    assert (released["sd"] > 0.08).all()
