"""The figure of the order of events: a mark for each event of each run, where it was seen."""

import math
from collections.abc import Iterator
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from analysis.figures.order import draw
from analysis.figures.style import prepare

NAMES = {"t_mem": "memorised", "t_grok": "grokked"}


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    prepare()
    yield
    plt.close("all")


def rows(arms: int, seeds: int) -> pd.DataFrame:
    """t_mem at 100 to 200 times the arm, t_grok at 1,000 times it; not in the last seed."""
    found = []
    for arm in range(1, arms + 1):
        for seed in range(seeds):
            never = seed == seeds - 1 and seeds > 1
            run = {"key": f"{arm:02d}{seed}", "seed": seed, "weight_decay": 1 / arm}
            run |= {"diverged": math.nan}
            found.append(run | {"event": "t_mem", "step": 200.0 * arm, "observed": True,
                                "lower": 100.0 * arm, "upper": 200.0 * arm})  # fmt: skip
            found.append(run | {
                "event": "t_grok", "step": 9e4 if never else 1e3 * arm, "observed": not never,
                "lower": 9e4 if never else 900.0 * arm,
                "upper": math.inf if never else 1e3 * arm,
            })  # fmt: skip
    return pd.DataFrame(found)


def marks(axis: Axes, marker: str) -> list[tuple[float, float]]:
    """Places of the marks of this kind, in the units of the data."""
    return [
        (float(x), float(y))
        for line in axis.lines
        if line.get_marker() == marker
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)  # type: ignore[arg-type]
    ]


def test_each_event_is_where_it_was_seen() -> None:
    axis = draw(rows(2, 3), ["weight_decay"], NAMES).axes[0]
    assert sorted(x for x, _ in marks(axis, "o")) == [200] * 3 + [400] * 3
    assert sorted(x for x, _ in marks(axis, "s")) == [1000] * 2 + [2000] * 2
    assert [x for x, _ in marks(axis, ">")] == [9e4] * 2
    # the runs of an arm lie below one another, by seed, the larger decay above
    heights = [y for _, y in marks(axis, "o")]
    assert np.diff(heights).tolist() == pytest.approx([1, 1, 2, 1, 1])
    assert [text.get_text() for text in axis.get_yticklabels()] == ["1", "0.5"]
    assert axis.yaxis_inverted() and axis.get_xscale() == "log"


def test_what_happened_at_step_0_and_a_divergence_are_drawn() -> None:
    events = rows(1, 2)
    events.loc[0, ["step", "lower", "upper"]] = 0.0
    events.loc[3, "diverged"] = 5_000.0
    figure = draw(events, ["weight_decay"], NAMES)
    axis = figure.axes[0]
    assert marks(axis, "<") == [(axis.get_xlim()[0], pytest.approx(-0.15))]
    assert marks(axis, "x") == [(5_000, 1)]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["memorised", "grokked", "diverged", "not by then"]
    assert not figure.legends[0].get_title().get_text()


@pytest.mark.parametrize(("arms", "seeds"), [(1, 1), (25, 5)])
def test_one_run_and_many_arms(arms: int, seeds: int) -> None:
    figure = draw(rows(arms, seeds), ["weight_decay"], NAMES)
    axis = figure.axes[0]
    assert len(marks(axis, "o")) == arms * seeds and len(axis.get_yticks()) == arms
    assert figure.get_figheight() < 13
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axis.get_yticklabels()]
    assert all(above.y0 >= below.y1 for above, below in pairwise(boxes))


def test_no_run_is_refused() -> None:
    with pytest.raises(ValueError, match="of no run"):
        draw(rows(1, 1)[:0], ["weight_decay"], NAMES)
