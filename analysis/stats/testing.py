"""Results of hypothesis tests, with the method by which p was computed."""

import math
from dataclasses import dataclass, field

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
