"""Fisher's exact test of the shares of two arms' runs that had an event."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.stats.ranks import unjustified
from analysis.stats.survival import Times
from analysis.stats.testing import TestResult, check_alternative, refused

ROUNDING = 1e-7  # as scipy's, between equally likely tables
FEWER = {"two-sided": "two-sided", "later": "less", "earlier": "greater"}
"""scipy's names of the alternatives; `a` is later if fewer of its runs had the event"""


def fisher(
    a: Times, b: Times, budgets: Sequence[ArrayLike], alternative: str = "two-sided"
) -> TestResult:
    """Fisher's exact test (1935) of the number of runs that had the event; `budgets` are those of
    each arm, one number or one per run.

    The statistic is the share of `a` less that of `b`. It does not see when runs had the event: for
    arms of which one mostly has it and the other mostly not. p is hypergeometric given both totals;
    two-sided, of all tables no likelier than this one.

    Refused as the rank tests are where budgets differ or a run was not followed far enough, and
    where all runs had the event or none did.
    """
    check_alternative(alternative)
    if why := unjustified([a, b], budgets):
        return refused("Fisher", why, alternative)
    if len(np.unique(np.concatenate([a.observed, b.observed]))) == 1:
        which = "every" if a.observed[0] else "no"
        return refused("Fisher", f"{which} run had the event", alternative)
    table = [[int(arm.observed.sum()), int((~arm.observed).sum())] for arm in (a, b)]
    p = float(stats.fisher_exact(table, alternative=FEWER[alternative]).pvalue)
    had, n = table[0][0] + table[1][0], len(a) + len(b)
    chances = stats.hypergeom(n, had, len(a)).pmf(
        np.arange(max(0, had - len(b)), min(had, len(a)) + 1)
    )
    ends = {"later": chances[0], "earlier": chances[-1]}
    rarest = chances[chances <= chances.min() * (1 + ROUNDING)].sum()
    least = float(ends.get(alternative, rarest))
    difference = float(a.observed.mean() - b.observed.mean())
    how = "exact, hypergeometric"
    return TestResult("Fisher", difference, min(p, 1.0), alternative, how, least)
