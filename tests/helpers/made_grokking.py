"""Made-up gathered tables of runs whose entropy falls before they grok."""

from pathlib import Path

import numpy as np
import pandas as pd

STEPS = 200 * np.arange(40)


def write(folder: Path) -> Path:
    """Gathered tables of two arms of four runs whose entropy falls before they grok; one never
    does."""
    draws = np.random.default_rng(1)
    curves, cells = [], []
    for betas, around in (("[0.9, 0.98]", 5000), ("[0.9, 0.999]", 3000)):
        for seed in range(4):
            at = around + 400 * seed if (betas, seed) != ("[0.9, 0.98]", 3) else np.inf
            key = f"{around}{seed}"
            left = np.maximum(at - STEPS, 0) if np.isfinite(at) else np.full(40, 9000.0)
            entropy = 0.6 + (left / 1.2e5) ** 0.6 + draws.normal(0, 0.003, 40)
            curves.append(
                pd.DataFrame(
                    {
                        "key": key, "step": STEPS,
                        "train_accuracy": (STEPS >= 400).astype(float),
                        "test_accuracy": np.where(at <= STEPS, 1.0, 0.01),
                        "train_loss": np.exp(-STEPS / 1000), "test_loss": 1 + left / 1e3,
                        "weight_norm": 40 + left / 1e3, "spectral/entropy_train": entropy,
                        "optimizer.betas": betas, "seed": seed,
                    }
                )
            )  # fmt: skip
            cells.append(
                {
                    "key": key, "state": "done", "trained_steps": 7800, "reason": "", "classes": 97,
                    "data": "f", "commit": "c", "dirty": False, "torch": "2", "code": "x:y",
                    "optimizer.betas": betas, "seed": seed, "weight_decay": 1.0, "steps": 7800,
                }
            )  # fmt: skip
    folder.mkdir()
    pd.concat(curves).to_parquet(folder / "curves.parquet")
    pd.DataFrame(cells).to_parquet(folder / "cells.parquet")
    return folder
