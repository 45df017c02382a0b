"""Figures 3, 5, 7, 9, 11: what they show of made-up runs, and that they refuse what was not run."""

from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes

from analysis.figures import style
from analysis.papers.entropy.figures import figure_3, figure_5, figure_7, figure_9, figure_11
from analysis.runs.experiments import NotRun
from grokpipe.curves.events import ENTROPY
from tests.helpers.entropy_runs import BUDGET, START, Run, arm, baseline, reading, write

TIMES = [1_500, 2_000, 2_600, 3_100, 1_900]


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    style.prepare()
    yield
    plt.close("all")


def dots(axis: Axes, marker: str) -> list[tuple[float, float]]:
    """Of all lines with a marker."""
    return [
        (float(x), float(y))
        for line in axis.lines
        if line.get_marker() == marker
        for x, y in zip(np.atleast_1d(line.get_xdata()), np.atleast_1d(line.get_ydata()))
    ]


def test_figure_3_has_every_run_and_the_delay_of_every_arm(tmp_path: Path) -> None:
    mixed = arm("mixing", [time + 300 for time in TIMES], {"alpha": 0.1})
    strong = arm("mixing", [None, *(time + 900 for time in TIMES[1:])], {"alpha": 0.5})
    experiments = write(
        tmp_path, e1_baseline=baseline(TIMES), e2_mixing=mixed + strong,
        e3_norm_alone=arm("norm_match", TIMES),
    )  # fmt: skip
    times, delays, entropies = figure_3.draw(experiments).axes
    assert [label.get_text() for label in times.get_yticklabels()] == [
        "baseline", "mixing, α = 0.1", "mixing, α = 0.5", "norm matched alone",
    ]  # fmt: skip
    assert sorted(dots(times, "o")) == sorted(
        [(time, 0) for time in TIMES] + [(time + 300, 1) for time in TIMES]
        + [(time + 900, 2) for time in TIMES[1:]] + [(time, 3) for time in TIMES]
    )  # fmt: skip
    assert dots(times, ">") == [(BUDGET, 2)]
    # Kaplan & Meier's, so the run that did not grok counts
    assert (sorted(TIMES)[3] + 900, 2) in dots(times, "|")
    expected = (BUDGET - TIMES[0] + 4 * 900) / 5
    assert dots(delays, "s") == [(300, 1), (pytest.approx(expected), 2), (0, 3)]
    # H̃ falls by 0.2 over the 500 steps before a run groks
    assert dots(entropies, "s") == [
        (pytest.approx(0.12), 1), (pytest.approx(0.2), 2), (pytest.approx(0), 3)
    ]  # fmt: skip
    published = [line for line in delays.lines if list(line.get_xdata()) == [5_020, 5_020]]
    assert [list(line.get_ydata()) for line in published] == [[0.6, 2.4]]


def test_figure_3_counts_the_runs_that_did_not_grok(tmp_path: Path) -> None:
    held = arm("regularise", [None, None, None, *TIMES[3:]], {"beta": -0.1, "measure": "entropy"})
    experiments = write(tmp_path, e1_baseline=baseline(TIMES), e3_regularise=held)
    times, _, _ = figure_3.draw(experiments).axes
    assert [text.get_text() for text in times.texts] == ["3 ×"]
    assert [row for _, row in dots(times, "|")] == [0]  # the median is not reached


def test_figure_5_has_a_panel_a_task_with_its_threshold(tmp_path: Path) -> None:
    others = [
        Run(seed, time, at_grok=0.58, settings={"task.name": task})
        for task in ("mod_mul", "mod_sub")
        for seed, time in enumerate(TIMES)
    ]
    experiments = write(tmp_path, e1_baseline=baseline(TIMES), e6_universality=others)
    axes = figure_5.draw(experiments).axes
    assert [axis.get_title("left") for axis in axes] == [
        "a + b,  H̃* = 0.600", "a · b,  H̃* = 0.580", "a − b,  H̃* = 0.580",
    ]  # fmt: skip
    assert dots(axes[1], "o") == [(time, pytest.approx(0.58)) for time in TIMES]


def test_figure_7_has_a_column_a_fraction(tmp_path: Path) -> None:
    runs = [
        Run(seed, time, settings={"task.name": "symmetric", "task.fraction": fraction})
        for fraction, times in ((0.1, [None] * 3), (0.2, [None, 2_000, 2_400]))
        for seed, time in enumerate(times)
    ]
    axes = figure_7.draw(write(tmp_path, e6_s5=runs)).axes
    titles = ["0.1 of the pairs: 0 of 3 grok", "0.2 of the pairs: 2 of 3 grok"]
    assert [axis.get_title("left") for axis in axes[:2]] == titles
    assert dots(axes[0], "o") == []
    assert dots(axes[1], "o") == [(2_000, 1), (2_400, 1)]


def test_figure_9_has_both_networks_at_each_fraction(tmp_path: Path) -> None:
    runs = [
        Run(0, groks, settings={"arch.name": name, "task.fraction": fraction})
        for name, fraction, groks in (
            ("mlp", 0.2, None), ("transformer", 0.2, 2_000), ("mlp", 0.5, 1_500)
        )
    ]  # fmt: skip
    figure = figure_9.draw(write(tmp_path, e7_mlp=runs))
    axes = figure.axes
    assert [axis.get_title("left") for axis in axes[:2]] == ["0.2 of the pairs", "0.5 of the pairs"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["MLP", "Transformer"]
    assert dots(axes[4], "o") == [(2_000, 0.6)]
    assert dots(axes[5], "o") == [(1_500, 0.6)]
    levels = [line for line in axes[2].lines if list(line.get_ydata()) == [0.6, 0.6]]
    assert len(levels) == 1  # H̃*; without a Transformer there is none
    assert not [line for line in axes[3].lines if len(line.get_ydata()) == 2]


@pytest.mark.parametrize("module", [figure_3, figure_5, figure_7, figure_9])
def test_what_was_not_run_is_not_drawn(module: object, tmp_path: Path) -> None:
    with pytest.raises(NotRun):
        module.draw(reading(tmp_path))  # type: ignore[attr-defined]
    assert plt.get_fignums() == []  # nor left open
    assert module.OURS is (module is figure_7)  # type: ignore[attr-defined]
    assert module.TITLE.endswith(".")  # type: ignore[attr-defined]


def test_figure_11_has_grokked_runs_and_the_lowest_entropy_of_the_others(tmp_path: Path) -> None:
    low = Run(1, None, settings={"intervention.name": "mixing", "intervention.alpha": 0.1})
    low.curves[ENTROPY] = np.where(low.steps == 700, 0.31, 0.5)
    mixed = [*arm("mixing", [1_900], {"alpha": 0.1}, at_grok=0.7), low]
    waits = arm("mixing", [None, None, None], {"alpha": 0.1}, state="interrupted", ends=1_000)[2]
    mlp = Run(0, None, settings={"arch.name": "mlp"})
    experiments = write(
        tmp_path, e1_baseline=baseline(TIMES), e2_mixing=[*mixed, waits], e7_mlp=[mlp]
    )
    (axis,) = figure_11.draw(experiments).axes
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert labels == ["baseline", "mixing", "MLP modulo 41, fraction 0.2"]
    assert dots(axis, "o") == [(0.6, 0)] * 5 + [(pytest.approx(0.7), 1)]
    assert dots(axis, "<") == [(0.31, 1), (START, 2)]  # what broke off may yet fall


def test_figure_11_orders_arms_by_their_strengths(tmp_path: Path) -> None:
    several = [run for a in (0.5, 0.05, 0.1) for run in arm("mixing", [1_900], {"alpha": a})]
    experiments = write(tmp_path, e1_baseline=baseline(TIMES), e2_mixing=several)
    (axis,) = figure_11.draw(experiments).axes
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert labels == ["baseline", *(f"mixing alpha {a}" for a in ("0.05", "0.1", "0.5"))]


def test_figure_11_needs_another_arm(tmp_path: Path) -> None:
    with pytest.raises(NotRun, match="no arm beside it"):
        figure_11.draw(write(tmp_path, e1_baseline=baseline(TIMES)))
