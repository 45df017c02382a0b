"""Shares of runs, where some are not finished: they count once it is known what they show."""

import pandas as pd

from analysis.claims.findings import Finding
from analysis.papers.entropy.estimates.calibration import UNFINISHED
from analysis.runs.experiments import NotRun
from analysis.runs.tables import Tables
from analysis.stats import effects


def finished(runs: pd.DataFrame) -> pd.Series:
    """Whether each run, a row with its `state`, has come to its end."""
    return runs["state"] != UNFINISHED


def share(
    experiment: str,
    tables: Tables,
    runs: pd.DataFrame,
    shown: pd.Series,
    known: pd.Series,
    note: str = "",
) -> Finding:
    """Of `runs`, rows with `key`, those that show something, out of those that do or of which it is
    `known` that they do not; both are masks of these rows. Raises NotRun if nothing is known yet.
    """
    known = known | shown
    if not known.any():
        raise NotRun(f"{experiment}: no run is finished yet")
    k, n = int(shown.sum()), int(known.sum())
    waiting = f"{len(runs) - n} of {len(runs)} runs not finished" if n < len(runs) else ""
    said = "; ".join(part for part in (note, waiting) if part)
    return Finding(effects.proportion(k, n), n, tables.only(runs["key"][known]), k, said)
