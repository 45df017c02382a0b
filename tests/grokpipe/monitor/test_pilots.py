"""The threshold and the law from pilot runs: real tables by hand, run logs, and what is refused."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from grokpipe.curves.forecast import fit_forecaster
from grokpipe.curves.gap import pool
from grokpipe.errors import InputError
from grokpipe.monitor.pilots import Calibration, calibrated, published
from grokpipe.store.run_log import RunLog
from tests.helpers.cli import ROOT

FOLDER = ROOT / "outputs/reference/entropy/second_beta"
BETAS = "[0.9, 0.98]"
ENTROPY = "spectral/entropy_train"
FALLING = [0.85, 0.8, 0.75, 0.7, 0.62, 0.6]  # every 100 steps


def pilot(
    folder: Path, seed: int, groks_at: int, entropy: list[float] = FALLING, decay: float = 1.0
) -> None:
    """A run log whose test accuracy is 1 from step `groks_at` on."""
    log = RunLog(folder / "cells" / f"{decay:g}-{seed}")
    log.start({"weight_decay": decay, "optimizer": {"betas": [0.9, 0.98]}, "seed": seed}, {})
    for number, value in enumerate(entropy):
        step = 100 * number
        accuracy = {"train_accuracy": 1.0, "test_accuracy": float(step >= groks_at)}
        log.append({"step": step, **accuracy, ENTROPY: value})
    log.finish("done", 500, "reached its steps", 1.0)


def test_the_threshold_of_the_stored_runs_by_hand() -> None:
    """In the most literal way: each run's first row with test accuracy ≥ 0.99."""
    curves = pd.read_parquet(FOLDER / "curves.parquet")
    x, remaining, at_grok = [], [], []
    for _, run in curves[curves["optimizer.betas"] == BETAS].groupby("key"):
        first = run[run["test_accuracy"] >= 0.99].sort_values("step").iloc[0]
        at_grok.append(first[ENTROPY])
        x.append(run[ENTROPY].to_numpy())
        remaining.append(first["step"] - run["step"].to_numpy(float))
    found = calibrated(FOLDER, {"optimizer.betas": BETAS})
    assert found.threshold == pytest.approx(np.mean(at_grok), abs=1e-12)
    interval = stats.ttest_1samp(at_grok, 0).confidence_interval()
    assert (found.lower, found.upper) == pytest.approx(tuple(interval))
    assert (found.grokked, found.others) == (10, 0)
    expected = fit_forecaster(pool(x, remaining))
    assert found.law == expected.law
    np.testing.assert_array_equal(found.forecaster.errors, expected.errors)
    np.testing.assert_array_equal(found.forecaster.shares, expected.shares)


def test_an_arm_may_be_named_by_its_value_or_its_text() -> None:
    by_value = calibrated(FOLDER, {"optimizer.betas": [0.9, 0.98], "weight_decay": 1})
    assert by_value.threshold == calibrated(FOLDER, {"optimizer.betas": BETAS}).threshold
    other = calibrated(FOLDER, {"optimizer.betas": "[0.9, 0.999]"})
    assert other.threshold < by_value.threshold - 0.05


def test_run_logs(tmp_path: Path) -> None:
    pilot(tmp_path, 0, groks_at=400)
    pilot(tmp_path, 1, groks_at=500)
    pilot(tmp_path, 2, groks_at=9_999)
    pilot(tmp_path, 3, groks_at=500, entropy=[*FALLING[:5], math.nan])  # not known at T_grok
    RunLog(tmp_path / "cells" / "begun").start(
        {"weight_decay": 1.0, "optimizer": {"betas": [0.9, 0.98]}, "seed": 4}, {}
    )
    (tmp_path / "cells" / "stranger").mkdir()
    found = calibrated(tmp_path)
    assert found.threshold == pytest.approx(0.61)
    assert (found.grokked, found.others) == (2, 3)
    half = stats.t.ppf(0.975, 1) * np.std([0.62, 0.6], ddof=1) / math.sqrt(2)
    assert (found.lower, found.upper) == pytest.approx((0.61 - half, 0.61 + half))


def test_one_pilot_run_has_no_interval(tmp_path: Path) -> None:
    pilot(tmp_path, 0, groks_at=400)
    found = calibrated(tmp_path)
    assert found.threshold == 0.62
    assert (found.lower, found.upper, found.forecaster) == (None, None, None)
    assert found.law.coefficient > 0


def test_the_interval_of_a_threshold_stays_where_entropies_are(tmp_path: Path) -> None:
    for seed, (early, late) in enumerate([(0.8, 0.03), (0.99, 0.97)]):
        pilot(tmp_path, seed, groks_at=400, entropy=[*[early] * 4, late])
    found = calibrated(tmp_path)
    assert (found.lower, found.upper) == (0, 1)


def test_an_entropy_that_rises_towards_grokking_is_refused(tmp_path: Path) -> None:
    """Phases and stop rule are for one that falls; whatever the number of pilots."""
    for seed in range(2):
        pilot(tmp_path, seed, groks_at=400, entropy=[0.5, 0.6, 0.65, 0.7, 0.8])
        with pytest.raises(InputError, match=r"rises towards grokking, .* 0.613 to 0.800") as told:
            calibrated(tmp_path)
        assert str(tmp_path) in str(told.value)
        assert "\n" not in str(told.value)


def test_a_mixture_of_arms_is_refused() -> None:
    with pytest.raises(InputError, match="runs of several arms") as raised:
        calibrated(FOLDER)
    assert "optimizer.betas: [0.9, 0.98], [0.9, 0.999]" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_run_logs_of_several_arms_are_told_apart(tmp_path: Path) -> None:
    pilot(tmp_path, 0, groks_at=400)
    pilot(tmp_path, 0, groks_at=500, decay=0.5)
    with pytest.raises(InputError, match=r"several arms \(weight_decay: 0.5, 1.0\)"):
        calibrated(tmp_path)
    assert calibrated(tmp_path, {"weight_decay": 0.5}).threshold == pytest.approx(0.6)


def test_a_folder_without_grokked_runs(tmp_path: Path) -> None:
    for seed in range(3):
        pilot(tmp_path, seed, groks_at=9_999)
    with pytest.raises(InputError, match="none of 3 runs grokked"):
        calibrated(tmp_path)


def test_folders_that_hold_no_runs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither run logs"):
        calibrated(tmp_path)
    (tmp_path / "cells").mkdir()
    with pytest.raises(InputError, match="none of 0 runs grokked"):
        calibrated(tmp_path)


def test_pilots_without_the_measure(tmp_path: Path) -> None:
    curves = pd.read_parquet(FOLDER / "curves.parquet").drop(columns=ENTROPY)
    curves.to_parquet(tmp_path / "curves.parquet")
    pd.read_parquet(FOLDER / "cells.parquet").to_parquet(tmp_path / "cells.parquet")
    with pytest.raises(InputError, match="a run without column spectral/entropy_train"):
        calibrated(tmp_path, {"optimizer.betas": BETAS})


@pytest.mark.parametrize(
    ("arm", "text"),
    [
        ({"betas": BETAS}, "arm: betas: not a setting"),
        ({"commit": "x"}, "arm: commit: not a setting"),
        ({"optimizer.betas": [0.9, 0.95]}, r"valid: \[0.9, 0.98\], \[0.9, 0.999\]"),
    ],
)
def test_arms_that_are_not_there(arm, text) -> None:
    with pytest.raises(InputError, match=text):
        calibrated(FOLDER, arm)


def test_the_published_law() -> None:
    law = published(0.61).law
    assert law.remaining([0.71, 0.61, 0.5]) == pytest.approx([2.45e5 * 0.1**1.65, 0, 0])
    assert published(0.61).forecaster is None


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.2, 61.0, math.nan])
def test_a_threshold_outside_its_range(threshold: float) -> None:
    with pytest.raises(InputError, match=r"threshold=.*: must lie in \(0, 1\)"):
        published(threshold)


@pytest.mark.parametrize("known", ["calibrated", "published"])
def test_a_calibration_goes_through_json(known: str) -> None:
    before = published(0.61)
    if known == "calibrated":
        before = calibrated(FOLDER, {"optimizer.betas": BETAS})
    state = before.state_dict()
    after = Calibration.from_state_dict(json.loads(json.dumps(state)))
    assert after.state_dict() == state
    assert after.law == before.law
