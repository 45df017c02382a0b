"""Tables of made-up runs, given by their curves."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.runs.rows import CELL_COLUMNS
from analysis.runs.tables import Tables

TEST, RNC1, LOSS, ENTROPY = "test_accuracy", "collapse/rnc1", "train_loss", "spectral/entropy_train"


def made(*runs: dict[str, object]) -> Tables:
    """Tables of runs: columns of curves, and single values for the configuration and the state."""
    curves, cells = [], []
    for number, run in enumerate(runs):
        run = {"key": f"{number:016d}", "seed": number, "weight_decay": 1.0, "state": "done"} | run
        measured = {name: value for name, value in run.items() if np.ndim(value)}
        measured = {"step": np.arange(len(next(iter(measured.values())))) * 100} | measured
        frame = pd.DataFrame(measured)
        curves.append(frame.assign(key=run["key"], seed=run["seed"]))
        cells.append(
            {name: "" for name in CELL_COLUMNS} | {"classes": 10}
            | {name: run[name] for name in ("key", "state", "seed", "weight_decay")}
            | {"steps": 10_000}
        )  # fmt: skip
    return Tables(pd.concat(curves, ignore_index=True), pd.DataFrame(cells), Path("made"))


def jump(at: int, before: float, after: float, n: int = 20) -> np.ndarray:
    """A curve that jumps at evaluation `at`."""
    return np.where(np.arange(n) >= at, after, before)


def shuffled(tables: Tables) -> Tables:
    return replace(
        tables,
        curves=tables.curves.sample(frac=1, random_state=1),
        cells=tables.cells.sample(frac=1, random_state=2),
    )
