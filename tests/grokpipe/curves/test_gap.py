"""Laws of the time that remains: recovered, by brute force, and where there is nothing to fit."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import least_squares

from grokpipe.curves import gap
from grokpipe.curves.gap import Kind, Law, Runs, fit, fit_samples, pool
from grokpipe.errors import InputError
from tests.helpers.curves import REMAINING, Curves, fit_logarithmic, fit_power, noisy


def numbers(law: Law) -> list[float]:
    return [law.threshold, law.direction, law.shape, law.coefficient, law.constant]


def squares(law: Law, runs: Runs) -> float:
    return float(((runs.remaining - law.remaining(runs.x)) ** 2).sum())


@pytest.mark.parametrize("gamma", [0.5, 1.0, 1.65, 3.0])
@pytest.mark.parametrize("direction", [1, -1])
def test_a_power_law_is_recovered(gamma: float, direction: int) -> None:
    x = [0.6 + direction * (r / 2e5) ** (1 / gamma) for r in REMAINING]
    law = fit_power(x, [r + 250 * (r > 0) for r in REMAINING])
    assert law.direction == direction
    assert law.threshold == pytest.approx(0.6)
    assert law.shape == pytest.approx(gamma, rel=1e-3)
    assert law.coefficient == pytest.approx(2e5, rel=5e-3)
    assert law.constant == pytest.approx(250, abs=10)
    assert law.remaining(x[0][:-1]) == pytest.approx(REMAINING[0][:-1] + 250, abs=5)


@pytest.mark.parametrize("direction", [1, -1])
def test_a_logarithmic_law_is_recovered_and_is_concave_as_a_power_law(direction: int) -> None:
    rate, distance = 1e-4, 0.05  # k and |x* − x∞|
    x = [0.6 + direction * distance * np.expm1(rate * r) for r in REMAINING]
    law = fit_logarithmic(x, REMAINING)
    assert (law.direction, law.constant) == (direction, 0)
    assert law.shape == pytest.approx(distance, rel=1e-3)
    assert 1 / law.coefficient == pytest.approx(rate, rel=1e-3)
    assert law.remaining(x[0]) == pytest.approx(REMAINING[0], abs=5)
    assert 0.5 < fit_power(x, REMAINING).shape < 0.95


def test_the_threshold_is_the_mean_at_the_event() -> None:
    law = fit_power([[0.9, 0.8, 0.5], [0.9, 0.8, 0.7]], [[200, 100, 0]] * 2)
    assert law.threshold == pytest.approx(0.6)


def nothing_but_noise(seed: int) -> tuple[Curves, Curves]:
    """The sum of squares of these has several minima along γ."""
    draws = np.random.default_rng(seed)
    remaining = [np.arange(end, -1, -100.0) for end in (1_500, 2_000, 900)]
    return [draws.standard_normal(len(left)) for left in remaining], remaining


@pytest.mark.parametrize("make", [noisy, nothing_but_noise])
@pytest.mark.parametrize("seed", [2, 15, 20, 262])
def test_the_power_law_is_the_best_of_a_fine_grid(
    seed: int, make: Callable[[int], tuple[Curves, Curves]]
) -> None:
    runs = pool(*make(seed))
    law = fit(runs)
    gap = np.maximum(law.direction * (runs.x - np.nanmean(runs.at_event)), 0)
    best = math.inf
    for gamma in np.arange(0.05, 10, 0.005):
        basis = np.stack([gap**gamma, np.ones(len(gap))], -1)
        found, *_ = np.linalg.lstsq(basis, runs.remaining)
        if found[0] >= 0:
            best = min(best, float(((basis @ found - runs.remaining) ** 2).sum()))
    best = min(best, float(((runs.remaining - runs.remaining.mean()) ** 2).sum()))
    assert squares(law, runs) <= best * (1 + 1e-6), f"seed {seed}"
    assert squares(law, runs) > best * (1 - 1e-3), f"seed {seed}"


@pytest.mark.parametrize("seed", range(5))
def test_the_logarithmic_law_is_where_scipy_finds_it(seed: int) -> None:
    x, remaining = noisy(seed)
    runs = pool([0.6 + 0.05 * np.expm1(100 * (v - 0.6) ** 2) for v in x], remaining)
    star = np.nanmean(runs.at_event)
    gap = np.maximum(runs.x - star, 0)

    def misses(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        log_slope, log_distance = parameters
        return runs.remaining - math.exp(log_slope) * np.log1p(gap / math.exp(log_distance))

    found = min(
        (least_squares(misses, (7, start)) for start in (-8, -5, -2)), key=lambda one: one.cost
    )
    law = fit(runs, "logarithmic")
    assert squares(law, runs) == pytest.approx(2 * found.cost, rel=1e-6), f"seed {seed}"
    assert law.shape == pytest.approx(math.exp(found.x[1]), rel=1e-2), f"seed {seed}"


def test_an_absolute_law_is_in_the_value_itself_and_may_fall() -> None:
    x = [4 + r / 1e3 for r in REMAINING]
    rising = fit(pool(x, [(v**2 - 16) * 10 for v in x]), absolute=True)
    assert (rising.threshold, rising.shape) == (0, pytest.approx(2, rel=1e-3))
    falling = fit(pool([1 / v for v in x], REMAINING), absolute=True)
    assert falling.coefficient < 0
    with pytest.raises(ValueError, match="below zero"):
        fit(pool([v - 5 for v in x], REMAINING), absolute=True)


@pytest.mark.parametrize("kind", ["power", "logarithmic"])
@pytest.mark.parametrize("absolute", [False, True])
def test_counts_are_literal_resampling(kind: Kind, absolute: bool) -> None:
    x, remaining = noisy(1, runs=6)
    x[2][5:9] = np.nan
    x[3][-1] = np.nan  # a run without a value at the event
    counts = np.random.default_rng(0).multinomial(6, [1 / 6] * 6, size=20)
    laws = fit_samples(pool(x, remaining), counts, kind, absolute)
    for sample, times in enumerate(counts):
        drawn = np.repeat(np.arange(6), times)
        runs = pool([x[run] for run in drawn], [remaining[run] for run in drawn])
        literal = fit(runs, kind, absolute)
        # shapes to what the search resolves, the quality of the fit to more
        assert numbers(laws.law(sample)) == pytest.approx(numbers(literal), rel=1e-3)
        total = ((runs.remaining - runs.remaining.mean()) ** 2).sum()
        assert laws.r_squared[sample] == pytest.approx(1 - squares(literal, runs) / total)


def test_samples_do_not_depend_on_how_many_are_fitted_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = pool(*noisy(2))
    counts = np.random.default_rng(0).integers(1, 3, (7, 4))
    together = fit_samples(runs, counts, "power")
    monkeypatch.setattr(gap, "BATCH", 1)
    apart = fit_samples(runs, counts, "power")
    assert together.shape == pytest.approx(apart.shape)


def test_order_does_not_matter() -> None:
    x, remaining = noisy(3)
    law = fit_power(x, remaining)
    order = [2, 0, 3, 1]
    turned = fit_power([x[run][::-1] for run in order], [remaining[run][::-1] for run in order])
    assert numbers(law) == pytest.approx(numbers(turned))


def test_what_is_undefined_is_counted_and_what_came_after_is_left_out() -> None:
    runs = pool([[0.9, np.nan, np.inf, 0.5, 0.1], [0.8, 0.7]], [[300, 200, 100, 0, -100], [100, 0]])
    assert runs.x.tolist() == [0.9, 0.8]
    assert runs.run.tolist() == [0, 1]
    assert runs.at_event.tolist() == [0.5, 0.7]
    assert (runs.undefined, len(runs)) == (2, 2)


def test_a_constant_predictor_gives_the_mean() -> None:
    x = [np.full(len(r), 0.7) for r in REMAINING[:3]]  # (0.7 + 0.7 + 0.7) / 3 is less than 0.7
    runs = pool(x, REMAINING[:3])
    law = fit(runs)
    assert law.coefficient == 0 and math.isnan(law.shape)
    assert law.remaining([0.7, 0.1]) == pytest.approx([runs.remaining.mean()] * 2)
    assert fit_samples(runs, np.ones((1, 3)), "power").r_squared == pytest.approx(0)
    logarithmic = fit(runs, "logarithmic")  # has no constant: it says "now"
    assert (logarithmic.coefficient, float(logarithmic.remaining(0.7))) == (0, 0)


def test_a_gap_that_widens_towards_the_event_tells_nothing() -> None:
    x = [np.append(0.9 - left[:-1] / 1e5, 0.6) for left in REMAINING]
    law = fit_power(x, REMAINING)
    assert (law.direction, law.coefficient) == (1, 0)


@pytest.mark.parametrize(
    "x, remaining, message",
    [
        ([[np.nan, np.nan]], [[100, 0]], "nothing to fit"),
        ([[0.5]], [[0]], "nothing to fit"),
        ([], [], "nothing to fit"),
        ([[0.5, np.nan]], [[100, 0]], "no threshold"),
        ([[0.5, 0.4]], [[200, 100]], "no threshold"),
    ],
)
def test_nothing_to_fit_is_refused(
    x: Sequence[list[float]], remaining: Sequence[list[float]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        fit_power(x, remaining)


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="run 0: 2 values at 3 evaluations"):
        fit_power([[0.5, 0.4]], [[200, 100, 0]])


def test_a_sample_without_runs_is_undefined() -> None:
    laws = fit_samples(pool(*noisy(5)), [[0, 0, 0, 0], [1, 1, 1, 1]], "power")
    assert np.isnan(laws.threshold).tolist() == [True, False]
    assert np.isnan(laws.r_squared).tolist() == [True, False]
