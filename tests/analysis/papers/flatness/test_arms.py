"""Final values and plateaus of made-up arms, by hand."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.claims.arms import ArmNode, Runs
from analysis.papers.flatness.estimates import necessity
from analysis.papers.flatness.estimates.ends import difference_at_end, ratio_at_end
from analysis.runs.experiments import NotRun
from tests.helpers.entropy_runs import BUDGET, Run, write

GROKS = {0: 2_000.0, 1: 2_400.0, 2: 2_200.0}
ARMS = {
    "baseline": ArmNode("baseline"),
    "sharper": ArmNode("sharper"),
    "never": ArmNode("never"),
    "both": ArmNode("both"),
    "unlike": ArmNode("baseline", None, {"seed": 2}),
}


def made(seed: int, groks: float | None, plateau: float, after: float) -> Run:
    """κ is `plateau` until the run groks, or until the end, then `after`."""
    run = Run(seed, groks)
    kappa = np.where(run.steps >= (BUDGET + 1 if groks is None else groks), after, plateau)
    run.curves["flatness/kappa"] = kappa
    return run


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    wrote = write(
        tmp_path,
        baseline=[made(seed, groks, 10.0 * 2**seed, 1.0) for seed, groks in GROKS.items()],
        sharper=[made(seed, groks + 500, 30.0, 3.0 + seed) for seed, groks in GROKS.items()],
        never=[made(0, None, 5.0, 5.0), made(1, None, 50.0, 50.0)],
        both=[made(0, 2_000, 10.0, 25.0), made(3, 2_000, 10.0, 15.0)],
    )
    return Runs(wrote.experiments, ARMS)


def test_final_values_are_compared_by_seed(runs: Runs) -> None:
    found = difference_at_end(runs, "sharper", "flatness/kappa")
    assert found.interval.estimate == pytest.approx(np.mean([2.0, 3.0, 4.0]))
    assert (found.runs, found.seeds) == (6, 3)
    ratio = ratio_at_end(runs, "sharper", "flatness/kappa")
    logs = np.log([3.0, 4.0, 5.0])
    assert ratio.interval.estimate == pytest.approx(math.exp(logs.mean()))
    half = stats.t.isf(0.025, 2) * logs.std(ddof=1) / math.sqrt(3)
    assert ratio.interval.upper == pytest.approx(math.exp(logs.mean() + half))
    assert ratio.scale == "log"
    with pytest.raises(NotRun, match="no seed is finished in both"):
        difference_at_end(runs, "both", "flatness/kappa", than="unlike")


@pytest.mark.parametrize("state", ["diverged", "failed", "interrupted"])
def test_a_run_that_broke_off_has_no_final_value(tmp_path: Path, state: str) -> None:
    base = [made(seed, 2_000, 10.0, 1.0) for seed in range(3)]
    arm = [made(seed, 2_000, 10.0, 4.0) for seed in range(3)]
    arm[2] = replace(arm[2], state=state)
    runs = Runs(write(tmp_path, baseline=base, sharper=arm).experiments, ARMS)
    for estimate, value in ((difference_at_end, 3.0), (ratio_at_end, 4.0)):
        found = estimate(runs, "sharper", "flatness/kappa")
        assert found.interval.estimate == pytest.approx(value)
        assert found.seeds == 2 and found.note.startswith("1 of 3 shared seeds"), found.note


def test_a_run_is_held_to_the_plateau_of_the_other_seeds(runs: Runs) -> None:
    plateaus = necessity.plateaus(runs.arm("baseline"))
    assert necessity.level(plateaus, 0) == pytest.approx(math.sqrt(20 * 40))
    assert necessity.level(plateaus, 2) == pytest.approx(math.sqrt(10 * 20))
    assert necessity.level(plateaus, 3) == pytest.approx(20)
    # seed 0 at 25 is below √800; seed 3, which the baseline lacks, at 15 is below 20
    found = necessity.below_plateau(runs, ["both", "baseline"])
    assert (found.shown, found.runs) == (5, 5)
    above = Runs(
        write(runs.folder / "other", baseline=[made(s, 2_000, 10, 1) for s in (0, 1)],
              both=[made(0, 2_000, 10, 25)]).experiments,
        ARMS,
    )  # fmt: skip
    found = necessity.below_plateau(above, ["both"])
    assert (found.shown, found.runs) == (0, 1)


def test_a_plateau_of_one_seed_holds_nobody(tmp_path: Path) -> None:
    runs = write(tmp_path, baseline=[made(0, 2_000, 10, 1)])
    with pytest.raises(NotRun, match="1 of its runs memorise; a plateau needs two"):
        necessity.below_plateau(Runs(runs.experiments, ARMS), ["baseline"])


def test_the_mirror_counts_runs_that_never_grok(runs: Runs) -> None:
    found = necessity.below_plateau_without_grokking(runs, ["never", "sharper"])
    assert (found.shown, found.runs) == (1, 2)
    with pytest.raises(NotRun, match="no run that never groks"):
        necessity.below_plateau_without_grokking(runs, ["sharper"])


def test_the_plateau_begins_with_memorisation() -> None:
    run = Run(0, 1_000)
    kappa = np.where(run.steps < 200, 1e6, np.where(run.steps < 1_000, 7.0, 0.1))
    curve = run.table("one").assign(**{"flatness/kappa": kappa})
    assert necessity.plateau(curve) == 7.0
    at_once = curve.assign(test_accuracy=1.0)
    assert necessity.plateau(at_once) == 7.0
    assert math.isnan(necessity.plateau(curve.assign(train_accuracy=0.5)))
