"""Results of hypothesis tests, with the method by which p was computed, and families of tests."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

ALTERNATIVES = ("two-sided", "later", "earlier")
"""alternative hypotheses: the first arm's times differ from the second's, are later, or earlier"""


@dataclass(frozen=True)
class TestResult:
    """Statistic and p-value of a test; both are NaN if it was refused.

    `method` says how p was computed ("exact, 252 labellings", "200,000 permutations",
    "asymptotic"), or why the test was refused.
    """

    __test__ = False  # pytest must not collect the class for its name

    name: str
    statistic: float
    p: float
    alternative: str
    method: str
    least_p: float = field(default=math.nan, compare=False)
    """the smallest p that an exact test of these runs can have, whichever are whose; else NaN"""


def refused(name: str, why: str, alternative: str = "two-sided") -> TestResult:
    """Build the result of a test that cannot be made; `why` says why not."""
    return TestResult(name, math.nan, math.nan, alternative, f"refused: {why}")


def check_alternative(alternative: str) -> None:
    """Raise ValueError unless `alternative` is one of ALTERNATIVES."""
    if alternative not in ALTERNATIVES:
        raise ValueError(f"alternative={alternative}: must be one of {', '.join(ALTERNATIVES)}")


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Adjust p-values (m,) for all tests of a declared family (Holm 1979, step-down).

    A refused test (NaN) stays NaN but counts in the family as if its p were 1, since a test that
    could not be made must not strengthen the others. Raises ValueError outside [0, 1].
    """
    p = np.asarray(p, dtype=float)
    if ((p < 0) | (p > 1)).any():
        raise ValueError(f"p={p}: must be between 0 and 1")
    order = np.argsort(p)  # NaN comes last
    steps = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted
