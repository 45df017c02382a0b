"""Kaplan–Meier curves: what they draw of times to events."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch
from scipy import stats

from analysis.figures import survival
from tests.helpers.drawn import clipped


def arm(decay: float, *steps: float, censored: tuple[float, ...] = ()) -> pd.DataFrame:
    runs = pd.DataFrame({"step": [*steps, *censored]})
    runs["observed"] = [True] * len(steps) + [False] * len(censored)
    runs["seed"] = range(len(runs))
    key = runs["seed"].map("{:016d}".format)
    return runs.assign(weight_decay=decay, event="t_grok", state="done", key=key)


def curves(axis: Axes) -> dict[str, Line2D]:
    return {
        str(line.get_label()): line
        for line in axis.get_lines()
        if line.get_drawstyle() == "steps-post"
    }


def at_risk(table: Axes) -> list[list[str]]:
    """The numbers of each arm, from left to right."""
    rows: dict[float, dict[float, str]] = {}
    for text in table.texts:
        x, y = text.get_position()
        rows.setdefault(y, {})[x] = text.get_text()
    return [[of_row[x] for x in sorted(of_row)] for _, of_row in sorted(rows.items())]


def test_curves_are_kaplan_meier() -> None:
    draws = np.random.default_rng(0)
    arms = {
        decay: arm(decay, *draws.integers(100, 900, 8), censored=tuple(draws.integers(100, 900, 3)))
        for decay in (0.1, 0.3)
    }
    events = pd.concat(arms.values())
    axis = survival.draw(events.sample(frac=1, random_state=0), ["weight_decay"]).axes[0]
    drawn = curves(axis)
    assert list(drawn) == ["0.3", "0.1"]
    for decay, runs in arms.items():
        line, observed = drawn[f"{decay:g}"], runs["observed"]
        data = stats.CensoredData(
            uncensored=runs["step"][observed].to_numpy(), right=runs["step"][~observed].to_numpy()
        )
        x, y = line.get_data()
        assert (x[0], y[0], x[-1]) == (0, 0, runs["step"].max())
        between = np.linspace(0, runs["step"].max(), 500)
        drawn_at = y[np.searchsorted(x, between, side="right") - 1]
        assert drawn_at == pytest.approx(stats.ecdf(data).cdf.evaluate(between))
    assert len({line.get_color() for line in drawn.values()}) == 2
    assert len({line.get_linestyle() for line in drawn.values()}) == 2


def test_band_is_drawn_where_it_is_defined() -> None:
    """With S = 1 (before the first event) and S = 0 (after the last) it is not."""
    events = arm(0.1, 200, 400, 500, 700, censored=(100,))
    axis = survival.draw(events, ["weight_decay"]).axes[0]
    (band,) = [patch for patch in axis.patches if isinstance(patch, StepPatch)]
    high, edges, low = band.get_data()
    assert edges.tolist() == [100, 200, 400, 500, 700]
    assert np.isnan(high[0]) and np.isnan(low[0])
    s = np.array([3, 2, 1]) / 4  # by hand: Greenwood on the scale of log(−log S)
    variance = np.cumsum([1 / (4 * 3), 1 / (3 * 2), 1 / (2 * 1)])
    width = stats.norm.ppf(0.975) * np.sqrt(variance) / np.log(s)
    assert high[1:] == pytest.approx(1 - s ** np.exp(-width))
    assert low[1:] == pytest.approx(1 - s ** np.exp(width))
    drawn = [x for x in band.get_path().vertices[:, 0] if x > 0]
    assert min(drawn) == 200


def test_censored_runs_are_ticks_on_the_curve() -> None:
    events = arm(0.1, 100, 300, censored=(200, 500, 500))
    axis = survival.draw(events, ["weight_decay"]).axes[0]
    (ticks,) = [line for line in axis.get_lines() if line.get_marker() == "|"]
    x, y = ticks.get_data()
    assert x.tolist() == [200, 500]
    assert y == pytest.approx([1 / 5, 1 - 4 / 5 * 2 / 3])


def medians(axis: Axes) -> list[tuple[str, float]]:
    """Shape and step of the marks at one half."""
    marks = [line for line in axis.get_lines() if line.get_marker() in ("o", ">")]
    assert all(line.get_ydata() == [0.5] for line in marks)
    return [(str(line.get_marker()), float(line.get_xdata()[0])) for line in marks]


def test_a_median_is_a_circle_and_one_that_was_not_seen_an_arrow() -> None:
    arms = [
        arm(0.3, 100, 200, 400),
        arm(0.1, 300, censored=(500, 500)),
        arm(0.03, censored=(500, 500, 500)),
        arm(0.01, 100, 200, 400),
    ]
    figure = survival.draw(pd.concat(arms), ["weight_decay"])
    axis = figure.axes[0]
    assert medians(axis) == [("o", 200), ("o", 200), (">", 500), (">", 500)]
    figure.canvas.draw()
    marks = [line for line in axis.get_lines() if line.get_marker() in ("o", ">")]
    heights = [line.get_transform().transform(line.get_xydata())[0, 1] for line in marks]
    assert len(set(heights)) == 2  # one above the other, where they share a step
    title = figure.legends[0].get_title().get_text()
    assert title.endswith("(○ median, ▷ later than this)")


def test_arms_that_are_far_apart_are_on_a_logarithmic_axis() -> None:
    near, far = arm(0.3, 100, 200, 300), arm(0.1, 1100, 2000)
    axis = survival.draw(pd.concat([near, far]), ["weight_decay"]).axes[0]
    assert axis.get_xscale() == "log"
    for line in curves(axis).values():
        assert line.get_xdata()[0] == axis.get_xlim()[0] > 0
    # nor where a run had the event at step 0, which a logarithm does not show
    for others in (arm(0.1, 900, 950), arm(0.1, 0, 2000, 3000)):
        axis = survival.draw(pd.concat([near, others]), ["weight_decay"]).axes[0]
        assert axis.get_xscale() == "linear"


def test_numbers_at_risk() -> None:
    events = pd.concat([arm(0.3, 100, 300, censored=(500,)), arm(0.1, 400, 400)])
    axis, table = survival.draw(events, ["weight_decay"]).axes
    ticks = axis.get_xticks().tolist()
    assert ticks == table.get_xticks().tolist() == [0, 100, 200, 300, 400, 500]
    assert at_risk(table) == [list("332211"), list("222220")]
    assert [label.get_text() for label in table.get_yticklabels()] == ["0.3", "0.1"]


def test_nothing_observed_is_a_line_at_zero() -> None:
    axis = survival.draw(arm(0.1, censored=(500, 500)), ["weight_decay"]).axes[0]
    assert curves(axis)["0.1"].get_ydata().max() == 0
    assert not axis.patches


def test_survival_says_what_it_shows() -> None:
    figure = survival.draw(arm(0.1, 100, 200), ["weight_decay"])
    axis, table = figure.axes
    assert axis.get_ylabel() == "share of runs\nthat had " + r"$T_{\mathrm{grok}}$"
    assert axis.get_xlabel() == "optimiser steps"
    assert table.get_title(loc="left") == "runs at risk"
    assert figure.legends[0].get_title().get_text() == "weight decay λ   (○ median)"
    ratio = survival.draw(arm(0.1, 1.5, 2.5).assign(event="tau2_half/tau1"), ["weight_decay"])
    assert ratio.axes[0].get_xlabel() == r"$\tau_2^{\mathrm{half}} / \tau_1$"


def test_survival_of_nothing_or_of_several_events_is_refused() -> None:
    runs = arm(0.1, 100, 200)
    for events in (runs.iloc[:0], pd.concat([runs, runs.assign(event="t_mem")])):
        with pytest.raises(ValueError, match="must be one event of some arms"):
            survival.draw(events, ["weight_decay"])


@pytest.mark.parametrize("arms", [13, 25])
def test_many_decays_have_a_colour_bar_beside_curves_and_table(arms: int) -> None:
    runs = [arm(0.01 * (1 + number), *range(100, 1100, 100)) for number in range(arms)]
    figure = survival.draw(pd.concat(runs), ["weight_decay"])
    assert clipped(figure) in ([], ["1.2"])  # a tick beyond the axis, which is not drawn
    axis, table, bar = figure.axes
    assert len(curves(axis)) == len(at_risk(table)) == arms
    assert figure.legends == [] and bar.get_ylabel() == "weight decay λ   (○ median)"
    assert axis.bbox.x0 == pytest.approx(table.bbox.x0)  # numbers lie under their steps
    assert axis.bbox.x1 == pytest.approx(table.bbox.x1)


@pytest.mark.parametrize("arms", [1, 2, 8, 25])
def test_no_text_of_survival_is_clipped(arms: int) -> None:
    runs = [
        arm(0.1, *range(100, 1100, 100)).assign(weight_decay=f"a_long_intervention, 0.{number}")
        for number in range(arms)
    ]
    figure = survival.draw(pd.concat(runs), ["weight_decay"])
    assert clipped(figure) == []
    table = figure.axes[1]
    labels = [label.get_window_extent().x1 for label in table.get_yticklabels()]
    assert max(labels) < min(text.get_window_extent().x0 for text in table.texts)
