"""Estimates with their intervals and the methods of these."""

import math
from dataclasses import dataclass

CONFIDENCE = 0.95
ENOUGH = 5
"""number of runs that bound the median from below: it precedes all five with 0.5⁵ < 5 %"""
FEW = 20
"""number of runs below which methods are chosen by their simulated coverage (docs/statistics.md)"""


@dataclass(frozen=True)
class Interval:
    """An estimate, the ends of its interval, and the interval's method.

    An end that the data do not bound is infinite. Both ends are NaN where there is no interval; the
    method then says why.
    """

    estimate: float
    lower: float
    upper: float
    method: str

    def columns(self, name: str) -> dict[str, float | str]:
        """Convert to columns of a table: name, name_lower, name_upper, name_method."""
        return {
            name: self.estimate,
            f"{name}_lower": self.lower,
            f"{name}_upper": self.upper,
            f"{name}_method": self.method,
        }

    @property
    def bounded(self) -> bool:
        """Whether both ends are finite."""
        return math.isfinite(self.lower) and math.isfinite(self.upper)


def none(estimate: float, why: str) -> Interval:
    """Build an estimate without an interval; `why` becomes its method."""
    return Interval(estimate, math.nan, math.nan, f"none: {why}")
