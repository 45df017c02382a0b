"""The mathematical items: against closed forms, finite differences and numpy."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from analysis.papers.entropy.estimates import covariance_update, lemmas, phases
from analysis.papers.entropy.estimates.covariance_update import Weights
from analysis.papers.entropy.tables import theory
from analysis.papers.entropy.tables.theory import BEGINNINGS
from analysis.runs.experiments import NotRun
from grokpipe.measures.spectral import spectral_entropy
from tests.helpers.curves import fit_logarithmic, fit_power
from tests.helpers.entropy_runs import LEAD, Run, beside, claimed, reading, write

SEEDS = pytest.mark.parametrize("seed", range(5))


@SEEDS
def test_the_entropy_is_that_of_the_runs(seed: int) -> None:
    features = np.random.default_rng(seed).standard_normal((50, 6)) * [3, 2, 1, 1, 0.5, 0.1]
    expected = spectral_entropy(torch.tensor(features))
    assert lemmas.entropy_of(np.cov(features.T)) == pytest.approx(expected, rel=1e-10)


@SEEDS
def test_the_gradient_is_equation_7(seed: int) -> None:
    eigenvalues = 10 ** np.random.default_rng(seed).uniform(-2, 0, 7)
    numeric = []
    for k in range(7):
        step = 1e-6 * eigenvalues[k] * np.eye(7)[k]
        change = lemmas.entropy(eigenvalues + step) - lemmas.entropy(eigenvalues - step)
        numeric.append(change / (2 * step[k]))
    np.testing.assert_allclose(lemmas.gradient(eigenvalues), numeric, rtol=1e-6)


@SEEDS
def test_the_constant_bounds_the_gradient_wherever_the_eigenvalues_may_go(seed: int) -> None:
    draws = np.random.default_rng(seed)
    d = int(draws.integers(2, 20))
    eigenvalues = 10 ** draws.uniform(-4, 0, d)
    step = eigenvalues.min() / 2
    bound = lemmas.lipschitz(eigenvalues, step)
    for _ in range(200):
        move = draws.standard_normal(d)
        moved = eigenvalues + step * draws.random() * move / np.linalg.norm(move)
        assert np.abs(lemmas.gradient(moved)).max() * d <= bound


def test_a_perturbation_that_moves_along_the_gradient_is_the_worst() -> None:
    """So the bound is tried where it is tightest; with a constant four times smaller it fails."""
    tried = list(lemmas.perturbations(400, np.random.default_rng(0)))
    used = pd.DataFrame([vars(one) for one in tried])
    used["share"] = used["change"] / used["bound"]
    assert used["share"].max() < 1
    assert used.groupby("along_gradient")["share"].median().diff().iloc[1] > 0
    assert used["share"].max() > 0.25


def test_lemma_1_counts_the_perturbations_within_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = claimed(reading(tmp_path), "M1")
    assert (found.shown, found.runs, found.tables) == (1_000, 1_000, None)
    exact = lemmas.lipschitz
    monkeypatch.setattr(lemmas, "lipschitz", lambda *given: exact(*given) / 10)
    assert (claimed(reading(tmp_path), "M1").shown or 0) < 1_000


def random_weights(seed: int) -> tuple[Weights, Weights, np.ndarray, np.ndarray]:
    draws = np.random.default_rng(seed)
    shapes = ((8, 32), (32, 16), (16, 5))
    weights, other = (
        Weights(*(draws.standard_normal(shape) / 3 for shape in shapes)) for _ in range(2)
    )
    return weights, other, draws.standard_normal((30, 8)), draws.integers(5, size=30)


@SEEDS
def test_the_gradient_of_the_network_is_that_of_autograd(seed: int) -> None:
    weights, _, inputs, labels = random_weights(seed)
    a, b, c = (torch.tensor(one, requires_grad=True) for one in weights)
    logits = torch.tanh(torch.tanh(torch.tensor(inputs) @ a) @ b) @ c
    torch.nn.functional.cross_entropy(logits, torch.tensor(labels)).backward()
    for ours, theirs in zip(covariance_update.gradient(weights, inputs, labels), (a, b, c)):
        np.testing.assert_allclose(ours, theirs.grad, atol=1e-14)


@SEEDS
def test_the_first_order_term_is_the_derivative(seed: int) -> None:
    weights, direction, probe, _ = random_weights(seed)
    there, back = (
        covariance_update.covariance(weights.moved(direction, rate), probe)
        for rate in (1e-5, -1e-5)
    )
    exact = covariance_update.directional(weights, direction, probe)
    np.testing.assert_allclose(exact, (there - back) / 2e-5, atol=1e-8)


def test_the_remainder_is_of_second_order_and_a_wrong_derivative_leaves_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = claimed(reading(tmp_path), "M2").interval
    assert 1.99 < found.lower < found.upper < 2.01
    exact = covariance_update.directional
    monkeypatch.setattr(covariance_update, "directional", lambda *given: 0.9 * exact(*given))
    assert claimed(reading(tmp_path), "M2").interval.estimate == pytest.approx(1, abs=0.05)


@SEEDS
def test_mirrored_points_lose_what_their_ratio_says(seed: int) -> None:
    points, partner = lemmas.mirrored(100, np.random.default_rng(seed))
    np.testing.assert_array_equal(points[partner], points * [1, -1])
    alpha = 1e-6
    lost = lemmas.losses(points, partner, np.array([alpha]))[0]
    variances = points.var(0)
    r = variances[1] / variances[0]
    assert 0.05 <= r <= 0.8
    assert lost / alpha == pytest.approx(-4 * r * math.log(r) / (1 + r) ** 2 / math.log(2), 1e-4)


def test_a_derangement_moves_every_point() -> None:
    draws = np.random.default_rng(0)
    seen = {tuple(lemmas.derangement(4, draws)) for _ in range(400)}
    assert len(seen) == 9  # of 4 things
    assert all(found[i] != i for found in seen for i in range(4))


def test_an_order_is_the_exponent_and_unknown_for_a_gain() -> None:
    alphas = np.array([0.01, 0.02, 0.05])
    assert lemmas.order(alphas, 3 * alphas**2) == pytest.approx(2)
    assert math.isnan(lemmas.order(alphas, np.array([1.0, -1.0, 1.0])))


def test_lemma_5_s_loss_is_of_first_order(tmp_path: Path) -> None:
    found = claimed(reading(tmp_path), "M5")
    assert 0.95 < found.interval.lower < found.interval.upper < 1.1
    assert found.runs == 20


def exponential(seed: int, noise: float = 0.0) -> Run:
    """An effective rank that halves every 200 steps from LEAD before grokking on."""
    run = Run(seed, 2_000 + 100 * seed)
    assert run.groks is not None
    passed = np.clip(run.steps - (run.groks - LEAD), 0, LEAD)
    rank = 60 * 2 ** (-passed / 200)
    rank *= np.exp(noise * np.random.default_rng(seed).standard_normal(len(rank)))
    run.curves["spectral/effective_rank"] = rank
    return run


def test_a_rank_that_falls_exponentially_is_a_line(tmp_path: Path) -> None:
    runs = write(tmp_path, e1_baseline=[exponential(seed) for seed in range(3)])
    curves = list(runs.arm("baseline").until("t_grok").values())
    # T_collapse_last is 200 steps into the fall of 0.2 over 500: five evaluations before it the
    # entropy still stands, so that the window holds three of these and the whole fall
    curve = curves[1]
    window = curve[(curve["step"] >= 1_600 + 200 - 500) & (curve["step"] <= 2_100)]
    expected = stats.linregress(window["step"], np.log(window["spectral/effective_rank"]))
    assert phases.exponential_fall(curve) == pytest.approx(expected.rvalue**2)
    for of_run in curves:
        begin = len(of_run) - 6
        assert phases.line_fit(of_run, begin, np.log) == pytest.approx(1)
        assert phases.line_fit(of_run, begin, np.asarray) < 0.99


def test_every_beginning_leaves_the_runs_that_have_one(tmp_path: Path) -> None:
    never = Run(7, None)
    still = Run(8, 2_000, at_grok=0.8)
    arm = write(tmp_path, e1_baseline=[exponential(0), never, still]).arm("baseline")
    curves = list(arm.until("t_grok").values())
    assert len(curves) == 2
    for begins in BEGINNINGS.values():
        fits = [phases.line_fit(curve, begins(curve), np.log) for curve in curves]
        assert np.isfinite(fits).tolist() == [True, False]


def test_lemma_4_is_of_the_baseline_s_runs_that_fall(tmp_path: Path) -> None:
    runs = [exponential(0, 0.05), exponential(1, 0.05), Run(7, None)]
    experiments = write(tmp_path, e1_baseline=runs)
    found = claimed(experiments, "M4")
    assert found.runs == 2
    assert found.note == "1 of 3 runs did not have t_grok"
    assert "evaluated every 200 steps" in beside(experiments, "M4")
    with pytest.raises(NotRun, match="no run had t_grok yet"):
        claimed(write(tmp_path / "never", e1_baseline=[Run(0, None)]), "M4")


def test_a_curvature_that_follows_the_fall_is_correlated_with_it(tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    runs, expected = [], []
    for seed in range(4):
        run = Run(seed, 3_000)
        entropy = 0.8 - 0.2 * np.clip(run.steps / 3_000, 0, 1) ** 3
        entropy = entropy + 0.005 * draws.standard_normal(len(entropy))
        kappa = draws.lognormal(size=len(entropy))
        falls = np.full(len(entropy), np.nan)
        falls[5:] = entropy[:-5] - entropy[5:]
        kappa[5:] += 50 * falls[5:]
        run.curves.update({"spectral/entropy_train": entropy, "flatness/kappa": kappa})
        until = slice(5, 31)  # to the evaluation at 3,000
        expected.append(stats.spearmanr(falls[until], kappa[until]).statistic)
        runs.append(run)
    found = claimed(write(tmp_path, e1_baseline=runs), "MH1")
    assert found.interval.estimate == pytest.approx(np.mean(expected))
    assert found.interval.lower == pytest.approx(
        stats.ttest_1samp(expected, 0).confidence_interval().low
    )
    assert min(expected) > 0.2


def test_a_curvature_that_does_not_vary_has_no_correlation(tmp_path: Path) -> None:
    experiments = write(tmp_path, e1_baseline=[Run(0, 2_000)])
    (curve,) = experiments.arm("baseline").curves().values()
    assert math.isnan(phases.curvature_correlation(curve))
    with pytest.raises(NotRun, match="no run has this number"):
        claimed(experiments, "MH1")


def falling(seed: int) -> Run:
    """Towards 0.6 by a power of the time left, with noise."""
    run = Run(seed, 1_800 + 300 * seed)
    assert run.groks is not None
    left = np.maximum(run.groks - run.steps, 0) / 3_000
    noise = 0.01 * np.random.default_rng(seed).standard_normal(len(left))
    run.curves["spectral/entropy_train"] = 0.6 + 0.2 * left**0.6 + noise
    return run


def test_proposition_6_is_the_difference_of_two_r_squared_out_of_sample(tmp_path: Path) -> None:
    runs = [falling(seed) for seed in range(4)]
    found = claimed(write(tmp_path, e1_baseline=[*runs, Run(9, None)]), "M6")
    x = [run.curves["spectral/entropy_train"] for run in runs]
    left = [run.groks - run.steps for run in runs]  # type: ignore[operator]
    squares = {"power": 0.0, "logarithmic": 0.0, "mean": 0.0}
    for out in range(4):
        others = [i for i in range(4) if i != out]
        before = left[out] > 0
        truth = left[out][before]
        for name, fit in (("power", fit_power), ("logarithmic", fit_logarithmic)):
            law = fit([x[i] for i in others], [left[i] for i in others])
            squares[name] += ((truth - law.remaining(x[out][before])) ** 2).sum()
        mean = np.concatenate([left[i][left[i] > 0] for i in others]).mean()
        squares["mean"] += ((truth - mean) ** 2).sum()
    expected = (squares["power"] - squares["logarithmic"]) / squares["mean"]
    assert found.interval.estimate == pytest.approx(expected, abs=1e-6)
    assert found.interval.lower <= expected <= found.interval.upper
    assert found.runs == 4
    said = f"logarithmic {1 - squares['logarithmic'] / squares['mean']:.3f}"
    assert found.note.startswith(said)
    assert found.note.endswith("1 of 5 runs did not have the event and are left out")


def test_proposition_6_needs_runs_of_one_arm(tmp_path: Path) -> None:
    with pytest.raises(NotRun, match="two runs at least"):
        claimed(write(tmp_path / "one", e1_baseline=[falling(0)]), "M6")
    with pytest.raises(NotRun, match="no run had t_grok yet"):
        claimed(write(tmp_path / "none", e1_baseline=[Run(0, None)]), "M6")


def test_table_6_says_what_was_not_run(tmp_path: Path) -> None:
    shown = theory.tables(reading(tmp_path))
    table = shown["Table 6: mathematical items"].set_index("item")["ours"]
    assert table["Lemma 1 (sensitivity)"].startswith("1,000 of 1,000")
    for item in ("Lemma 4 (effective rank)", "Proposition 6 (scaling)", "Heuristic 2 (threshold)"):
        assert table[item] == "not run"
    assert "Lemma 4: exponential or linear" not in shown
    runs = [exponential(seed, 0.05) for seed in range(3)]
    shown = theory.tables(write(tmp_path, e1_baseline=runs))
    assert shown["Lemma 4: exponential or linear"]["runs"].tolist() == ["3", "3", "3"]
    table = shown["Table 6: mathematical items"].set_index("item")["ours"]
    assert table["Heuristic 2 (threshold)"] == "0.00000"


def test_mirrored_points_lose_entropy_at_every_strength(tmp_path: Path) -> None:
    table = theory.tables(reading(tmp_path))["Lemma 5: entropy lost by mixing"]
    assert table.iloc[0, 1] == "20/20"
