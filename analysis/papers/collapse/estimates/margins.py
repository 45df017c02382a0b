"""Signed distances from the boundary between two classes in one run (Sakamoto & Sato 2026, Figures
2 and 5), which are positive on the side of the first."""

import math

import numpy as np
import pandas as pd

PAIRS = ((0, 1), (4, 5), (8, 9))
EARLY, LATE = 16_000, 100_000
"""steps of the figures"""
NEAR = 1.25
"""factor within which a snapshot stands for one of them"""


def separated_early(curve: pd.DataFrame) -> bool | None:
    """Whether 99 % of the training samples of each class lie on its side, at the snapshot nearest
    to EARLY. None without such a snapshot."""
    lowest = [_column(pair, "train", pair[0], "q1") for pair in PAIRS]
    highest = [_column(pair, "train", pair[1], "q99") for pair in PAIRS]
    row = nearest(curve, EARLY, [*lowest, *highest])
    if row is None:
        return None
    return bool((row[lowest] > 0).all() and (row[highest] < 0).all())


def log_contraction(curve: pd.DataFrame) -> float:
    """ln of `spread` at LATE over that at EARLY, the mean over PAIRS: negative where test samples
    contract. NaN without snapshots near both."""
    spreads = [spread(curve, step) for step in (LATE, EARLY)]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = float(np.log(spreads[0] / spreads[1]).mean())
    return found if math.isfinite(found) else math.nan


def spread(curve: pd.DataFrame, step: int) -> np.ndarray:
    """For each of PAIRS at the snapshot nearest to a step, the standard deviation of test distances
    within a class (root mean square of both) over the distance of the two means; NaN without."""
    ends = ("mean", "sd")
    names = [[_column(pair, "test", label, end) for end in ends for label in pair]
             for pair in PAIRS]  # fmt: skip
    row = nearest(curve, step, [name for of_pair in names for name in of_pair])
    if row is None:
        return np.full(len(PAIRS), math.nan)
    first, second, *deviations = np.array([row[of_pair] for of_pair in names], dtype=float).T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(np.square(deviations).mean(0)) / np.abs(first - second)


def nearest(curve: pd.DataFrame, step: int, columns: list[str]) -> pd.Series | None:
    """The evaluation nearest to a step of those that know the columns; None if it is not within the
    factor NEAR."""
    if not {*columns} <= {*curve}:
        return None
    known = curve.dropna(subset=columns)
    known = known[known["step"].between(step / NEAR, step * NEAR)]
    return None if known.empty else known.loc[(known["step"] - step).abs().idxmin()]


def _column(pair: tuple[int, int], of: str, label: int, what: str) -> str:
    return f"margins/{pair[0]}_{pair[1]}/{of}/{label}/{what}"
