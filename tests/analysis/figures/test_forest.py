"""Forest plots: a row of each difference, bounds as arrows."""

import math
from itertools import pairwise

import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.figures import forest
from tests.helpers.drawn import clipped


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
