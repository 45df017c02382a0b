"""Theorem 4.1 of Sakamoto & Sato (2026): the population's variance, taken on the test set, beside
the training set's, by the number of training images."""

import math

import pandas as pd

from analysis.claims.arguments import ArmName, Column
from analysis.claims.arms import Runs
from analysis.claims.estimators.slopes import log_slope
from analysis.output.formats import estimated, number
from analysis.papers.collapse.tables._rows import arms, last, mean

TRAIN, TEST = "collapse/rnc1", "collapse/rnc1_test"


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """A row per size, and the slope of the gap on logarithmic axes. Raises NotRun."""
    slope = log_slope(runs, ArmName("sizes"), Column(TEST), Column(TRAIN), "train_size")
    rows = []
    for _, size, arm in arms(runs, ["sizes"]):
        train, test = last(arm, TRAIN), last(arm, TEST)
        gap = (test - train).dropna()
        scaled = number(float(gap.mean()) * math.sqrt(float(size)), 1) if len(gap) else "–"
        rows.append(
            {"training images": f"{float(size):,g}", "runs": str(len(gap)),
             "RNC1": mean(train, runs, 4), "RNC1, test set": mean(test, runs, 4),
             "gap": mean(gap, runs, 4), "gap · √n": scaled,
             "test accuracy": mean(last(arm, "test_accuracy"), runs)}
        )  # fmt: skip
    said = estimated(slope.interval, 2)
    return {f"Theorem 4.1: gap by training images, slope {said}": pd.DataFrame(rows)}
