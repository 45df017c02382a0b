"""Made-up runs in the format of gathered tables: what the tests of the quantities are given."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.gather import Tables, write
from grokpipe.curves.events import ENTROPY


def run(
    key: str,
    curves: Mapping[str, Sequence[float]],
    every: int = 100,
    state: str = "done",
    **configuration: object,
) -> tuple[pd.DataFrame, dict[str, object]]:
    """The curve and the cell of one run, evaluated every 100 steps from 0 on. Columns that are not
    given hold a constant; the configuration is one of addition modulo 97 unless told otherwise."""
    (count,) = {len(values) for values in curves.values()}
    steps = every * np.arange(count)
    values = {
        "seed": 0, "task.name": "mod_add", "task.fraction": 0.2, "arch.name": "transformer",
        "intervention.name": "none", "weight_decay": 1.0, "steps": 50_000, **configuration,
    }  # fmt: skip
    measures = {
        "train_accuracy": np.where(steps >= 300, 1.0, 0.1), "test_accuracy": np.zeros(count),
        "train_loss": np.exp(-steps / 1e3), "test_loss": np.exp(-steps / 1e4),
        "weight_norm": np.full(count, 40.0), ENTROPY: np.full(count, 0.8),
    }  # fmt: skip
    columns = measures | {name: np.asarray(v, dtype=float) for name, v in curves.items()}
    cell = {
        "key": key, "state": state, "trained_steps": int(steps[-1]), "reason": "", "classes": 97,
        "data": "f00d", "commit": "c0ffee", "dirty": False, "code": "x:y", "torch": "2",
    }  # fmt: skip
    return pd.DataFrame({"key": key, "step": steps, **columns, **values}), cell | values


def tables(runs: Sequence[tuple[pd.DataFrame, dict[str, object]]]) -> Tables:
    return Tables(
        curves=pd.concat([curve for curve, _ in runs], ignore_index=True),
        cells=pd.DataFrame([cell for _, cell in runs]),
        folder=Path("made up"),
    )


def store(folder: Path, **experiments: Tables) -> Path:
    """Gathered tables, one folder an experiment."""
    for name, of_experiment in experiments.items():
        write(of_experiment, folder / name)
    return folder


def grokking(
    seed: int, at: int, threshold: float = 0.6, after: int = 20, **configuration: object
) -> tuple[pd.DataFrame, dict[str, object]]:
    """A run that groks at evaluation `at` with this entropy, to which it fell as a square root of
    what remained, while the norm fell, rose and fell; `after` evaluations follow."""
    left = np.maximum(at - np.arange(at + after + 1), 0)
    passed = 1 - left / at
    norm = np.interp(passed, [0, 0.1, 0.5, 1], [100, 40, 55, 45])
    noise = np.random.default_rng(seed).normal(0, 0.002, len(left)) * (left > 0)
    return run(
        f"{configuration.get('arm', 'run')}-{seed}",
        {
            "test_accuracy": np.where(left == 0, 1.0, 0.9 * passed**8),
            "weight_norm": norm,
            ENTROPY: threshold + 0.2 * np.sqrt(left / at) + noise,
        },
        seed=seed,
        **{name: value for name, value in configuration.items() if name != "arm"},
    )
