"""What the figures of times to events draw: Kaplan–Meier curves and forest plots."""

import math
from collections.abc import Iterator
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch
from scipy import stats

from analysis.figures import forest, survival
from analysis.figures.style import prepare


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    prepare()
    yield
    plt.close("all")


def clipped(figure: Figure) -> list[str]:
    """Texts that are drawn beyond the edges of the figure."""
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    texts = [text for axis in figure.axes for text in axis.findobj(plt.Text)]
    texts += [text for legend in figure.legends for text in legend.get_texts()]
    boxes = [
        (t.get_text(), t.get_window_extent()) for t in texts if t.get_text() and t.get_visible()
    ]
    return [
        text
        for text, box in boxes
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]


# Kaplan–Meier


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


# Forest plot


def comparison(
    arm: str,
    difference: float = math.nan,
    lower: float = math.nan,
    upper: float = math.nan,
    p: float = 0.04,
    event: str = "t_grok",
    test: str | None = "log-rank",
) -> dict[str, object]:
    return {
        "event": event, "arm": arm, "n": 10, "reached": 9, "runs": 10, "difference": difference,
        "difference_lower": lower, "difference_upper": upper, "test": test, "p_holm": p,
    }  # fmt: skip


BASELINE = comparison("none", p=math.nan, test=None)


def drawn_forest(*rows: dict[str, object]) -> Figure:
    return forest.draw(pd.DataFrame(rows))


def columns(figure: Figure) -> dict[str, list[str]]:
    """The columns of text of the first panel, by their heading."""
    texts = [
        [label.get_text() for label in figure.axes[at].get_yticklabels()] for at in (0, 1, 3, 4)
    ]
    return {heading: below for heading, *below in texts}


def marks(figure: Figure, y: float) -> dict[str, list[float]]:
    """What a row draws: the ends of its whisker and where its markers are."""
    found = {}
    for line in figure.axes[2].get_lines():
        if list(line.get_ydata()) in ([y], [y, y]):
            marker = str(line.get_marker())
            name = "whisker" if marker == "None" else marker
            found[name] = [float(x) for x in line.get_xdata()]
    return found


def test_a_row_is_drawn_and_written() -> None:
    figure = drawn_forest(BASELINE, comparison("mixing", 1200, -800, 3300))
    assert columns(figure) == {
        "arm": ["t_grok", "none", "mixing"],
        "reached": ["", "9/10", "9/10"],
        "difference [95 %]": ["", "baseline", "+1,200 [−800, +3,300]"],
        "p, Holm": ["", "", "0.04"],
    }
    assert marks(figure, 3) == {"whisker": [-800, 3300], "s": [1200]}
    assert marks(figure, 2) == {}  # the baseline
    zero = [line for line in figure.axes[2].get_lines() if list(line.get_xdata()) == [0, 0]]
    assert len(zero) == 1
    for axis in figure.axes[:5]:  # text and marks in one row
        assert axis.get_ylim() == (3.5, -0.5)


def test_infinite_ends_are_arrows_at_the_edge() -> None:
    figure = drawn_forest(
        comparison("up", 8000, 3000, math.inf, p=0.0004),
        comparison("down", -3000, -math.inf, -100),
        comparison("never", math.inf, 9000, math.inf),
        comparison("open", math.nan, -math.inf, math.inf, p=math.nan),
    )
    least, most = figure.axes[2].get_xlim()
    assert least < -3000 and most > 9000
    assert marks(figure, 2) == {"whisker": [3000, most], ">": [most], "s": [8000]}
    assert marks(figure, 3) == {"whisker": [least, -100], "<": [least], "s": [-3000]}
    assert marks(figure, 4) == {"whisker": [9000, most], ">": [most]}
    assert marks(figure, 5) == {"whisker": [least, most], "<": [least], ">": [most]}
    assert columns(figure)["difference [95 %]"][1:] == [
        "+8,000 [+3,000, +∞]", "−3,000 [−∞, −100]", "+∞ [+9,000, +∞]",
        "not estimable [−∞, +∞]",
    ]  # fmt: skip
    assert columns(figure)["p, Holm"][1:] == ["0.0004", "0.04", "0.04", "–"]


def test_a_difference_to_an_arm_without_the_event_is_an_arrow() -> None:
    figure = drawn_forest(
        BASELINE | {"reached": 10},
        comparison("never", 300, 100, 500) | {"reached": 0},
        comparison("some", 200, 100, 300) | {"reached": 9},
    )
    assert marks(figure, 3) == {"whisker": [100, 500], ">": [300]}
    assert marks(figure, 4) == {"whisker": [100, 300], "s": [200]}
    assert columns(figure)["difference [95 %]"][2:] == [
        "≥ +300 [+100, +500]", "+200 [+100, +300]"
    ]  # fmt: skip
    assert "arrow: beside an arm without the event" in figure.axes[2].get_xlabel()
    # of a baseline without it, the others are earlier by more; of neither with it nothing is known
    figure = drawn_forest(
        BASELINE | {"reached": 0},
        comparison("all", -300, -500, -100) | {"reached": 10},
        comparison("some", -200, -300, -100) | {"reached": 9},
        comparison("neither") | {"reached": 0},
    )
    assert marks(figure, 3) == {"whisker": [-500, -100], "<": [-300]}
    assert marks(figure, 4) == {"whisker": [-300, -100], "<": [-200]}
    assert marks(figure, 5) == {}
    assert columns(figure)["difference [95 %]"][2:] == [
        "≤ −300 [−500, −100]", "−200 [−300, −100]", "–"
    ]  # fmt: skip


def test_an_arm_without_the_event_has_a_row_of_its_own() -> None:
    none_has_it = comparison("noise", p=math.nan, test=None) | {"n": 0, "reached": 0, "runs": 3}
    figure = drawn_forest(BASELINE, comparison("mixing", 5.0) | {"runs": 12}, none_has_it)
    assert columns(figure)["reached"] == ["", "9/10", "9/10 of 12", "0/0 of 3"]
    assert columns(figure)["difference [95 %]"] == ["", "baseline", "+5", "–"]
    assert marks(figure, 4) == {}


def test_what_is_not_estimable_is_said_and_not_drawn() -> None:
    figure = drawn_forest(comparison("mixing"), comparison("one run", 500.0))
    assert columns(figure)["difference [95 %]"] == ["", "–", "+500"]
    assert marks(figure, 2) == {}
    assert marks(figure, 3) == {"s": [500]}


def test_events_are_rows_and_ratios_have_a_panel_with_their_own_axis() -> None:
    figure = drawn_forest(
        comparison("mixing", 1200, -800, 3300, event="tau1"),
        comparison("mixing", 1.5, 1.25, 1.75, event="tau2_half/tau1"),
        comparison("mixing", 90_000, 80_000, 100_000, event="t_grok"),
    )
    assert columns(figure)["arm"] == ["tau1", "mixing", "t_grok", "mixing"]
    assert marks(figure, 2)["s"] == [1200] and marks(figure, 4)["s"] == [90_000]
    ratio = figure.axes[7]
    assert ratio.get_xlim()[1] < 2
    texts = [label.get_text() for label in figure.axes[8].get_yticklabels()]
    assert texts[-1] == "+1.50 [+1.25, +1.75]"
    assert "steps" in figure.axes[2].get_xlabel() and "steps" not in ratio.get_xlabel()


def test_a_forest_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no comparison"):
        forest.draw(pd.DataFrame([BASELINE]).iloc[:0])


@pytest.mark.parametrize("arms", [1, 2, 8])
def test_no_text_of_forest_is_clipped_or_overlaps(arms: int) -> None:
    rows = [comparison(f"a_long_intervention, 0.{n}", 1e5, -1e5, math.inf) for n in range(arms)]
    figure = drawn_forest(BASELINE, *rows)
    assert clipped(figure) == []
    shown = [figure.axes[at] for at in (0, 1, 3, 4)]
    for left, right in pairwise(shown):
        assert len({round(label.get_window_extent().x0) for label in left.get_yticklabels()}) == 1
        ends = [label.get_window_extent().x1 for label in left.get_yticklabels()]
        starts = [label.get_window_extent().x0 for label in right.get_yticklabels()]
        assert max(ends) < min(starts)
    assert figure.axes[2].get_window_extent().width > 200
