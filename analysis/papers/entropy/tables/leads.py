"""E1: how long before grokking the entropy crosses H̃*, and how long before it falls (Truong et al.
2026, Observation 1 and section 5, which take the two for one)."""

import pandas as pd

from analysis.claims.arms import BASELINE, Runs
from analysis.claims.estimators.times import leads
from analysis.output.formats import number

EVENTS = {
    "t_mem": "T_mem", "t_collapse": "T_collapse", "t_collapse_last": "T_collapse, last",
    "t_cross": "T_cross",
}  # fmt: skip
COARSE = 200
"""steps between evaluations in the paper's text; its counts of points mean 100"""


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """Times and leads seed by seed, at both gaps between evaluations. Raises NotRun."""
    shown = {}
    for gap, looked_at in (("100", runs), (f"{COARSE}", runs.every(COARSE))):
        arm = looked_at.arm(BASELINE)
        found = {event: leads(arm, event) for event in EVENTS}
        first = found["t_mem"]
        columns = {"seed": first["seed"].astype(str), "T_grok": first["step"].map(number)}
        columns |= {title: found[event]["event"].map(number) for event, title in EVENTS.items()}
        columns |= {
            f"lead of {EVENTS[event]}": found[event]["lead"].map(number)
            for event in ("t_collapse", "t_collapse_last", "t_cross")
        }
        table = pd.DataFrame(columns).reset_index(drop=True)
        shown[f"Times and leads by seed, evaluated every {gap} steps"] = table
    return shown
