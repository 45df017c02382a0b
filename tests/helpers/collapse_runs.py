"""Made-up runs of the collapse paper's experiments: networks that fit, collapse and generalise at
known steps."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.runs.rows import CELL_COLUMNS
from analysis.runs.tables import Tables, write_gathered

BUDGET = 20_000


@dataclass(frozen=True)
class Network:
    """Training accuracy jumps to 1 at `fits`, test accuracy from chance to 0.9 at `groks` and RNC1
    from 0.5 to 0.02 at `collapses`; evaluations are 100 steps apart."""

    seed: int
    weight_decay: float
    fits: float = 1_000
    groks: float = 4_000
    collapses: float = 5_000
    settings: dict[str, object] = field(default_factory=dict)
    state: str = "done"
    curves: dict[str, np.ndarray] = field(default_factory=dict)
    """columns that take the place of the made-up ones, or come beside them"""

    steps = np.arange(0, BUDGET + 1, 100)

    def jump(self, at: float, before: float, after: float) -> np.ndarray:
        return np.where(self.steps >= at, after, before)

    def configuration(self) -> dict[str, object]:
        return {
            "task.name": "mnist", "arch.name": "mlp", "arch.depth": 3, "lr": 1e-3,
            "train_size": 1000, **self.settings, "weight_decay": self.weight_decay,
            "seed": self.seed, "steps": BUDGET,
        }  # fmt: skip

    def curve(self) -> pd.DataFrame:
        """As a function of a claims file is given it: without a key."""
        rnc1 = self.jump(self.collapses, 0.5, 0.02)
        made_up = {
            "train_accuracy": self.jump(self.fits, 0.1, 1.0),
            "test_accuracy": self.jump(self.groks, 0.1, 0.9),
            "collapse/rnc1": rnc1, "collapse/rnc1_test": rnc1 + 0.1, "collapse/rnc1_sup": rnc1 / 4,
            "collapse/nc1": rnc1, "collapse/cdnv": rnc1, "collapse/nc2_cond": 1 + rnc1,
            "spectral/entropy_train": rnc1, "flatness/kappa": rnc1, "balance/1": rnc1,
        }  # fmt: skip
        return pd.DataFrame({"step": self.steps, **made_up, **self.curves, **{
            name: value for name, value in self.configuration().items()
        }})  # fmt: skip


def write(folder: Path, **experiments: Sequence[Network]) -> Path:
    """Gathered tables of these experiments."""
    for name, networks in experiments.items():
        curves, cells = [], []
        for number, one in enumerate(networks):
            key = f"{name}-{number:03d}"
            curves.append(one.curve().assign(key=key))
            known = {**dict.fromkeys(CELL_COLUMNS, "unknown"), "key": key, "state": one.state}
            known |= {"trained_steps": BUDGET, "classes": 10, "dirty": False}
            cells.append({**known, **one.configuration()})
        tables = Tables(pd.concat(curves, ignore_index=True), pd.DataFrame(cells), folder)
        order = ["key", *(column for column in tables.curves if column != "key")]
        write_gathered(Tables(tables.curves[order], tables.cells, folder), folder / name)
    return folder
