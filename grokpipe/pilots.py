"""Pilot runs: the entropy at which they grokked and the law of the time left, for the monitor of
another run (Truong et al. 2026, Appendix D.1)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from grokpipe import ledger, runlog
from grokpipe.curves.events import CROSSINGS, ENTROPY
from grokpipe.curves.forecast import Forecaster, calibrate
from grokpipe.curves.gap import pool
from grokpipe.errors import InputError

COLUMNS = ("step", "test_accuracy", ENTROPY)
CURVES = "curves.parquet"


@dataclass(frozen=True)
class Pilots:
    """What runs that differ in the seed alone told."""

    threshold: float
    """H̃*: mean H̃ at T_grok over the runs that grokked"""
    lower: float
    """of its 95 % interval by Student's t; NaN for one run"""
    upper: float
    runs: int
    """that grokked"""
    never: int
    """that did not"""
    forecaster: Forecaster | None
    """the power law of the time left, with its errors; None for fewer than three runs"""


def read_pilots(folder: Path, where: Mapping[str, object]) -> Pilots:
    """Of a folder of run logs or of gathered tables, the runs whose configuration has the values of
    `where`, by dotted name. Raises InputError as `SpectralEntropyMonitor.calibrate` says."""
    curves, configurations = _read(folder)
    chosen = _chosen(configurations, where, folder)
    differing = [
        name
        for name in chosen
        if name != "seed" and chosen[name].astype(str).nunique(dropna=False) > 1
    ]
    if differing:
        name = min(differing, key=lambda name: (name.count("."), name))
        values = " | ".join(sorted(chosen[name].astype(str).unique()))
        raise InputError(
            f"{folder}: the runs differ in {', '.join(differing)}; choose one arm by where, such "
            f"as {name}: {values}"
        )
    gaps, levels, never = [], [], 0
    for key in chosen.index:
        step, accuracy, entropy = (curves[key][name] for name in COLUMNS)
        reached = CROSSINGS["t_grok"].reached(accuracy)
        if not reached.any():
            never += 1
            continue
        at = int(reached.argmax())
        levels.append(float(entropy[at]))
        gaps.append((entropy[: at + 1], float(step[at]) - step[: at + 1]))
    if not levels or np.isnan(levels).any():
        raise InputError(
            f"{folder}: of {len(chosen)} runs {len(levels)} grokked with a defined entropy; "
            "calibration needs one at least"
        )
    mean, half = float(np.mean(levels)), np.nan
    if len(levels) > 1:
        half = float(stats.t.ppf(0.975, len(levels) - 1) * stats.sem(levels))
    made = calibrate(pool(*zip(*gaps, strict=True))) if len(levels) > 2 else None
    return Pilots(mean, mean - half, mean + half, len(levels), never, made)


def _read(folder: Path) -> tuple[dict[str, dict[str, np.ndarray]], pd.DataFrame]:
    """Columns by key, and configurations: a row per key."""
    if ledger.cells_folder(folder).is_dir():
        curves, rows = {}, {}
        for key, log in _logs(folder):
            columns = runlog.read_columns(log, COLUMNS)
            if len(columns) == len(COLUMNS):
                curves[key], rows[key] = columns, runlog.read_scientific(log)
        return curves, pd.DataFrame.from_dict(rows, orient="index")
    if not (folder / CURVES).exists():
        raise InputError(f"{folder}: neither run logs (a folder cells/) nor gathered tables")
    table = pd.read_parquet(folder / CURVES)
    if missing := [name for name in COLUMNS if name not in table]:
        raise InputError(f"{folder}: the runs did not measure {missing[0]}")
    cells = pd.read_parquet(folder / "cells.parquet").set_index("key")
    configuration = [name for name in cells if name in table or name == "seed"]
    by_key = {
        str(key): {name: curve[name].to_numpy() for name in COLUMNS}
        for key, curve in table.sort_values("step").groupby("key")
    }
    return by_key, cells.loc[[*by_key], configuration]


def _logs(folder: Path) -> Iterator[tuple[str, Path]]:
    for log in sorted(ledger.cells_folder(folder).iterdir()):
        if runlog.is_run_log(log):
            yield log.name, log


def _chosen(
    configurations: pd.DataFrame, where: Mapping[str, object], folder: Path
) -> pd.DataFrame:
    if configurations.empty:
        raise InputError(f"{folder}: no run with an evaluation of {ENTROPY}")
    for name, value in where.items():
        if name not in configurations:
            raise InputError(f"where {name}: no such key; valid: {', '.join(configurations)}")
        kept = configurations[configurations[name].astype(str) == str(value)]
        if kept.empty:
            valid = " | ".join(sorted(configurations[name].astype(str).unique()))
            raise InputError(f"where {name}={value}: no such run; valid: {valid}")
        configurations = kept
    return configurations
