"""The figure of columns over the steps: what is drawn, held to pandas; and that it can be read."""

from collections.abc import Iterator, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from analysis.figures import curves as figure
from analysis.figures import medians
from analysis.figures.arm_layout import layout
from analysis.figures.style import prepare
from tests.helpers.arm_curves import arm_curves

COLUMNS = ("train_accuracy", "test_accuracy", "collapse/rnc1", "my/measure")


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    prepare()
    yield
    plt.close("all")


def drawn(
    curves: pd.DataFrame,
    by: Sequence[str] = ("weight_decay",),
    columns: Sequence[str] = COLUMNS,
    single: bool = False,
    linear: bool = False,
) -> Figure:
    arms = layout(curves.drop_duplicates("key"), by)
    keys = {label: arm.keys for label, arm in arms.arms.items()}
    panels = [medians.panel(curves, keys, name, linear) for name in columns]
    return figure.draw(panels, arms, single, linear)


def lines(axis: Axes) -> list[list[tuple[float, float]]]:
    return [[(float(x), float(y)) for x, y in line.get_xydata()] for line in axis.lines]


def thin(axis: Axes) -> list[list[tuple[float, float]]]:
    """Single runs."""
    return [
        [(float(x), float(y)) for x, y in segment]
        for collection in axis.collections
        if isinstance(collection, LineCollection) and collection.get_linewidth() == [figure.THIN]
        for segment in collection.get_segments()
    ]


@pytest.mark.parametrize("arms", [1, 10, 25])
def test_each_panel_has_the_median_of_each_arm(arms: int) -> None:
    decays = [0.01 * (1 + arm) for arm in range(arms)]
    curves = arm_curves(decays)
    found = drawn(curves)
    found.canvas.draw()
    titles = ["training accuracy", "test accuracy", r"RNC1 = $\mathrm{Tr}\,\Sigma_W / B_g^2$"]
    assert [axis.get_title(loc="left") for axis in found.axes[:4]] == [*titles, "my/measure"]
    later = curves[curves["step"] > 0]
    for axis, column in zip(found.axes[:4], COLUMNS, strict=True):
        assert axis.bbox.height > found.dpi  # of an inch: legends do not press it
        table = later.pivot_table(column, "step", "weight_decay", aggfunc="median")
        for line, decay in zip(lines(axis), reversed(decays), strict=True):
            assert line == [*table[decay].items()]
    assert [axis.get_yscale() for axis in found.axes[:4]] == ["linear", "linear", "log", "linear"]
    assert found.axes[1].get_ylim() == (0, 1.02)
    assert len(found.axes) == 4 + (arms == 25)  # a colour bar


def test_the_band_is_the_range() -> None:
    curves = arm_curves(decays=[0.3])
    (axis,) = drawn(curves, columns=["test_accuracy"]).axes
    (band,) = [c for c in axis.collections if not isinstance(c, LineCollection)]
    by_step = curves[curves["step"] > 0].groupby("step")["test_accuracy"]
    corners = {(float(x), float(y)) for x, y in band.get_paths()[0].vertices}
    assert corners == {*by_step.min().items(), *by_step.max().items()}
    assert thin(axis) == []


def test_a_median_stops_with_its_first_run_and_thin_lines_go_on() -> None:
    curves = arm_curves(decays=[0.3])
    first, *others = curves["key"].unique()
    curves = curves[(curves["key"] != first) | (curves["step"] <= 10)]
    found = drawn(curves, columns=["test_accuracy"])
    (axis,) = found.axes
    expected = curves.groupby("step")["test_accuracy"].median()
    assert lines(axis) == [[(1, expected[1]), (10, expected[10])]]
    rest = curves[curves["step"] >= 10].set_index("key")
    assert thin(axis) == [
        [*rest.loc[key, ["step", "test_accuracy"]].itertuples(index=False, name=None)]
        for key in others
    ]
    (legend,) = found.legends
    assert legend.get_title().get_text().endswith("(median and range of 3 runs; thin: single runs)")


def test_single_runs_with_the_median_above_them() -> None:
    curves = arm_curves(decays=[0.3])
    found = drawn(curves, columns=["test_accuracy"], single=True, linear=True)
    (axis,) = found.axes
    assert axis.get_xscale() == "linear"
    assert lines(axis) == [
        [*curves.groupby("step")["test_accuracy"].median().items()]
    ]  # step 0 too
    whole = curves.groupby("key")[["step", "test_accuracy"]]
    assert thin(axis) == [[*run.itertuples(index=False, name=None)] for _, run in whole]
    assert all(isinstance(collection, LineCollection) for collection in axis.collections)
    assert axis.lines[0].zorder > axis.collections[0].zorder
    assert "median, and each of 3 runs" in found.legends[0].get_title().get_text()


def test_two_columns_have_a_key_each() -> None:
    curves = arm_curves([1.0, 0.3, 0.1], [0.001, 0.003], seeds=5)
    found = drawn(curves, ["weight_decay", "lr"])
    found.canvas.draw()
    later = curves[curves["step"] > 0]
    for axis, column in zip(found.axes, COLUMNS, strict=True):
        assert len(axis.lines) == 6
        table = later.pivot_table(column, "step", ["weight_decay", "lr"], aggfunc="median")
        for line, arm in zip(lines(axis), reversed([*table]), strict=True):  # the largest first
            assert line == [*table[arm].items()]
        assert len({(line.get_color(), line.get_linestyle()) for line in axis.lines}) == 6
    keys = {
        legend.get_title().get_text(): [text.get_text() for text in legend.get_texts()]
        for legend in found.legends
    }
    assert keys == {
        "weight decay λ   (median and range of 5 runs)": ["1", "0.3", "0.1"],
        "learning rate η": ["0.003", "0.001"],
    }
    one, other = (legend.get_window_extent() for legend in found.legends)
    assert one.x1 < other.x0 and one.y0 == pytest.approx(other.y0, abs=1)  # beside one another
    for axis in found.axes:
        assert axis.bbox.y1 < one.y0


def test_keys_that_do_not_fit_beside_one_another() -> None:
    names = ["an_intervention_of_many_letters", "another_intervention_of_letters", "none"]
    curves = arm_curves(names, ["a_task_of_many_letters", "mod_add", "mod_mul"], seeds=1)
    found = drawn(curves, ["weight_decay", "lr"], columns=COLUMNS[:2])
    found.canvas.draw()
    above, below = (legend.get_window_extent() for legend in found.legends)
    for axis in found.axes:
        assert axis.bbox.height > found.dpi
        assert below.y1 < axis.get_tightbbox().y0 and axis.get_tightbbox().y1 < above.y0
    for box in (above, below):
        assert box.x0 >= 0 and box.x1 <= found.bbox.width


def test_many_numbers_and_dashes() -> None:
    curves = arm_curves(np.arange(1, 14) / 100, [0.001, 0.003], seeds=1)
    found = drawn(curves, ["weight_decay", "lr"], columns=COLUMNS[:2])
    assert [len(axis.lines) for axis in found.axes[:2]] == [26, 26]
    assert {line.get_linestyle() for line in found.axes[0].lines} == {"-", "--"}
    (legend,) = found.legends
    assert legend.get_title().get_text() == "learning rate η"
    assert found.axes[2].get_ylabel() == "weight decay λ   (1 run)"


def test_a_second_column_of_many_values_has_rows_of_panels() -> None:
    rates = [0.001, 0.002, 0.003, 0.004, 0.005]
    curves = arm_curves([0.3, 0.1], rates)
    curves.loc[curves["lr"] == 0.004, "my/measure"] = np.nan
    found = drawn(curves, ["weight_decay", "lr"], columns=["test_accuracy", "my/measure"])
    grid = np.array(found.axes).reshape(5, 2)
    later = curves[curves["step"] > 0]
    for row, rate in zip(grid, reversed(rates), strict=True):
        assert row[0].get_ylabel() == f"learning rate η = {rate:g}"
        of_rate = later[later["lr"] == rate]
        table = of_rate.pivot_table("test_accuracy", "step", "weight_decay", aggfunc="median")
        assert sorted(lines(row[0])) == sorted([*table[decay].items()] for decay in (0.3, 0.1))
    assert [len(row[1].lines) for row in grid] == [2, 0, 2, 2, 2]
    assert [text.get_text() for text in grid[1, 1].texts] == [
        "no run has a value of\nmy/measure\nafter step 0"
    ]
    assert len({axis.get_ylim() for axis in grid[[0, 2, 3, 4], 1]}) == 1  # one scale
    assert [axis.get_xlabel() for axis in found.axes] == [""] * 8 + ["optimiser steps"] * 2


def test_one_evaluation_is_a_mark_with_a_bar_in_sight() -> None:
    curves = arm_curves([0.3, 0.1], [1.0, 2.0], steps=(0, 1000))
    curves.loc[curves["step"] > 0, "train_accuracy"] = 1.0  # all alike
    found = drawn(curves, ["weight_decay", "lr"])
    found.canvas.draw()
    of_arms = curves[curves["step"] > 0].groupby(["weight_decay", "lr"])
    for axis, column in zip(found.axes, COLUMNS, strict=True):
        assert [line[0][0] for line in lines(axis)] == [1000] * 4
        heights = [line[0][1] for line in lines(axis)]
        assert sorted(heights) == sorted(of_arms[column].median())
        ends = {
            (float(bar[0, 1]), float(bar[1, 1]))
            for c in axis.collections
            if isinstance(c, LineCollection)
            for bar in c.get_segments()
        }
        assert ends == {*zip(of_arms[column].min(), of_arms[column].max(), strict=True)}
        assert axis.get_xlim()[0] < 1000 < axis.get_xlim()[1]
        at = [line.get_transform().transform(line.get_xydata())[0] for line in axis.lines]
        assert len({round(x) for x, _ in at}) == 4  # none hides another
        assert all(axis.bbox.x0 < x < axis.bbox.x1 for x, _ in at)
    shapes = {line.get_marker() for line in found.axes[0].lines}
    assert len(shapes) == 2 and "None" not in shapes


def test_one_value_for_all_has_space_around_it() -> None:
    curves = arm_curves([0.3], seeds=1, steps=(0, 1000)).assign(**{"collapse/rnc1": 0.5})
    low, high = drawn(curves, columns=["collapse/rnc1"]).axes[0].get_ylim()
    assert low < 0.4 < 0.6 < high


@pytest.mark.parametrize("there", [1, 2, 3, 4])
def test_the_lowest_panels_name_the_axis(there: int) -> None:
    found = drawn(arm_curves(), columns=COLUMNS[:there])
    shown = [axis for axis in found.axes if axis.axison]
    assert [len(axis.lines) for axis in shown] == [2] * there
    for axis in shown[-2:]:
        assert axis.get_xlabel() == "optimiser steps"
        assert axis.xaxis.get_tick_params()["labelbottom"]


def test_a_panel_without_data_says_so() -> None:
    curves = arm_curves().assign(**{"my/measure": np.nan})
    axes = drawn(curves).axes
    assert [text.get_text() for text in axes[3].texts] == [
        "no run has a value of\nmy/measure\nafter step 0"
    ]
    assert axes[3].lines[:] == [] and [len(axis.lines) for axis in axes[:3]] == [2, 2, 2]


def test_infinite_values_and_zeros_leave_the_picture() -> None:
    curves = arm_curves([0.3])
    curves.loc[curves["step"] == 10, "collapse/rnc1"] = np.inf
    curves.loc[curves["step"] == 1000, "collapse/rnc1"] = 0.0
    (axis,) = drawn(curves, columns=["collapse/rnc1"]).axes
    known = curves[curves["step"].isin([1, 100])]["collapse/rnc1"]
    low, high = axis.get_ylim()
    assert 0.01 * known.min() < low < known.min() and known.max() < high < 100 * known.max()
