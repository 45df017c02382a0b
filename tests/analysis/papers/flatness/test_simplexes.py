"""Proposition 5.3 on exact simplexes, κ against finite differences of the loss."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_softmax

from analysis.claims.arms import Runs
from analysis.papers.flatness.estimates import simplexes
from analysis.runs.experiments import Experiments


def differences(classes: int, corner: float, scale: float) -> float:
    """κ = Σ ⟨w_s, w_t⟩ Tr H_st by second differences of the mean loss: with u the columns of W,
    Σ_st ⟨w_s, w_t⟩ ∂²/∂W_sj∂W_tj = Σ_ij (d/dε)² along the change u_i eⱼᵀ."""
    corners = np.eye(classes) - 1 / classes
    corners *= corner / np.linalg.norm(corners[0])
    head = scale * corners

    def loss(change: np.ndarray) -> float:
        return float(-np.diag(log_softmax(corners @ (head + change).T, axis=1)).mean())

    total, step = 0.0, 1e-4
    for column in head.T:
        for j in range(classes):
            change = step * np.outer(column, np.eye(classes)[j])
            total += (loss(change) + loss(-change) - 2 * loss(0 * change)) / step**2
    return total


@pytest.mark.parametrize("case", [(2, 1.0, 0.7), (4, 1.5, 0.5), (5, 0.8, 2.0)])
def test_kappa_is_the_trace_of_the_hessian(case: tuple[int, float, float]) -> None:
    assert simplexes.kappa(*case) == pytest.approx(differences(*case), rel=1e-4)


def test_the_margin_is_that_of_the_logits() -> None:
    corners = 1.3 * simplexes._simplex(6)
    logits = corners @ (0.4 * corners).T
    assert simplexes.margin(6, 1.3, 0.4) == pytest.approx(logits[0, 0] - logits[0, 1])


def test_the_bound_holds_in_all_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simplexes, "DRAWS", 100)
    without = Runs(Experiments(tmp_path, "flatness"), {})
    found = simplexes.bound_holds(without)
    assert (found.shown, found.runs) == (100, 100)
    # and would not, were κ k times as large as with two classes, where it is half the bound
    general = simplexes.kappa
    monkeypatch.setattr(simplexes, "kappa", lambda *case: case[0] * 10 * general(*case))
    failing = simplexes.bound_holds(without)
    assert failing.shown is not None and failing.shown < 100
