"""Fisher's exact test against the counting of all labellings."""

import math
from itertools import combinations

import numpy as np
import pytest

from analysis.stats.shares import fisher
from analysis.stats.survival import Times
from analysis.stats.testing import ALTERNATIVES, TestResult

BUDGETS = (100.0, 100.0)


def arm(had: int, n: int, budget: float = 100.0) -> Times:
    observed = np.arange(n) < had
    return Times(np.where(observed, 10.0, budget), observed)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize(
    ("first", "second"), [((0, 5), (5, 5)), ((1, 4), (4, 6)), ((3, 5), (2, 4))]
)
def test_by_all_labellings(
    first: tuple[int, int], second: tuple[int, int], alternative: str
) -> None:
    a, b = arm(*first), arm(*second)
    had = np.append(a.observed, b.observed)
    counts = np.array([had[list(of)].sum() for of in combinations(range(len(had)), len(a))])
    chance = np.bincount(counts, minlength=len(had) + 1) / len(counts)
    seen = a.observed.sum()
    expected = {
        "later": chance[: seen + 1].sum(),
        "earlier": chance[seen:].sum(),
        "two-sided": chance[chance <= chance[seen] * (1 + 1e-9)].sum(),
    }[alternative]
    found = fisher(a, b, BUDGETS, alternative)
    assert found == TestResult(
        "Fisher", a.observed.mean() - b.observed.mean(), pytest.approx(expected), alternative,
        "exact, hypergeometric",
    )  # fmt: skip
    possible = [fisher(arm(k, len(a)), arm(int(had.sum()) - k, len(b)), BUDGETS, alternative).p
                for k in range(len(a) + 1) if 0 <= had.sum() - k <= len(b)]  # fmt: skip
    assert found.least_p == pytest.approx(min(possible))


def test_none_of_five_against_all_of_five() -> None:
    assert fisher(arm(0, 5), arm(5, 5), BUDGETS).p == pytest.approx(2 / 252)


def test_refusals() -> None:
    for a, b, budgets, why in (
        (arm(2, 3), arm(1, 3, 500), (100, 500), "a run is censored and budgets go from 100 to 500"),
        (arm(2, 3, 5), arm(1, 3), BUDGETS, "a run was followed to 5 only"),
        (arm(3, 3), arm(2, 2), BUDGETS, "every run had the event"),
        (arm(0, 3), arm(0, 2), BUDGETS, "no run had the event"),
    ):
        found = fisher(a, b, budgets)
        assert found.method.startswith(f"refused: {why}") and math.isnan(found.p)
