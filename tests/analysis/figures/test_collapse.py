"""The figure of accuracies and collapse: a line an arm, a mark for one value, words for none."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from analysis.figures import collapse
from analysis.figures.style import prepare

BY = ["weight_decay"]


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    prepare()
    yield
    plt.close("all")


def curves(arms: int, seeds: int = 2, steps: tuple[int, ...] = (0, 1, 10, 100)) -> pd.DataFrame:
    frames = []
    for arm in range(arms):
        for seed in range(seeds):
            measured = {
                name: (0.5 + 0.1 * seed) / (1 + arm) * np.ones(len(steps))
                for name in collapse.PANELS
            }
            of_cell = {"key": f"{arm}-{seed}", "seed": seed, "weight_decay": 0.1 * (1 + arm)}
            frames.append(pd.DataFrame({"step": steps, **measured, **of_cell}))
    return pd.concat(frames, ignore_index=True)


def lines(axis: Axes) -> list[list[tuple[float, float]]]:
    return [[(float(x), float(y)) for x, y in line.get_xydata()] for line in axis.lines]


@pytest.mark.parametrize("arms", [1, 2, 10, 25])
def test_each_panel_has_a_line_for_each_arm(arms: int) -> None:
    figure = collapse.draw(curves(arms), BY)
    figure.canvas.draw()
    panels = figure.axes[:4]
    assert [axis.get_title(loc="left") for axis in panels] == [
        title for title, _ in collapse.PANELS.values()
    ]
    for axis in panels:
        assert len(axis.lines) == arms
        assert axis.bbox.height > figure.dpi  # of an inch: legends do not press it
        for line, arm in zip(lines(axis), reversed(range(arms)), strict=True):
            # the mean of 0.5 and 0.6, the arm of the largest decay first, without step 0
            assert [x for x, _ in line] == [1, 10, 100]
            assert [y for _, y in line] == pytest.approx([0.55 / (1 + arm)] * 3)
    assert len(figure.axes) == 4 + (arms == 25)  # a colour bar


def test_one_evaluation_is_a_mark_with_a_bar_in_sight() -> None:
    figure = collapse.draw(curves(2, steps=(0, 1000)), BY)
    figure.canvas.draw()
    for axis in figure.axes:
        assert len(axis.lines) == len(axis.collections) == 2
        assert len({line.get_marker() for line in axis.lines} - {"None", ""}) == 2
        assert lines(axis)[1] == [(1000, pytest.approx(0.55))]
        (bar,) = axis.collections[1].get_segments()
        assert bar.tolist() == [[1000, pytest.approx(0.5)], [1000, pytest.approx(0.6)]]
        assert axis.get_xlim()[0] < 1000 < axis.get_xlim()[1]
        assert axis.get_ylim()[0] < 0.275 < 0.55 < axis.get_ylim()[1]


def test_one_value_for_all_has_room_around_it() -> None:
    figure = collapse.draw(curves(1, seeds=1, steps=(0, 1000)), BY)
    for axis in figure.axes[2:]:
        low, high = axis.get_ylim()
        assert low < 0.4 < 0.6 < high


def test_a_gap_between_evaluations_is_bridged() -> None:
    """A column measured at snapshots has no value at the others."""
    table = curves(1, seeds=1, steps=(0, 1, 2, 4, 8))
    table.loc[table["step"].isin([2, 4]), "collapse/rnc1"] = np.nan
    assert [x for x, _ in lines(collapse.draw(table, BY).axes[2])[0]] == [1, 8]


@pytest.mark.parametrize("there", [1, 2, 3, 4])
def test_there_are_the_panels_that_the_columns_allow(there: int) -> None:
    figure = collapse.draw(curves(2).drop(columns=list(collapse.PANELS)[there:]), BY)
    shown = [axis for axis in figure.axes if axis.axison]
    assert [len(axis.lines) for axis in shown] == [2] * there
    for axis in shown[-2:]:  # the lowest of each column
        assert axis.get_xlabel() == "optimiser steps"
        assert axis.xaxis.get_tick_params()["labelbottom"]
    with pytest.raises(ValueError, match="must have one of train_accuracy"):
        collapse.draw(curves(2).drop(columns=list(collapse.PANELS)), BY)


def test_a_panel_without_data_says_so() -> None:
    table = curves(2)
    table["collapse/rnc1"] = np.nan
    table.loc[table["key"] == "0-0", "collapse/nc2_cond"] = np.nan
    axes = collapse.draw(table, BY).axes
    assert [text.get_text() for text in axes[2].texts] == [
        "no run has a value of\ncollapse/rnc1\nafter step 0"
    ]
    assert axes[2].lines[:] == [] and [len(axes[at].lines) for at in (0, 1, 3)] == [2, 2, 2]
    assert not axes[3].texts


def test_runs_that_are_part_of_no_line_are_known() -> None:
    table = curves(3)
    first, second = table["key"] == "0-0", table["key"].str.startswith("1-")
    table.loc[first & (table["step"] > 0), "collapse/rnc1"] = np.nan
    table.loc[second, "collapse/rnc1"] = 0.0  # which a logarithmic axis does not show
    table.loc[second, "test_accuracy"] = 0.0  # another does
    assert collapse.not_drawn(table, BY, "collapse/rnc1") == {"0-0", "1-0", "1-1"}
    assert collapse.not_drawn(table, BY, "test_accuracy") == set()
    assert [len(axis.lines) for axis in collapse.draw(table, BY).axes] == [3, 3, 2, 3]
    only_start = curves(1, steps=(0,))
    assert collapse.not_drawn(only_start, BY, "test_accuracy") == {"0-0", "0-1"}
