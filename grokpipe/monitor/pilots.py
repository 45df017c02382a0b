"""Pilot calibration of a monitor: the entropy H̃* at which pilot runs grokked, and the gap law.

Reads a folder of run logs, or of gathered tables (`curves.parquet` and `cells.parquet`). Needs no
PyTorch. From Truong et al. (2026), Appendix D.1, step 2.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyarrow.dataset import dataset
from scipy import stats

from grokpipe.curves.definitions import GROKKED
from grokpipe.curves.events import ENTROPY, first_reached, known
from grokpipe.curves.forecast import Forecaster, fit_forecaster
from grokpipe.curves.gap import Law, fit, pool
from grokpipe.errors import InputError
from grokpipe.store import manifest, run_log

C1, GAMMA, C2 = 2.45e5, 1.65, 0.0  # the paper's equation 2, on its Transformer and addition mod 97
COLUMNS = ("step", GROKKED.column, ENTROPY)
CELLS = "cells.parquet"
LEVEL = 0.95


@dataclass(frozen=True)
class Calibration:
    """Pilot calibration: a threshold, and the law of the remaining time above the threshold."""

    threshold: float
    """H̃*: the mean of H̃ at T_grok over the pilot runs that grokked"""
    law: Law
    """ΔT = C₁ (H̃ − H̃*)^γ + C₂"""
    lower: float | None = None
    """lower end of the 95 % interval of H̃* (Student's t over runs) within [0, 1]; None for fewer
    than two runs"""
    upper: float | None = None
    grokked: int = 0
    """number of pilot runs that grokked; 0: not calibrated, the law is the published one"""
    others: int = 0
    """number of pilot runs that did not grok, or without H̃ when they did: not used"""
    forecaster: Forecaster | None = None
    """the law with its errors on pilot runs that were not used to fit it; None for fewer than two
    runs with an evaluation before they grokked"""

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:  # NaN is neither
            raise InputError(f"threshold={self.threshold:g}: must lie in (0, 1)")

    def state_dict(self) -> dict[str, Any]:
        """Convert to numbers, texts, lists and dicts of these."""
        forecaster = self.forecaster and {
            "errors": self.forecaster.errors.tolist(),
            "shares": self.forecaster.shares.tolist(),
        }
        return {
            "threshold": self.threshold, "law": asdict(self.law), "lower": self.lower,
            "upper": self.upper, "grokked": self.grokked, "others": self.others,
            "forecaster": forecaster,
        }  # fmt: skip

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Any]) -> "Calibration":
        """Restore from `state_dict`."""
        law, errors = Law(**state["law"]), state["forecaster"]
        forecaster = errors and Forecaster(
            law, np.array(errors["errors"], float), np.array(errors["shares"], float)
        )
        return cls(**{**state, "law": law, "forecaster": forecaster})


def published(threshold: float) -> Calibration:
    """Combine the paper's law with a given threshold; no interval, as its errors are unpublished.

    Raises InputError for a threshold outside (0, 1).
    """
    return Calibration(threshold, Law("power", threshold, 1.0, GAMMA, C1, C2))


def calibrated(folder: Path, arm: Mapping[str, Any] | None = None) -> Calibration:
    """Calibrate on the runs in `folder` whose settings, by dotted name, are those of `arm`.

    Raises InputError if there are no such runs, if none grokked with H̃ known at that step, if the
    runs differ by more than their seed, or if H̃ rises towards grokking.
    """
    settings, curves = _read(folder)
    keys = _of_one_arm(folder, settings, arm or {})
    known = [curves[key] for key in keys if key in curves and len(curves[key])]
    return from_curves(known, str(folder), unknown=len(keys) - len(known))


def from_curves(curves: Sequence[pd.DataFrame], source: str, unknown: int = 0) -> Calibration:
    """Calibrate on the evaluations of runs of one arm.

    Args:
        curves: one table per run, with COLUMNS.
        source: names the runs in errors.
        unknown: number of further runs without evaluations.

    Raises:
        InputError: no run grokked with H̃ known at that step, or H̃ was lower before, in the mean
            over all evaluations, than at that step.
    """
    x, remaining = [], []
    for curve in curves:
        if missing := [name for name in COLUMNS if name not in curve]:
            raise InputError(f"{source}: a run without column {missing[0]}; pilots need it")
        steps, accuracy = known(curve["step"], curve[GROKKED.column])
        event = first_reached(steps, GROKKED.reached(accuracy), math.inf)
        entropy = curve[ENTROPY].to_numpy(float)
        left = event.step - curve["step"].to_numpy(float)
        if event.observed and np.isfinite(entropy[left == 0]).all():
            x.append(entropy)
            remaining.append(left)
    count = len(curves) + unknown
    if not x:
        raise InputError(
            f"{source}: none of {count} runs grokked ({GROKKED.column} ≥ {GROKKED.level}) with the"
            " entropy known at that step; a threshold needs at least one"
        )
    runs = pool(x, remaining)
    # errors need a second run with an evaluation before it grokked, to fit the law to
    forecaster = fit_forecaster(runs) if len(np.unique(runs.run)) > 1 else None
    law = forecaster.law if forecaster else fit(runs)
    if law.direction < 0:
        raise InputError(
            f"{source}: the entropy rises towards grokking, on average from {runs.x.mean():.3f} to"
            f" {law.threshold:.3f}; the monitor's rules are for an entropy that falls"
        )
    half = _half_width(runs.at_event)
    return Calibration(
        threshold=law.threshold,
        law=law,
        lower=None if half is None else max(law.threshold - half, 0.0),
        upper=None if half is None else min(law.threshold + half, 1.0),
        grokked=len(runs),
        others=count - len(runs),
        forecaster=forecaster,
    )


def _half_width(values: np.ndarray[Any, np.dtype[np.float64]]) -> float | None:
    """Half-width of Student's interval of the mean; None for fewer than two values."""
    n = len(values)
    if n < 2:
        return None
    quantile = stats.t.ppf((1 + LEVEL) / 2, n - 1)
    return float(quantile * values.std(ddof=1) / math.sqrt(n))


def _read(folder: Path) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Read the settings of each run, indexed by key, and its curve by key.

    Run logs take precedence over gathered tables, which may be older.
    """
    cells = manifest.cells_folder(folder)
    if cells.is_dir():
        logs = [path for path in sorted(cells.iterdir()) if run_log.is_run_log(path)]
        rows = {log.name: _flat(run_log.read_scientific(log)) for log in logs}
        curves = {log.name: pd.DataFrame(run_log.read_columns(log, COLUMNS)) for log in logs}
        return pd.DataFrame.from_dict(rows, orient="index"), curves
    if not all((folder / name).exists() for name in (run_log.CURVES, CELLS)):
        raise InputError(
            f"{folder}: neither run logs (a folder cells/) nor gathered tables "
            f"({run_log.CURVES} and {CELLS})"
        )
    stored = dataset(folder / run_log.CURVES, format="parquet")
    names = [name for name in ("key", *COLUMNS) if name in stored.schema.names]
    table = stored.to_table(columns=names).to_pandas().sort_values(["key", "step"])
    settings = pd.read_parquet(folder / CELLS, use_threads=False).set_index("key").sort_index()
    # columns of both tables are the configuration; other columns of cells.parquet are provenance
    settings = settings[[name for name in settings if name in stored.schema.names]]
    return settings, {str(key): curve for key, curve in table.groupby("key")}


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Convert lists to text, as in gathered tables."""
    return {name: str(v) if isinstance(v, list | dict) else v for name, v in values.items()}


def _of_one_arm(folder: Path, settings: pd.DataFrame, arm: Mapping[str, Any]) -> list[str]:
    """Keys of the runs of `arm`, which must differ only by seed."""
    for name, value in arm.items():
        if name not in settings:
            raise InputError(f"arm: {name}: not a setting of the runs in {folder}")
        same = settings[name].map(lambda v, value=value: v == value or str(v) == str(value))
        if not same.any():
            raise InputError(
                f"arm: {name}={value}: no run in {folder}; valid: {_values(settings[name])}"
            )
        settings = settings[same]
    varied = [
        name for name in settings if name != "seed" and settings[name].nunique(dropna=False) > 1
    ]
    if varied:
        values = "; ".join(f"{name}: {_values(settings[name])}" for name in varied)
        raise InputError(f"{folder}: runs of several arms ({values}); choose one with arm={{…}}")
    return list(settings.index)


def _values(column: pd.Series) -> str:
    return ", ".join(sorted(map(str, column.unique())))
