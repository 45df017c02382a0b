"""Format numbers, intervals and p-values for people."""

import math

from analysis.stats.intervals import ENOUGH, Interval


def number(value: float, decimals: int = 0, sign: str = "") -> str:
    """Format a number with thousands separated; – for NaN."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return ("−" if value < 0 else sign) + "∞"
    return f"{value:{sign},.{decimals}f}".replace("-", "−")


def bounded(value: float, followed: float, n: int, decimals: int = 0) -> str:
    """Format a median of n runs, or its lower bound `> …` if it is infinite.

    `followed` is the bound, to which at least five of the runs were followed; with fewer runs, all
    of them, and their number is then added.
    """
    if value == math.inf:
        runs = f" ({n} run{'s' if n > 1 else ''})" if n < ENOUGH else ""
        return f"> {number(followed, decimals)}{runs}"
    return number(value, decimals)


def counted(reached: int, n: int, runs: int) -> str:
    """Format how many of n runs had an event, n themselves a part of all `runs`: `3/3 of 6`."""
    return f"{reached}/{n}" + (f" of {runs}" if runs > n else "")


def interval(lower: float, upper: float, decimals: int = 0, sign: str = "") -> str:
    """Format `[lower, upper]`; empty where there is no interval."""
    if math.isnan(lower):
        return ""
    return f"[{number(lower, decimals, sign)}, {number(upper, decimals, sign)}]"


def estimated(value: Interval, decimals: int = 0, sign: str = "") -> str:
    """Format an estimate with its interval, if it has one: `5,020 [1,200, 8,840]`."""
    ends = interval(value.lower, value.upper, decimals, sign)
    return f"{number(value.estimate, decimals, sign)} {ends}".rstrip()


def ranged(lower: float, upper: float, level: float, decimals: int = 0) -> str:
    """Format order statistics with their exact level: `300 – 340 (93.8 %)`; – for none."""
    if math.isnan(level):
        return "–"
    return f"{number(lower, decimals)} – {number(upper, decimals)} ({100 * level:.1f} %)"


def p_value(value: float) -> str:
    """Format a p-value with two digits; – for a test that was refused."""
    if math.isnan(value):
        return "–"
    return f"{value:.2g}" if value >= 1e-4 else f"{value:.0e}"
