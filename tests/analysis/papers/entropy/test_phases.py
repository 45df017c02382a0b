"""The two phases by hand-made norms and entropies."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.papers.entropy.estimates import phases
from analysis.papers.entropy.tables import norms
from analysis.runs.experiments import NotRun
from grokpipe.curves.events import ENTROPY
from tests.helpers.entropy_runs import Run, claimed, write

GROKS = 2_000


def run(seed: int, norm: list[float], entropy: list[float], groks: float | None = GROKS) -> Run:
    """Values on lines between equally spaced points from the start to T_grok, then constant."""
    one = Run(seed, groks, budget=3_000)
    for column, points in (("weight_norm", norm), (ENTROPY, entropy)):
        at = np.linspace(0, GROKS, len(points))
        one.curves[column] = np.interp(one.steps, at, points)
    return one


EXPANDS = [100, 40, 40, 60, 50]  # least at 500, 44 at 1,100, most at 1,500
HIGH = [0.80, 0.815, 0.80, 0.80, 0.60]  # falls from 1,500 on, and by 0.05 at 1,700


def test_phases_by_hand() -> None:
    one = run(0, EXPANDS, HIGH)
    curve = one.table("x").query("step <= @GROKS")
    ends = curve["step"].to_numpy()[list(phases.growth_ends(curve))]
    assert (ends.tolist(), phases.expanded(curve)) == ([500, 1_500], 1_100)
    assert phases.growth(curve["weight_norm"].to_numpy()) == pytest.approx(1.5)
    assert phases.entropy_moved(curve) == pytest.approx(0.015)
    assert phases.falls_monotonically(curve)
    assert phases.last_fall_step(curve) == 1_700


def test_a_norm_that_only_falls_has_no_phase() -> None:
    curve = run(0, [100, 40], HIGH).table("x").query("step <= @GROKS")
    assert phases.growth(curve["weight_norm"].to_numpy()) == 1
    assert math.isnan(phases.expanded(curve))


def test_shares_by_hand(tmp_path: Path) -> None:
    runs = [
        run(0, EXPANDS, HIGH),
        run(1, [100, 90, 70, 50, 40], HIGH),  # never expands
        run(2, [100, 40, 40, 40, 45], HIGH),  # expands at 1,900, after the fall of 1,700
        run(3, EXPANDS, [0.80, 0.80, 0.80, 0.70, 0.60]),  # falls while it expands
        run(4, EXPANDS, [0.80, 0.70, 0.73, 0.72, 0.60]),  # rises by 0.03
        run(5, EXPANDS, HIGH, groks=None),
    ]
    experiments = write(tmp_path, e1_baseline=runs)
    expands = claimed(experiments, "E1c-norm")
    assert (expands.shown, expands.runs) == (3, 5)
    stable = claimed(experiments, "E1c-high")
    # of the run whose norm never expands there is no phase to speak of
    assert (stable.shown, stable.runs) == (2, 4)
    assert "1 of 5 runs" in stable.note
    monotone = claimed(experiments, "E1c-monotone")
    assert (monotone.shown, monotone.runs) == (4, 5)


def test_the_slope_after_grokking_is_per_1000_steps(tmp_path: Path) -> None:
    one = run(0, EXPANDS, HIGH)
    one.curves[ENTROPY] = one.curves[ENTROPY] - 0.03 * np.maximum(one.steps - GROKS, 0) / 1_000
    experiments = write(tmp_path, e1_baseline=[one, run(1, EXPANDS, HIGH)])
    slopes = norms.slopes(experiments.arm("baseline"))
    assert slopes.tolist() == pytest.approx([-0.03, 0], abs=1e-9)
    (table,) = norms.tables(experiments).values()
    assert table["H̃ per 1,000 steps after [95 %]"][0].startswith("−0.0150 [")
    assert isinstance(table, pd.DataFrame) and table["least at step"][0] == "500"


def test_no_run_that_groks_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(NotRun):
        claimed(write(tmp_path, e1_baseline=[run(0, EXPANDS, HIGH, groks=None)]), "E1c-monotone")
