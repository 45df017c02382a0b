"""Table 2 of Sakamoto & Sato (2026): when RNC1 and redundant information fall, by decay. The paper
has onsets in words; these are half-changes, which need no threshold."""

from dataclasses import replace

import pandas as pd

from analysis.claims.arms import Arm, Runs
from analysis.papers.collapse.estimates.information import COMPRESSION, NHSIC
from analysis.papers.collapse.estimates.lags import log_lag
from analysis.papers.collapse.tables._rows import factor, of_runs
from analysis.runs.experiments import NotRun
from analysis.times import median_table, timescales
from grokpipe.curves.conditions import HalfChange
from grokpipe.curves.events import RNC1

COLUMNS = {
    "test_accuracy": "test accuracy",
    RNC1: "RNC1",
    NHSIC: "nHSIC",
    "information/nhsic_difference_scaled": "nHSIC, features scaled",
    COMPRESSION: "compression",
    "information/compression_5nn_difference": "compression, 5 neighbours",
}


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """Medians of half-changes with intervals, all of them read at snapshots, and their ratios to
    RNC1's. Raises NotRun without information measures."""
    arm = runs.arm("decays")
    columns = {name: said for name, said in COLUMNS.items() if name in arm.tables.curves}
    if not columns.keys() & {*list(COLUMNS)[2:]}:
        raise NotRun("decays: no information measure was taken from its snapshots yet")
    known = arm.tables.curves[[*list(columns)[2:]]].notna().any(axis=1)
    dense = {name: arm.tables.curves[name].where(known) for name in list(columns)[:2]}
    at_snapshots = replace(arm.tables, curves=arm.tables.curves.assign(**dense))
    halves = {str(HalfChange(name, False)): said for name, said in columns.items()}
    events = timescales.events(at_snapshots, list(halves), named=[])
    medians = timescales.timescales(events, ["weight_decay"], runs=arm.tables.cells)
    names = {"weight_decay": "λ", **halves}
    shown = median_table.wide(medians, ["weight_decay"]).rename(columns=names)
    rows = [_ratios(runs, one, f"{value:g}", columns)
            for value, one in runs.divided("decays").items()]  # fmt: skip
    return {
        "Table 2: half-changes at snapshots, steps": shown,
        "Table 2: half-changes over RNC1's, a mean of ratios": pd.DataFrame(rows[::-1]),
    }


def _ratios(runs: Runs, arm: Arm, decay: str, columns: dict[str, str]) -> dict[str, str]:
    row, n = {"λ": decay}, len(arm.tables.cells)
    for column, said in columns.items():
        if column != RNC1:
            logs = of_runs(arm, lambda curve, to=column: log_lag(curve, RNC1, to))  # type: ignore[misc]
            row[f"{said} [95 %]"] = factor(logs, runs, n)
    return row
