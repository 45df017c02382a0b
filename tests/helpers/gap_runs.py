"""Tables of made-up runs whose entropy falls towards grokking by a power law."""

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.forecasting.predictors import MEASURES
from analysis.runs.rows import CELL_COLUMNS
from analysis.runs.tables import Tables


def made_up(
    runs: int = 4, decays: tuple[float, ...] = (1.0,), gamma: float = 1.6, never: int = 0
) -> tuple[Tables, pd.DataFrame]:
    """Tables of runs whose entropy falls to 0.6 by a power law with noise, and their events t_grok;
    the last `never` seeds of each decay never have it. Half as long with half the decay."""
    draws = np.random.default_rng(0)
    curves, cells, events = [], [], []
    for decay in decays:
        for seed in range(runs):
            key, observed = f"{decay:g}-{seed}", seed < runs - never
            end = float(draws.integers(20, 35) * 100 * decay)
            step = np.arange(0, end + 201, 100)
            gap = 0.15 * (np.maximum(end - step, 0) / 3_500) ** (1 / gamma)
            curve = {name: draws.lognormal(size=len(step)) for name in MEASURES}
            curve["spectral/entropy_train"] = 0.6 + gap + draws.normal(0, 0.003, len(step))
            curve["constant"] = np.full(len(step), 0.1)
            curves.append(pd.DataFrame({"key": key, "step": step, **curve}))
            cells.append({**dict.fromkeys(CELL_COLUMNS, ""), "key": key})
            cells[-1] |= {"seed": seed, "weight_decay": decay}
            last = end if observed else float(step[-1])
            events.append(
                {"key": key, "event": "t_grok", "step": last, "observed": observed,
                 "lower": last - 100, "upper": last, "budget": 1e4, "state": "done",
                 "seed": seed, "weight_decay": decay}
            )  # fmt: skip
    return Tables(pd.concat(curves), pd.DataFrame(cells), Path("x")), pd.DataFrame(events)
