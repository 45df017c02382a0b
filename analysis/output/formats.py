"""Tables as files: csv with plain numbers, md and tex with the numbers as people read them."""

import math

from analysis.stats.intervals import Interval
from analysis.stats.survival import ENOUGH


def number(value: float, decimals: int = 0, sign: str = "") -> str:
    """A number as people read it: thousands separated, – where there is none."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return ("−" if value < 0 else sign) + "∞"
    return f"{value:{sign},.{decimals}f}".replace("-", "−")


def bounded(value: float, followed: float, n: int, decimals: int = 0) -> str:
    """A median of n runs, or that it lies beyond what five of them were followed to: all of fewer,
    which it then says."""
    if value == math.inf:
        runs = f" ({n} run{'s' if n > 1 else ''})" if n < ENOUGH else ""
        return f"> {number(followed, decimals)}{runs}"
    return number(value, decimals)


def counted(reached: int, n: int, runs: int) -> str:
    """How many of n runs had an event, and of how many runs these n are: `3/3 of 6`."""
    return f"{reached}/{n}" + (f" of {runs}" if runs > n else "")


def interval(lower: float, upper: float, decimals: int = 0, sign: str = "") -> str:
    """`[lower, upper]`; nothing where there is no interval."""
    if math.isnan(lower):
        return ""
    return f"[{number(lower, decimals, sign)}, {number(upper, decimals, sign)}]"


def estimated(found: Interval, decimals: int = 0, sign: str = "") -> str:
    """An estimate with its interval, if it has one: `5,020 [1,200, 8,840]`."""
    ends = interval(found.lower, found.upper, decimals, sign)
    return f"{number(found.estimate, decimals, sign)} {ends}".rstrip()


def p_value(value: float) -> str:
    """Two digits; – for a test that was refused."""
    if math.isnan(value):
        return "–"
    return f"{value:.2g}" if value >= 1e-4 else f"{value:.0e}"
