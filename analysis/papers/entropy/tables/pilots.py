"""D3: errors of H̃* and of forecasts by the number of pilot seeds (Truong et al. 2026, Appendix
D.1)."""

import pandas as pd

from analysis.claims.arms import BASELINE, Runs
from analysis.output.formats import number
from analysis.papers.entropy.estimates.pilots import (
    law_error,
    mean_time_error,
    pilot_errors,
    reached,
    thresholds,
)


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """By the number of pilots: the error of H̃*, and of two forecasts of the time of the others, by
    the pilots' law in the entropy gap when half of it has passed, and by their mean time. Raises
    NotRun."""
    arm, keys = runs.arm(BASELINE), thresholds(runs).index
    times = arm.events("t_grok").set_index("key")["step"].reindex(keys).to_numpy(float)
    by_key = arm.curves()
    curves = [by_key[key] for key in keys]
    rows = [
        {
            "pilot seeds": str(pilots),
            "draws": str(len(level)),
            "error of H̃*, mean": number(float(level.mean()), 4),
            "95 % of draws up to": number(reached(level), 4),
            "law at half the time, mean error": f"{law_error(curves, times, pilots):.1%}",
            "mean time as a forecast, mean error": f"{mean_time_error(times, pilots):.1%}",
        }
        for pilots, level in pilot_errors(runs).items()
    ]
    return {"Pilot seeds": pd.DataFrame(rows)}
