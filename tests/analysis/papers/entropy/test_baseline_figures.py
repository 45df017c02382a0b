"""The figures of the baseline show the numbers of the runs, and refuse runs that are not there."""

from importlib import import_module
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.claims.arms import Runs
from analysis.claims.estimators.times import leads as leads_of
from analysis.figures.style import prepare
from analysis.papers.entropy.estimates.alignment import PUBLISHED
from analysis.papers.entropy.estimates.stopping import CROSSING, stops
from analysis.runs.experiments import NotRun
from grokpipe.curves.events import ENTROPY
from tests.helpers.entropy_runs import Run, reading, write

NUMBERS = (1, 2, 4, 6, 8, 10, 12)
TIMES = (2_000, 2_400, 2_900, 3_100)
LEVELS = (0.52, 0.59, 0.62, 0.64)


@pytest.fixture
def experiments(tmp_path: Path) -> Runs:
    """The last two runs never cross the others' H̃*."""
    runs = []
    for seed, (time, level) in enumerate(zip(TIMES, LEVELS, strict=True)):
        one = Run(seed, time, at_grok=level)
        one.curves["spectral/entropy_test"] = one.table("x")[ENTROPY].to_numpy() + 0.01
        one.curves[PUBLISHED] = 1 - one.table("x")[ENTROPY].to_numpy()
        runs.append(one)
    return write(tmp_path, e1_baseline=runs)


def draw(number: int, experiments: Runs) -> Figure:
    prepare()
    figure = import_module(f"analysis.papers.entropy.figures.figure_{number}").draw(experiments)
    assert isinstance(figure, Figure)
    figure.canvas.draw()
    plt.close(figure)
    return figure


@pytest.mark.parametrize("number", NUMBERS)
def test_a_figure_says_what_it_is_and_needs_its_runs(
    number: int, experiments: Runs, tmp_path: Path
) -> None:
    module = import_module(f"analysis.papers.entropy.figures.figure_{number}")
    assert module.TITLE.endswith(".") and (number in (2, 6, 8, 12)) is module.OURS
    draw(number, experiments)
    with pytest.raises(NotRun):
        module.draw(reading(tmp_path / "nowhere"))


def test_figure_1_shows_every_run_and_the_mean_while_all_last(experiments: Runs) -> None:
    entropy = draw(1, experiments).axes[1]
    curves = experiments.tables("e1_baseline").curves
    shown = [line.get_xydata() for line in entropy.get_lines()]
    for _, curve in curves.groupby("key"):
        expected = curve[["step", ENTROPY]].to_numpy()
        assert any(np.array_equal(line, expected) for line in shown)
    (mean,) = [line for line in entropy.get_lines() if line.get_color() == "black"
               and len(line.get_xdata()) > 2]  # fmt: skip
    assert mean.get_xdata()[-1] == TIMES[0] + 1_000
    at = curves[curves["step"] == 2_400]
    assert mean.get_ydata()[24] == pytest.approx(at[ENTROPY].mean())


def test_figure_2_has_an_arrow_where_a_run_ended_without_crossing(experiments: Runs) -> None:
    (axis,) = draw(2, experiments).axes
    leads = leads_of(experiments.arm("baseline"), "t_cross")["lead"]
    assert leads.isna().tolist() == [False, False, True, True]
    dots = next(line for line in axis.get_lines() if line.get_label() == "T_cross")
    np.testing.assert_array_equal(dots.get_xdata(), leads)
    arrows = next(line for line in axis.get_lines() if line.get_marker() == "<")
    np.testing.assert_array_equal(arrows.get_xdata(), [-1_000, -1_000])
    np.testing.assert_array_equal(arrows.get_ydata(), np.asarray(dots.get_ydata())[2:])


def test_figure_8_has_a_mark_for_every_run_and_rule(experiments: Runs) -> None:
    axis, of_pilots = draw(8, experiments).axes
    found = stops(experiments)
    of_rule = found[found["rule"] == CROSSING]
    marks = next(line for line in axis.get_lines() if line.get_label() == CROSSING)
    np.testing.assert_array_equal(marks.get_xydata(), of_rule[["saved", "lost"]])
    assert not of_pilots.get_lines()  # pilots need five runs


def test_figure_8_has_a_dot_for_every_choice_of_pilots(tmp_path: Path) -> None:
    levels = [0.55, 0.58, 0.6, 0.61, 0.64]
    runs = [Run(seed, 2_000, at_grok=level) for seed, level in enumerate(levels)]
    _, axis = draw(8, write(tmp_path, e1_baseline=runs)).axes
    dots = [line for line in axis.get_lines() if line.get_marker() == "."]
    assert [len(line.get_ydata()) for line in dots] == [5, 10, 10]
    alone = sorted(abs(level - (sum(levels) - level) / 4) for level in levels)
    np.testing.assert_allclose(dots[0].get_ydata(), alone)


def test_figure_10_lays_the_probes_beside_each_other(experiments: Runs) -> None:
    (axis,) = draw(10, experiments).axes
    points = np.asarray(axis.collections[0].get_offsets())
    assert len(points) == len(experiments.tables("e1_baseline").curves)
    np.testing.assert_allclose(points[:, 0] - points[:, 1], 0.01)


def test_figure_12_draws_alignment_against_entropy_until_grokking(experiments: Runs) -> None:
    first, second = draw(12, experiments).axes
    lines = [line for line in first.get_lines() if line.get_linestyle() == "-"]
    assert [len(line.get_xdata()) for line in lines] == [time // 100 + 1 for time in TIMES]
    for line, level in zip(lines, LEVELS, strict=True):
        np.testing.assert_allclose(line.get_xdata() + line.get_ydata(), 1)
        assert line.get_xdata()[-1] == pytest.approx(level)
    assert first.xaxis_inverted() and second.xaxis_inverted()


def test_figure_12_needs_the_alignment(tmp_path: Path) -> None:
    with pytest.raises(NotRun, match="no column fourier_paper/alignment"):
        draw(12, write(tmp_path, e1_baseline=[Run(seed, 2_000) for seed in range(3)]))
