"""What a test of a hypothesis found, and how: the method is part of the result."""

import math
from dataclasses import dataclass

ALTERNATIVES = ("two-sided", "later", "earlier")
"""what the first arm's times may be, beside the second's: just different, later or earlier"""


@dataclass(frozen=True)
class TestResult:
    """A test's statistic and p-value; both are NaN where it was refused, and the method says why.

    `method` says how p was found ("exact, 252 labellings", "asymptotic").
    """

    __test__ = False  # its name is not a test for pytest to collect

    name: str
    statistic: float
    p: float
    alternative: str
    method: str


def refused(name: str, why: str, alternative: str = "two-sided") -> TestResult:
    """A test without an answer: nothing to compare."""
    return TestResult(name, math.nan, math.nan, alternative, f"refused: {why}")


def check_alternative(alternative: str) -> None:
    """Raises ValueError for a word that is not an alternative."""
    if alternative not in ALTERNATIVES:
        raise ValueError(f"alternative={alternative}: must be one of {', '.join(ALTERNATIVES)}")
