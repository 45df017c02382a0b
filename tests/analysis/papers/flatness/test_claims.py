"""Every claim of the paper can be judged once the runs of its arms are there."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from analysis.claims import judge, reading
from analysis.claims.estimate import Estimate
from analysis.claims.schema import Paper
from analysis.runs.tables import write_gathered
from tests.helpers import entropy_runs
from tests.helpers.entropy_runs import Run

SEEDS = range(3)


def made(seed: int, draws: np.random.Generator) -> Run:
    """All columns that the claims read, with noise in each, of a run that groks at a step of its
    own."""
    groks = 100 * float(draws.integers(10, 20))
    run = Run(seed, groks)
    falls = np.where(run.steps >= groks, 0.01, 1.0)
    names = {
        "train_loss": 1, "collapse/rnc1": 0.5, "collapse/cdnv": 10, "collapse/cdnv_test": 20,
        "flatness/kappa": 100, "flatness/kappa_surrogate": 1e4, "flatness/kappa_released": 1e5,
        "simplex/kappa": 100, "simplex/bound": 1e4, "spectral/entropy_train": 0.8,
        "weight_norm": 50,
    }  # fmt: skip
    for name, scale in names.items():
        run.curves[name] = scale * falls * np.exp(0.1 * draws.normal(size=len(falls)))
    return run


@pytest.fixture(scope="module")
def paper() -> Paper:
    return reading.read("flatness")


def write(folder: Path, experiments: Iterable[str]) -> Path:
    """Gathered tables of these experiments, with the noise of each its own."""
    draws = np.random.default_rng(0)
    for name in sorted(experiments):
        runs = [made(seed, draws) for seed in SEEDS]
        write_gathered(entropy_runs.tables(name, runs, folder), folder / name)
    return folder


def test_flatness_is_held_against_rivals_and_the_clock(paper: Paper, tmp_path: Path) -> None:
    folder = write(tmp_path, ["baseline"])
    (claim,) = (claim for claim in paper.claims if claim.id == "F6")
    (found,) = judge.judge([claim], paper.runs(folder))
    beside = dict(found.beside)
    assert list(beside)[-1] == "the clock" and len(beside) == 6
    for label, estimate in beside.items():
        assert isinstance(estimate, Estimate) and -1 <= estimate.interval.estimate <= 1, label


@pytest.mark.slow(seconds=10)
def test_every_claim_is_judged(paper: Paper, tmp_path: Path) -> None:
    folder = write(tmp_path, {arm.experiment for arm in paper.arms.values()})
    for found in judge.judge(paper.claims, paper.runs(folder)):
        assert found.verdict != "not run" and not found.unmatched, found.claim.id
        others = [*found.beside, *(one for outcome in found.outcomes for one in outcome.others)]
        for label, estimate in others:
            never = "no run that never groks"  # all of these do
            told = isinstance(estimate, str) and never in estimate
            assert isinstance(estimate, Estimate) or told, f"{found.claim.id}: {label}: {estimate}"
