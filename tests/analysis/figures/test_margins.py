"""Violins of margins: from quantiles back to distances, at the step that is nearest."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection

from analysis.figures import margins
from analysis.runs.experiments import NotRun
from tests.helpers.drawn import clipped

LADDER = (0, 1, 5, 25, 50, 75, 95, 99, 100)


def made(pair: tuple[int, int] = (0, 1)) -> pd.DataFrame:
    """Two runs, class 0 around 2 and class 1 around −2, twice as wide on the test set; known at
    the steps 100 and 1,000 of both runs, at 400 of one."""
    rows = []
    for key in ("a", "b"):
        for step in (0, 100, 400, 700, 1_000):
            row: dict[str, object] = {"key": key, "step": step, "test_accuracy": step / 1_000}
            if step in (100, 1_000) or (step, key) == (400, "a"):
                for of_set, width in (("train", 1.0), ("test", 2.0)):
                    for label, middle in zip(pair, (2, -2), strict=True):
                        place = f"margins/{pair[0]}_{pair[1]}/{of_set}/{label}"
                        row |= {f"{place}/q{q:g}": middle + width * (q - 50) / 50 for q in LADDER}
            rows.append(row)
    return pd.DataFrame(rows)


def test_values_have_the_quantiles_that_they_are_made_of() -> None:
    sample = np.random.default_rng(0).normal(size=20_000) ** 3
    quantiles = {q: float(np.percentile(sample, q)) for q in (0, *range(1, 100), 100)}
    found = margins.values(quantiles, 5_000)
    for q in (2, 25, 50, 75, 98):
        assert np.percentile(found, q) == pytest.approx(quantiles[q], abs=0.02)
    assert found.min() >= quantiles[0] and found.max() <= quantiles[100]


def test_the_step_is_the_nearest_that_all_runs_have() -> None:
    curves = made()
    assert [margins.nearest(curves, (0, 1), step) for step in (50, 300, 400, 90_000)] == [
        100, 100, 1_000, 1_000
    ]  # fmt: skip
    with pytest.raises(NotRun, match=r"margins/4_5/test/4/q50: not measured"):
        margins.nearest(curves, (4, 5), 100)


def test_each_class_has_both_sets_where_they_lie() -> None:
    figure = margins.draw(made(), [(0, 1)], [90, 2_000])
    early, late = figure.axes
    assert early.get_title("left") == "step 100, test accuracy 10 %"
    assert late.get_title("left") == "step 1,000, test accuracy 100 %"
    halves = [one for one in early.collections if isinstance(one, PolyCollection)]
    ends = sorted(
        (round(float(y.min()), 1), round(float(y.max()), 1))
        for one in halves
        for y in [one.get_paths()[0].vertices[:, 1]]
    )
    assert ends == [(-4, 0), (-3, -1), (0, 4), (1, 3)]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["training set", "test set"]
    assert clipped(figure) == []
