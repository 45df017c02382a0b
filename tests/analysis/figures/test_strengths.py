"""Panels by strength: medians of the runs, their range, and lines between known evaluations."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection

from analysis.figures import strengths
from analysis.runs.experiments import NotRun
from analysis.runs.tables import Tables

STEPS = (0, 1, 10, 100, 1_000, 10_000)
COLOURS = {0.1: "red", 0.3: "blue"}


def tables(**columns: float) -> Tables:
    """Three runs at each of two decays; `x` is decay + seed + step, known at every second step."""
    cells = pd.DataFrame(
        [{"key": f"{decay}-{seed}", "weight_decay": decay, "seed": seed}
         for decay in (0.3, 0.1) for seed in range(3)]
    )  # fmt: skip
    curves = cells.merge(pd.DataFrame({"step": STEPS}), how="cross")
    curves["x"] = curves["weight_decay"] + curves["seed"] ** 2 + curves["step"]
    curves.loc[~curves["step"].isin(STEPS[1::2]), "x"] = np.nan
    curves["test_accuracy"] = 0.5
    curves["train_accuracy"] = 1.0
    return Tables(curves.assign(**columns), cells, Path())


def test_lines_connect_the_evaluations_that_are_known() -> None:
    _, axes = strengths.draw({"": tables()}, {"x": "title"}, "weight_decay", COLOURS)
    ((axis,),) = axes
    shown = {line.get_color(): line.get_xydata().tolist() for line in axis.get_lines()}
    assert shown == {
        colour: [[step, pytest.approx(decay + 1 + step)] for step in (100, 10_000)]
        for decay, colour in COLOURS.items()
    }  # the median of the seeds 0, 1, 2 is that of 1
    bands = [one for one in axis.collections if isinstance(one, PolyCollection)]
    heights = [one.get_paths()[0].vertices[:, 1] for one in bands]
    np.testing.assert_allclose([h.min() for h in heights], [100.1, 100.3])
    np.testing.assert_allclose([h.max() for h in heights], [10_004.1, 10_004.3])
    assert axis.get_xlim()[0] == strengths.START and axis.get_xscale() == "log"


def test_training_accuracy_is_dashed() -> None:
    _, axes = strengths.draw({"": tables()}, {"test_accuracy": "a"}, "weight_decay", COLOURS)
    dashes = {(line.get_linestyle(), float(line.get_ydata()[0])) for line in axes[0, 0].lines}
    assert dashes == {("--", 1.0), ("-", 0.5)}


def test_rows_have_their_names_and_share_one_legend() -> None:
    columns = {"x": "first", "y": "second"}
    rows = {"above": tables(), "below": tables(y=2.0)}
    figure, axes = strengths.draw(rows, columns, "weight_decay", COLOURS)
    assert [axis.get_ylabel() for axis in axes[:, 0]] == ["above", "below"]
    assert [axis.get_title("left") for axis in axes.flat] == ["first", "second", "", ""]
    assert [text.get_text() for text in axes[0, 1].texts] == ["not measured"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["0.1", "0.3"]
    assert "median and range of 3 runs" in legend.get_title().get_text()


def test_a_column_that_no_run_has_leaves_no_panel() -> None:
    columns = {"x": "first", "z": "second", "test_accuracy": "third"}
    _, axes = strengths.draw({"": tables(z=np.nan)}, columns, "weight_decay", COLOURS, down=2)
    assert [axis.get_title("left") for axis in axes.flat] == ["first", "third"]
    with pytest.raises(NotRun, match="z, w: not measured"):
        strengths.draw({"": tables()}, {"z": "", "w": ""}, "weight_decay", COLOURS)
