"""An estimate with its interval, and how the interval was made."""

import math
from dataclasses import dataclass

CONFIDENCE = 0.95
FEW = 20
"""runs below which the methods are chosen by their simulated coverage (docs/statistics.md)"""


@dataclass(frozen=True)
class Interval:
    """An estimate, the ends of its interval, and the method, which is part of the result.

    An end may be infinite: the data do not bound it. Both are NaN where there is no interval; then
    the method says why.
    """

    estimate: float
    lower: float
    upper: float
    method: str

    def columns(self, name: str) -> dict[str, float | str]:
        """As columns of a table: name, name_lower, name_upper, name_method."""
        return {
            name: self.estimate,
            f"{name}_lower": self.lower,
            f"{name}_upper": self.upper,
            f"{name}_method": self.method,
        }

    @property
    def bounded(self) -> bool:
        return math.isfinite(self.lower) and math.isfinite(self.upper)


def none(estimate: float, why: str) -> Interval:
    """An estimate without an interval."""
    return Interval(estimate, math.nan, math.nan, f"none: {why}")
