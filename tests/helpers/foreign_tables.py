"""Gathered tables as other people's programs write them: five runs at each of two weight decays.

With λ = 0.3 they grok at 100, 110, …, 140, with λ = 0.1 at 300, 310, …, 340: medians of 120 and
320, and a Mann–Whitney p of 2/252 = 0.0079.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.runs.parts import CELLS, CURVES

Change = Callable[[pd.DataFrame], pd.DataFrame]
MEDIANS = {0.3: 120, 0.1: 320}
P = 2 / 252
STEPS = np.arange(0, 1_001, 10)


def cells() -> pd.DataFrame:
    """The table of cells: what is known of a run, then a configuration."""
    rows = [
        {
            "key": f"{5 * arm + seed:016x}", "state": "done", "trained_steps": 1000,
            "reason": "reached its steps", "classes": 10, "data": "x", "commit": "c",
            "dirty": False, "code": "unknown", "torch": "2.13.0", "processor": "unknown",
            "task.name": "mnist", "optimizer.weight_decay": decay,
            "optimizer.betas": "[0.9, 0.999]", "seed": seed, "weight_decay": decay, "lr": 0.001,
            "steps": 1000,
        }
        for arm, decay in enumerate((0.1, 0.3))
        for seed in range(5)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def curves(of: pd.DataFrame | None = None) -> pd.DataFrame:
    """The table of curves of these cells: key, step, measures."""
    return pd.concat(
        [
            _curve(row.key, (100 if row.weight_decay > 0.2 else 300) + 10 * (row.seed % 5))
            for row in (cells() if of is None else of).itertuples()
        ],
        ignore_index=True,
    )


def _curve(key: str, groks_at: int) -> pd.DataFrame:
    late = groks_at <= STEPS
    return pd.DataFrame(
        {
            "key": key, "step": STEPS, "train_accuracy": np.where(STEPS >= 20, 1.0, 0.1),
            "test_accuracy": np.where(late, 1.0, 0.1), "train_loss": 10 / (STEPS + 10),
            "collapse/rnc1": np.where(late, 0.05, 0.5), "collapse/nc2_cond": 10 / (STEPS + 10) + 1,
        }
    )  # fmt: skip


def same(table: pd.DataFrame) -> pd.DataFrame:
    return table


def write(folder: Path, of_cells: Change = same, of_curves: Change = same) -> Path:
    """Write both tables, changed, into a folder; return it."""
    folder.mkdir(parents=True, exist_ok=True)
    of_cells(cells()).to_parquet(folder / CELLS, index=False)
    of_curves(curves()).to_parquet(folder / CURVES, index=False)
    return folder
