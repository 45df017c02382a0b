"""Lines and marks for runs: each is there, where its numbers are."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from analysis.figures import run_lines

CURVES = pd.DataFrame(
    {"key": ["a", "a", "a", "b", "b"], "step": [0, 100, 200, 0, 100], "x": [0.0, 1, 5, 2, 3]}
)


@pytest.fixture
def axis() -> Iterator[Axes]:
    plt.switch_backend("Agg")
    yield plt.subplots()[1]
    plt.close("all")


def points(axis: Axes) -> list[list[tuple[float, float]]]:
    return [[(float(x), float(y)) for x, y in line.get_xydata()] for line in axis.lines]


def test_a_line_a_run_and_their_mean_while_all_last(axis: Axes) -> None:
    run_lines.runs(axis, CURVES, "x", "0.5")
    assert points(axis) == [[(0, 0), (100, 1), (200, 5)], [(0, 2), (100, 3)]]
    run_lines.mean(axis, CURVES, "x")
    assert points(axis)[-1] == [(0, 1), (100, 2)]


def test_dots_lie_on_the_curves_of_the_runs_that_had_the_event(axis: Axes) -> None:
    run_lines.dots(axis, CURVES, pd.DataFrame({"key": ["b"], "step": [100]}), "x", "0.5")
    assert points(axis) == [[(100, 3)]]


def test_rows_are_filled_for_dots_and_hollow_for_others(axis: Axes) -> None:
    run_lines.row(axis, [1, 2], 3, "black")
    run_lines.row(axis, np.array([]), 4, "black", "<")
    assert points(axis) == [[(1, 3), (2, 3)], []]
    assert [line.get_markerfacecolor() for line in axis.lines] == ["black", "none"]
    run_lines.named_rows(axis, ["one", "two"])
    assert [label.get_text() for label in axis.get_yticklabels()] == ["one", "two"]
    assert axis.get_ylim() == (1.5, -0.5)  # from above


def test_a_level_of_ours_is_dashed_and_a_published_one_dotted(axis: Axes) -> None:
    run_lines.level(axis, 0.5)
    run_lines.level(axis, 0.6, published=True)
    assert [line.get_linestyle() for line in axis.lines] == ["--", ":"]
    run_lines.steps(axis, 4)
    assert axis.xaxis.get_major_formatter()(12_000) == "12,000"
    assert len(run_lines.palette(5)) == 5
