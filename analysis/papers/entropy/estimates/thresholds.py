"""H̃*: the normalised spectral entropy at which runs grok (Truong et al. 2026, Observation 1)."""

import pandas as pd

from analysis.runs.tables import Tables
from analysis.times import timescales
from grokpipe.curves.events import ENTROPY


def at_grok(tables: Tables, column: str = ENTROPY) -> pd.Series:
    """H̃ (or another column) at T_grok, by the run's key; NaN in a run that was not seen to grok,
    and where H̃ is not defined (no more training pairs than dimensions). H̃* is the mean over the
    runs of an arm."""
    events = timescales.events(tables)
    events = events[events["event"] == "t_grok"]
    there = events[events["observed"].astype(bool)]
    values = there.merge(tables.curves[["key", "step", column]], on=["key", "step"])
    return values.set_index("key")[column].astype(float).reindex(events["key"])
