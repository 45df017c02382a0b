"""Any number of arms is named, within the edges of the figure."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.arm_styles import MANY, name_arms, styles, wider
from analysis.figures.style import prepare

LABELS = {
    "numbers": "0.{:05d}",
    "words": "an_intervention_{}",
    "sentences": "a long name " * 12 + "{}",
}


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    prepare()
    yield
    plt.close("all")


def named(count: int, kind: str) -> Figure:
    figure, axis = plt.subplots(figsize=(5, 3), layout="constrained")
    numeric = kind == "numbers"
    handles = [
        Line2D([], [], color=colour, linestyle=dash, label=LABELS[kind].format(number))
        for number, (colour, dash) in enumerate(styles(count, numeric))
    ]
    name_arms(figure, [axis], handles, "a title of what the arms differ by", numeric)
    figure.canvas.draw()
    return figure


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("count", [1, 2, 10, MANY, MANY + 1, 25])
def test_every_name_is_inside_and_the_axes_keep_their_room(count: int, kind: str) -> None:
    figure = named(count, kind)
    axis, *bars = figure.axes
    assert axis.bbox.height > 1.5 * figure.dpi
    if kind == "numbers" and count > MANY:
        (bar,) = bars
        texts = bar.get_yticklabels()
        shown = [text.get_text() for text in texts]
        assert (shown[0], shown[-1]) == ("0.00000", f"0.{count - 1:05d}")  # the ends are named
        assert len(set(shown)) == len(shown) <= 10
        heights = [text.get_window_extent().y0 for text in texts]
        assert heights == sorted(heights, reverse=True)  # the first arm is above
        assert figure.legends == []
    else:
        assert bars == []
        (legend,) = figure.legends
        texts = legend.get_texts()
        shown = [" ".join(text.get_text().split()) for text in texts]
        assert shown == [LABELS[kind].format(number) for number in range(count)]
        assert legend.get_window_extent().y0 >= axis.bbox.y1
    for box in (text.get_window_extent() for text in texts):
        assert -1 <= box.x0 < box.x1 <= figure.bbox.width + 1
        assert -1 <= box.y0 < box.y1 <= figure.bbox.height + 1


def test_arms_are_told_apart() -> None:
    assert len(set(styles(25, numeric=False))) == 25
    assert {dash for _, dash in styles(MANY, numeric=True)} == {"-", "--", "-.", ":"}
    many = styles(MANY + 1, numeric=True)  # a colour bar shows no dashes
    assert {dash for _, dash in many} == {"-"} and len({colour for colour, _ in many}) == MANY + 1


def test_long_names_beside_axes_widen_a_figure() -> None:
    assert wider(["short", "x" * 24]) == 0
    assert wider(["short", "x" * 124]) == pytest.approx(6)
