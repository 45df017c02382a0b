"""The κ that follows from λ, B, C and the temperature, against a search over all logits, and the
table beside what the paper reports."""

from pathlib import Path

import numpy as np
import pytest
from scipy import optimize
from scipy.special import log_softmax, softmax

from analysis.claims.arms import Runs
from analysis.papers.flatness.estimates import constant
from analysis.papers.flatness.tables.constant import tables
from analysis.runs.experiments import Experiments


def searched(weight: float, cap: float, classes: int) -> float:
    """The same without the symmetry of the other classes: descent on all logits of one sample."""

    def cost(logits: np.ndarray) -> float:
        doubt = 1 - (softmax(logits / 2) ** 2).sum()
        return float(-log_softmax(logits)[0] - weight * cap**2 * doubt)

    start = np.random.default_rng(0).normal(size=classes) + 2 * np.eye(classes)[0]
    found = optimize.minimize(cost, start, method="BFGS", options={"gtol": 1e-9})
    return float(cap**2 * (1 - (softmax(found.x / 2) ** 2).sum()))


@pytest.mark.parametrize(
    ("weight", "cap", "classes"), [(1e-2, 50, 10), (0.3, 30, 5), (0.03, 30, 5), (1e-2, 20, 10)]
)
def test_the_minimum_is_that_over_all_logits(weight: float, cap: float, classes: int) -> None:
    found = constant.surrogate(weight, cap, classes)
    assert found == pytest.approx(searched(weight, cap, classes), rel=1e-6)


def test_the_values_beside_the_published() -> None:
    found = [round(constant.surrogate(s.weight, s.cap, s.classes), 1) for s in constant.SETTINGS]
    assert found == [2209.2, 22212.7, 719.8, 711.4, 8968.2]  # published: SETTINGS
    assert all(setting.agrees for setting in constant.SETTINGS)
    assert not constant.Setting("another cap", 1e-2, 20, 10, "", *constant.digits(2209.94)).agrees


def test_a_weak_penalty_leaves_the_margin_free() -> None:
    assert constant.best_margin(1e-6, 10) > 20  # nothing holds it down
    assert constant.best_margin(25.0, 10) < 2


def test_the_table_and_the_estimate_count_the_same(tmp_path: Path) -> None:
    without = Runs(Experiments(tmp_path, "flatness"), {})
    (table,) = tables(without).values()
    assert list(table["κ as published"]) == [s.published for s in constant.SETTINGS]
    assert table["B² U(t*/2)"][0] == "2,209.24"
    found = constant.agreement(without)
    assert (found.shown, found.runs) == (5, 5)
