"""E4 and E5: laws of the time left, and forecasts of T_grok that leave one seed out, beside the two
that need no law (Truong et al. 2026, sections 7 and 8, Table 2)."""

import pandas as pd

from analysis.claims.arms import BASELINE, Runs
from analysis.claims.estimators.laws import forecasts, law_table
from analysis.forecasting import forecasts as made
from analysis.forecasting import gap_laws
from analysis.runs.experiments import NotRun


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """Table 2, every predictor's law; errors and lead times of the three forecasts, and how often
    the law's intervals held. Raises NotRun."""
    laws = gap_laws.readable(law_table(runs, BASELINE)).drop(columns=["runs"])
    shown = {"Table 2: laws of the steps until grokking": laws}
    try:
        long = forecasts(runs, BASELINE)
    except NotRun:
        return shown
    held = made.readable_coverage(made.coverage(long))
    return shown | {
        "Forecasts that leave one seed out": made.readable_errors(made.errors(long)),
        "Intervals of these forecasts": held,
    }
