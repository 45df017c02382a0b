"""What our runs say of one quantity of a published claim, ready to be judged by its rule."""

from dataclasses import dataclass

from analysis.runs.tables import Tables
from analysis.stats.intervals import Interval


@dataclass(frozen=True)
class Finding:
    """A number with its interval over seeds, or k of n runs."""

    interval: Interval
    """of a share: Clopper & Pearson's"""
    runs: int
    """that it rests on"""
    tables: Tables | None
    """the runs behind it; None where there are none, as for a lemma tried on random matrices"""
    shown: int | None = None
    """of a share: in how many runs"""
    note: str = ""
    """what a reader must know beside the number, a clause without a full stop"""
    seeds: int | None = None
    """where runs of several arms are set against one another: how many seeds they share, which is
    what the interval counts"""
