"""Fourier alignment on pure waves and on noise, and its R² against least squares."""

import math

import numpy as np
import pytest
import torch

from grokpipe.measures import Outputs, Snapshot, fourier
from grokpipe.tasks import Task, mod_add, mod_div, mod_mul, mod_sub, symmetric

P, N, D = 97, 512, 128


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    draws = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=draws, dtype=torch.float64)


def uniform(n: int, order: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(order, (n,), generator=torch.Generator().manual_seed(seed))


def wave(exponents: torch.Tensor, order: int, f: int, phase: float = 0.0) -> torch.Tensor:
    return torch.cos(2 * math.pi * f * exponents.double() / order + phase)


def circles(exponents: torch.Tensor, order: int, radii: dict[int, float]) -> torch.Tensor:
    """(n, 2 len(radii)): cosine and sine of each frequency, with a radius and a phase of its own"""
    columns = [
        radius * wave(exponents, order, f, phase + f)
        for f, radius in radii.items()
        for phase in (0, -math.pi / 2)
    ]
    return torch.stack(columns, 1)


def snapshot(probe: torch.Tensor, labels: torch.Tensor | None, exponents: torch.Tensor | None):
    nothing = Outputs(torch.zeros(1, 1), torch.zeros(1, 1), torch.zeros(1, dtype=torch.long))
    return Snapshot(
        nothing, nothing, probe, probe, {}, P, "cross_entropy",
        train_probe_labels=labels, exponents=exponents,
    )  # fmt: skip


def task(module, *values) -> Task:
    return module.load(module.Config("", *values, 0.5), torch.Generator())


@pytest.mark.parametrize("order, n, seed", [(97, 512, 0), (96, 300, 1), (12, 40, 2), (2, 9, 3)])
def test_r_squared_is_that_of_least_squares(order: int, n: int, seed: int) -> None:
    exponents = uniform(n, order, seed)
    scores = noise(n, 4, seed=seed) + 2 * wave(exponents, order, 1, 0.7)[:, None]
    scores -= scores.mean(0)
    expected = np.empty((order // 2, 4))
    for f in range(1, order // 2 + 1):
        angle = 2 * np.pi * f * exponents.numpy() / order
        design = np.stack([np.ones(n), np.cos(angle), np.sin(angle)], 1)
        # At f = m/2 the sine is rounding: a column of noise but for this bound
        fitted = design @ np.linalg.lstsq(design, scores.numpy(), rcond=1e-10)[0]
        residual = ((scores.numpy() - fitted) ** 2).sum(0)
        expected[f - 1] = 1 - residual / (scores.numpy() ** 2).sum(0)
    found = fourier.r_squared(scores, exponents, order)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)


def test_alignment_is_the_weighted_mean_of_numpys_scores() -> None:
    exponents = uniform(N, P)
    features = noise(N, D) + 3 * wave(exponents, P, 5)[:, None]
    eigenvalues, vectors = np.linalg.eigh(np.cov(features.numpy().T))
    leading = np.argsort(eigenvalues)[-10:]
    scores = torch.from_numpy((features.numpy() - features.numpy().mean(0)) @ vectors[:, leading])
    best = fourier.r_squared(scores, exponents, P).numpy().max(0)
    expected = np.average(best, weights=eigenvalues[leading])
    assert fourier.alignment(features, exponents, P)[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("order", [41, 96])
@pytest.mark.parametrize("radii", [{3: 1.0}, {1: 3.0, 7: 2.0, 20: 1.0}])
def test_waves_are_aligned_whatever_their_phase(order: int, radii: dict[int, float]) -> None:
    exponents = torch.arange(order).repeat(5)
    aligned, null = fourier.alignment(circles(exponents, order, radii), exponents, order)
    assert aligned == pytest.approx(1, abs=1e-12)
    assert null < 0.2


@pytest.mark.parametrize("module", [mod_add, mod_sub, mod_mul, mod_div])
def test_waves_over_the_group_of_each_task(module) -> None:
    """The zero of products and quotients stands far off and must not count."""
    of = task(module, P)
    labels = torch.arange(P).repeat(4)
    order = int((of.exponents >= 0).sum())
    features = circles(of.exponents[labels], order, {9: 1.0})
    features[of.exponents[labels] < 0] = 50.0
    values = fourier.measure(snapshot(features, labels, of.exponents))
    assert list(values) == list(fourier.COLUMNS)
    assert values["fourier/alignment"] == pytest.approx(1, abs=1e-12)
    assert values["fourier/alignment_null"] < 0.1
    if order < P:  # as residues, products are no waves
        as_sums = fourier.measure(snapshot(features, labels, torch.arange(P)))
        assert as_sums["fourier/alignment"] < 0.5


def test_noise_is_at_the_null() -> None:
    values = [
        fourier.alignment(noise(N, D, seed=seed), uniform(N, P, seed), P) for seed in range(20)
    ]
    aligned, null = np.mean(values, axis=0)
    # Best of 48 frequencies: R² of two coefficients is 2/N times the maximum of 48 exponentials
    expected = 2 / N * sum(1 / j for j in range(1, 49))
    assert aligned == pytest.approx(expected, rel=0.1)
    assert null == pytest.approx(expected, rel=0.1)


def test_rotation_scale_and_shift_change_nothing() -> None:
    exponents = uniform(N, P)
    features = noise(N, 20) * torch.linspace(1, 3, 20) + 2 * wave(exponents, P, 5)[:, None]
    rotation = torch.linalg.qr(noise(20, 20, seed=1)).Q
    expected = fourier.alignment(features, exponents, P)
    found = fourier.alignment(1e-3 * features @ rotation + 7, exponents, P)
    assert found == pytest.approx(expected, rel=1e-9)
    assert fourier.alignment(features, exponents, P) == expected


def test_another_primitive_root_changes_nothing() -> None:
    """It multiplies the exponents by a unit, which permutes the frequencies."""
    exponents = uniform(N, 96)
    features = noise(N, 20) + wave(exponents, 96, 5)[:, None]
    expected = fourier.alignment(features, exponents, 96)
    assert fourier.alignment(features, 35 * exponents % 96, 96) == pytest.approx(expected)


@pytest.mark.parametrize(
    "order, exponents, level",
    [
        (97, lambda seed: uniform(512, 97, seed), 0.110),
        (41, lambda seed: torch.arange(41).repeat(41), 0.0525),
    ],
)
def test_noise_level_of_the_papers_form(order: int, exponents, level: float) -> None:
    values = []
    for seed in range(100):
        e = exponents(seed)
        values.append(fourier.paper_alignment(noise(len(e), seed=seed + 1000), e, order))
    assert np.mean(values) == pytest.approx(level, rel=0.05)


def test_the_papers_form_is_numpys_correlation() -> None:
    exponents, score = uniform(N, P), noise(N, seed=1) + 5
    expected = max(
        abs(np.corrcoef(score.numpy(), wave(exponents, P, f).numpy())[0, 1])
        for f in range(1, P // 2 + 1)
    )
    assert fourier.paper_alignment(score, exponents, P) == pytest.approx(expected, rel=1e-12)


def test_the_papers_form_depends_on_the_phase() -> None:
    exponents = torch.arange(P).repeat(2)
    phases = np.linspace(0, 2 * math.pi, 60, endpoint=False)
    values = [fourier.paper_alignment(wave(exponents, P, 3, phi), exponents, P) for phi in phases]
    assert values == pytest.approx(np.abs(np.cos(phases)).tolist(), abs=1e-12)
    assert np.mean(values) == pytest.approx(2 / math.pi, abs=1e-2)  # the ceiling 0.637
    both = [fourier.alignment(wave(exponents, P, 3, phi)[:, None], exponents, P) for phi in phases]
    assert [aligned for aligned, _ in both] == pytest.approx([1.0] * 60)


GROUP, LABELS = torch.arange(P), uniform(N, P)
UNDEFINED = {
    "constant": (torch.full((N, D), 0.1), LABELS, GROUP),
    "zero": (torch.zeros(N, D), LABELS, GROUP),
    "not a number": (noise(N, D).fill_diagonal_(math.nan), LABELS, GROUP),
    "infinite": (noise(N, D).fill_diagonal_(math.inf), LABELS, GROUP),
    "no group": (noise(N, D), LABELS, None),
    "no labels": (noise(N, D), None, GROUP),
    "all outside the group": (noise(N, D), torch.zeros_like(LABELS), GROUP - 1),
    "one exponent": (noise(N, D), torch.full_like(LABELS, 4), GROUP),
    "no more samples than coefficients": (noise(3, D), torch.arange(3), GROUP),
    "one sample": (noise(1, D), torch.arange(1), GROUP),
}


@pytest.mark.parametrize("case", UNDEFINED)
def test_undefined_is_nan(case: str) -> None:
    probe, labels, exponents = UNDEFINED[case]
    values = fourier.measure(snapshot(probe.double(), labels, exponents))
    assert list(values) == list(fourier.COLUMNS)
    assert all(math.isnan(value) for value in values.values())


def test_the_papers_form_of_constants_is_nan() -> None:
    exponents = uniform(N, P)
    assert math.isnan(fourier.paper_alignment(torch.full((N,), 0.1), exponents, P))
    assert math.isnan(fourier.paper_alignment(noise(N), torch.full((N,), 4), P))
    assert math.isnan(fourier.paper_alignment(noise(N) / 0, exponents, P))


def test_rank_below_the_number_of_leading_scores() -> None:
    exponents = uniform(N, P)
    for direction in ([1.0, 2.0, 3.0], [0.0, 0.0, 1.0]):  # rank one, up to rounding and exactly
        line = wave(exponents, P, 5)[:, None] * torch.tensor([direction])
        assert fourier.alignment(line, exponents, P)[0] == pytest.approx(1, abs=1e-12)
    few = circles(exponents[:4], P, {5: 1.0})  # fewer samples than classes
    assert fourier.alignment(few, exponents[:4], P)[0] == pytest.approx(1, abs=1e-12)


def test_fit_of_each_task() -> None:
    for module in (mod_add, mod_sub, mod_mul, mod_div):
        assert fourier.unfit(task(module, P)) is None
    for other in (task(mod_mul, 15), task(mod_mul, 2), task(symmetric, 3)):
        why = fourier.unfit(other)
        assert why is not None and "mod_add" in why and "\n" not in why
