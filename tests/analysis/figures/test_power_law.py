"""What the figure of a power law draws."""

from collections.abc import Iterator
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.figures import power_law as figure
from analysis.figures.style import prepare
from analysis.times import power_law
from tests.helpers.power_laws import ALONE, JOINT, draws, fitted, grid, tied


@pytest.fixture
def figures() -> Iterator[None]:
    prepare()
    yield
    plt.close("all")


def lines(events: pd.DataFrame, found: power_law.Fit) -> dict[str, plt.Line2D]:
    (axis,) = figure.draw(events, found).axes
    assert axis.get_xscale() == axis.get_yscale() == "log"
    return {str(line.get_label()): line for line in axis.get_lines()}


@pytest.mark.usefixtures("figures")
def test_figure_shows_runs_as_they_are_known() -> None:
    events = grid(draws(24), every=6000, budget=40_000)
    found = fitted(events)
    (axis,) = figure.draw(events, found).axes
    drawn = {str(line.get_label()): line for line in axis.get_lines()}

    def heights(label: str) -> list[float]:
        """Of all marks of a kind; equal ones are apart, and so several lines."""
        marks = [line for line in axis.get_lines() if line.get_label() == label]
        return sorted(float(y) for line in marks for y in line.get_ydata())

    beyond, before = ~events["observed"], events["lower"] == 0
    for label, which, column in (
        ("a run, later than this", beyond, "step"), ("a run, earlier than this", before, "upper"),
    ):  # fmt: skip
        assert which.any()
        assert heights(label) == sorted(events.loc[which, column])
    between = events[~beyond & ~before]
    middles = np.sqrt(between["lower"] * between["upper"])
    assert heights("a run, between evaluations") == sorted(middles)
    assert drawn["a run, later than this"].get_marker() == "^"
    for label, slope in (
        ("slope 0", 0),
        ("slope −1", -1),
        ("median", -found.exponents[ALONE[0]].estimate),
    ):
        x, y = np.log(drawn[label].get_data())
        assert np.diff(y) / np.diff(x) == pytest.approx(slope)
    # the curve is drawn thick where there are dots
    assert drawn["median"].get_xdata().min() >= between["weight_decay"].min() * 0.999


@pytest.mark.usefixtures("figures")
def test_runs_with_equal_times_are_side_by_side() -> None:
    events = grid(draws(24), every=6000, budget=40_000)
    drawn = figure.draw(events, fitted(events))
    drawn.canvas.draw()
    (axis,) = drawn.axes
    marks = [line for line in axis.get_lines() if str(line.get_label()).startswith("a run")]
    drawn_at = [line.get_transform().transform(line.get_xydata()) for line in marks]
    at = [tuple(point) for points in drawn_at for point in points]
    assert len(at) == len(events) == len(set(at))
    assert events.duplicated(["weight_decay", "lower", "upper"]).any()  # which would hide another
    assert all(axis.bbox.x0 < x < axis.bbox.x1 for x, _ in at)


@pytest.mark.usefixtures("figures")
def test_figure_of_a_joint_fit_parts_the_other_column() -> None:
    events = grid(draws(25), rates=(1e-3, 3e-3))
    drawn = lines(events, power_law.fit(events, JOINT, draws()))
    pair = [drawn["lr = 0.001"], drawn["lr = 0.003"]]
    assert len({(line.get_color(), line.get_linestyle()) for line in pair}) == 2
    with pytest.raises(ValueError, match="draws power laws"):
        figure.draw(events, fitted(grid(draws()), law="logarithmic"))


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize("method", ["Wald", "none: 4 observed runs for 3 parameters " * 3])
def test_a_long_reason_in_the_title_is_not_cut(method: str) -> None:
    events = grid(draws(24), every=6000, budget=40_000)
    found = fitted(events)
    k = replace(found.exponents["weight_decay"], method=method)
    drawn = figure.draw(events, replace(found, exponents={"weight_decay": k}))
    drawn.canvas.draw()
    title = drawn.axes[0].get_title(loc="left")
    assert " ".join(title.split()).count(" ".join(method.split())) == 1
    box = drawn.axes[0]._left_title.get_window_extent()
    assert box.x1 <= drawn.canvas.get_width_height()[0]


@pytest.mark.usefixtures("figures")
def test_figure_without_scatter_has_no_band() -> None:
    events = tied((0.1, 1000, 1666), (0.01, 4000, 4666))
    assert "median" in lines(events, fitted(events))
