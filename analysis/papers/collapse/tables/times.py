"""Table 1 of Sakamoto & Sato (2026): when the training set is fitted, test accuracy rises and
features collapse, by decay. τ2 is read in four ways: the paper's "begins to rise" leaves them
open."""

from contextlib import suppress

import pandas as pd

from analysis.claims.arms import Arm, Runs
from analysis.output.formats import number
from analysis.papers.collapse.estimates.curves import last_unfitted
from analysis.papers.collapse.tables._rows import of_runs
from analysis.runs.experiments import NotRun
from analysis.times import median_table
from analysis.times.timescales import timescales

ARMS = ("decays", "longer", "released", "fashion", "fashion_3000")
EVENTS = (
    "tau1 tau2_rise tau2_half tau2_most tau2_arrive tau_rnc1@0.2 tau_rnc1@0.1 tau_rnc1_half"
).split()


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """Medians (Kaplan–Meier) with intervals, a table for each arm that was run. Raises NotRun if
    none was."""
    found = {f"Table 1: times, {arm.label}": _medians(arm) for arm in runs.there(ARMS).values()}
    with suppress(NotRun):
        found["Table 1: the last step below a training accuracy of 1"] = _unfitted(runs)
    return found


def _medians(arm: Arm) -> pd.DataFrame:
    assert arm.by is not None
    rows = pd.concat([arm.events(event) for event in EVENTS], ignore_index=True)
    table = timescales(rows, [arm.by], runs=arm.tables.cells)
    return median_table.wide(table, [arm.by]).rename(columns={arm.by: "λ"})


def _unfitted(runs: Runs) -> pd.DataFrame:
    rows = []
    for value, arm in runs.divided("decays").items():
        steps = of_runs(arm, last_unfitted)
        if len(steps):
            row = {"λ": f"{value:g}", "runs": str(len(steps)), "least": number(steps.min())}
            rows.append(row | {"median": number(steps.median()), "largest": number(steps.max())})
    if not rows:
        raise NotRun("decays: no run is finished yet")
    return pd.DataFrame(rows[::-1])
