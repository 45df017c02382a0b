"""An estimate: what the runs give for one quantity of a claim, ready to be judged by its rule."""

from dataclasses import dataclass
from typing import Literal

from analysis.runs.tables import Tables
from analysis.stats.intervals import Interval

Scale = Literal["linear", "log"]


@dataclass(frozen=True)
class Estimate:
    """A number with its interval over seeds, or k of n runs, and the runs behind it."""

    interval: Interval
    """Clopper & Pearson's for a share"""
    runs: int
    """number of runs that the estimate rests on"""
    tables: Tables | None
    """the runs behind it; None where there are none, as for a lemma tried on random matrices"""
    shown: int | None = None
    """for a share: number of runs that show the property"""
    note: str = ""
    """a fact about n or censoring that a reader must know, a clause without a full stop"""
    seeds: int | None = None
    """where runs of several arms are compared: number of seeds that they share, which is what the
    interval counts"""
    scale: Scale = "linear"
    """log: a ratio, whose interval is symmetrical on the logarithmic scale"""
