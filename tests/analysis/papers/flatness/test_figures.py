"""The figures and tables show the numbers of made-up runs, and refuse runs that are not there."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from analysis.claims.arms import Runs
from analysis.claims.reading import read
from analysis.claims.schema import figure_numbers
from analysis.figures.style import prepare
from analysis.papers.flatness.figures import figure_2
from analysis.papers.flatness.tables import arms
from analysis.runs.experiments import NotRun
from analysis.runs.tables import write_gathered
from tests.helpers import entropy_runs
from tests.helpers.entropy_runs import Run

PAPER = read("flatness")
NUMBERS = figure_numbers("analysis.papers.flatness")
SEEDS = range(3)


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    prepare()
    yield
    plt.close("all")


def made(seed: int, groks: float | None, kappa: float, **settings: object) -> Run:
    """κ is 100 until the run groks, then `kappa`; the surrogate is ten times as large."""
    settings = {"intervention.name": "none", **settings}
    run = Run(seed, groks, settings=settings)
    values = np.where(run.steps >= (np.inf if groks is None else groks), kappa, 100.0)
    run.curves.update(
        {"flatness/kappa": values, "flatness/kappa_surrogate": 10 * values,
         "flatness/kappa_released": 1_000 * values, "collapse/cdnv": values / 10,
         "train_loss": values / 1_000, "head_norm": np.full(len(values), 5.0)}
    )  # fmt: skip
    return run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("runs")
    experiments = {
        "baseline": [made(seed, 1_000.0 + 100 * seed, 1.0) for seed in SEEDS],
        "released": [made(seed, 1_000.0, 1.0) for seed in SEEDS],
        "away": [made(seed, None, 1.0) for seed in SEEDS],
        "penalty": [made(seed, 2_000.0 + 200 * seed, 2.0) for seed in SEEDS],
        "unplug": [made(seed, 3_000.0, 1.0) for seed in SEEDS],
        "elsewhere_mlp": [made(seed, 500.0, 1.0) for seed in SEEDS],
        "elsewhere_mlp_away": [made(seed, 2_000.0, 1.0) for seed in SEEDS],
    }
    for name, several in experiments.items():
        write_gathered(entropy_runs.tables(name, several, folder), folder / name)
    return PAPER.runs(folder)


@pytest.mark.parametrize("number", NUMBERS)
def test_every_figure_is_drawn(runs: Runs, number: int) -> None:
    module = import_module(f"analysis.papers.flatness.figures.figure_{number}")
    figure = module.draw(runs)
    assert all(axis.has_data() for axis in figure.axes if axis.axison)


@pytest.mark.parametrize("number", [n for n in NUMBERS if n != 4])
def test_runs_that_are_not_there_are_told(tmp_path: Path, number: int) -> None:
    module = import_module(f"analysis.papers.flatness.figures.figure_{number}")
    with pytest.raises(NotRun):
        module.draw(PAPER.runs(tmp_path))


def test_figure_2_has_each_arm_with_its_times_and_ratios(runs: Runs) -> None:
    times, ratios, ends = figure_2.draw(runs).axes
    names = [label.get_text() for label in times.get_yticklabels()]
    assert names == ["baseline", "away from flatness", "confidence penalty", "let go"]
    drawn = {(float(x), float(y)) for line in times.lines for x, y in zip(*line.get_data())}
    assert {(1_100.0, 0.0), (5_000.0, 1.0), (2_200.0, 2.0), (3_000.0, 3.0)} <= drawn
    squares = {float(line.get_ydata()[0]): float(line.get_xdata()[0]) for line in ends.lines
               if line.get_marker() == "s"}  # fmt: skip
    assert squares == pytest.approx({1.0: 100.0, 2.0: 2.0, 3.0: 1.0})
    (bound,) = [line for line in ratios.lines if line.get_marker() == ">"]
    assert bound.get_ydata()[0] == 1.0  # no run of that arm groks


def test_the_table_has_a_row_for_each_arm(runs: Runs) -> None:
    (table,) = arms.tables(runs).values()
    rows = table.set_index("arm")
    assert rows["runs that grok"].to_dict() == {
        "baseline": "3/3", "away from flatness": "0/3", "confidence penalty": "3/3", "let go": "3/3"
    }  # fmt: skip
    assert rows.loc["confidence penalty", "κ"] == "2.000"
    assert rows.loc["baseline", "time over the baseline's [95 %]"] == "–"
    assert rows.loc["confidence penalty", "time over the baseline's [95 %]"].startswith("2.0")
