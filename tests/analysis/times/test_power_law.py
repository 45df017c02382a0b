"""Exponents: against the truth that made the runs, least squares, refits, and by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.stats import aft, bootstrap
from analysis.times import laws, power_law, regression
from grokpipe.errors import InputError
from tests.helpers.power_laws import ALONE, DECAYS, JOINT, draws, exponent, fitted, grid, tied


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 400)


def test_recovers_an_exponent_where_least_squares_on_the_survivors_does_not() -> None:
    ours, survivors, censored = [], [], []
    for seed in range(40):
        events = grid(draws(seed), seeds=8, sigma=0.6, budget=26_000)
        ours.append(exponent(events, "Wald").estimate)
        kept = events[events["observed"]]
        survivors.append(
            -stats.linregress(np.log(kept["weight_decay"]), np.log(kept["step"])).slope
        )
        censored.append(1 - events["observed"].mean())
    assert np.mean(censored) == pytest.approx(0.4, abs=0.05)
    assert np.mean(ours) == pytest.approx(0.5, abs=0.03)
    assert np.mean(survivors) < 0.35


def test_joint_in_weight_decay_and_rate() -> None:
    held = 0
    for seed in range(10):
        events = grid(
            draws(seed), every=100, budget=60_000, rates=(1e-3, 2e-3, 5e-3), rate_exponent=0.8
        )
        found = power_law.fit(events, JOINT, draws(), method="profile")
        for column, truth in (("weight_decay", 0.5), ("lr", 0.8)):
            k = found.exponents[column]
            assert k.estimate == pytest.approx(truth, abs=0.2), f"seed {seed}"
            held += k.lower < truth < k.upper < truth + 0.3
    assert held >= 17  # of 20
    assert found.ranges == {"weight_decay": (0.003, 0.3), "lr": (1e-3, 5e-3)}
    assert found.lack_of_fit_df == 4 * 3 - 3
    middle, lower, upper = found.median([0.1], [1e-3])
    assert lower < middle < upper and middle == pytest.approx(3000 * 0.1**-0.5, rel=0.3)


def test_refits_of_resampled_seeds_are_fits_of_their_runs() -> None:
    events = grid(draws(9), every=500, budget=20_000)
    events = events.drop(events.index[3])  # a seed may lack a decay
    runs = regression.runs(events, ALONE, True)
    start = laws.maximise(runs, "power")
    for resample in ([0, 0, 2, 3, 3], [4, 4, 4, 1, 0]):
        counts = np.bincount(resample, minlength=5) @ runs.by_seed
        quick = aft.reweighted(runs.sample, counts[None], start)
        repeated = pd.concat(
            events[events["seed"] == seed].assign(seed=place) for place, seed in enumerate(resample)
        )
        slow = fitted(repeated)
        assert quick.log_likelihood[0] == pytest.approx(slow.log_likelihood, abs=1e-8)
        assert -quick.coefficients[0, 1] == pytest.approx(
            slow.exponents["weight_decay"].estimate, abs=1e-6
        )


def test_bootstrap_keeps_the_runs_of_a_seed_together() -> None:
    """What a seed does to all of its runs does not blur the exponent."""
    events = grid(draws(10), seeds=12, sigma=0.1, of_seed=0.6, every=1)
    paired, alone = exponent(events, "bootstrap"), exponent(events)
    assert paired.method == "BCa"
    assert paired.lower < 0.5 < paired.upper
    assert paired.upper - paired.lower < (alone.upper - alone.lower) / 3
    assert paired == exponent(events, "bootstrap")  # the generator's state decides


def test_default_methods() -> None:
    few, many = grid(draws(11), every=100), grid(draws(11), seeds=20, every=100)
    for events, method in ((few, power_law.DEFAULT_FEW), (many, "BCa")):
        assert power_law.fit(events, ALONE, draws()).exponents["weight_decay"].method == method


def test_a_resample_that_does_not_bound_the_exponent_counts_for_both_ends() -> None:
    """Without seed 0, one resample in 3, nothing is observed at the second decay."""
    events = grid(draws(12), seeds=3, decays=(0.3, 0.1), every=10)
    censored = (events["weight_decay"] == 0.1) & (events["seed"] != 0)
    events.loc[censored, ["observed", "lower", "upper"]] = [False, 50_000, math.inf]
    found = exponent(events, "bootstrap")
    assert (found.lower, found.upper) == (-math.inf, math.inf)
    assert found.method.startswith("percentile")
    assert exponent(events).bounded


# What grids of evaluations do not show


def test_ties_do_not_make_an_exponent_certain() -> None:
    """Any line from (0.1, 1000…1666) to (0.01, 4000…4666) fits; one that leaves them has five times
    of a decay beyond its median, of probability 1/32: less than at the ends of the interval."""
    events = tied((0.1, 1000, 1666), (0.01, 4000, 4666))
    found = fitted(events)
    assert (found.sigma, found.log_likelihood) == (0, pytest.approx(0, abs=1e-6))
    k = found.exponents["weight_decay"]
    assert [k.lower, k.upper] == pytest.approx([math.log10(4000 / 1666), math.log10(4.666)])
    assert k.lower < k.estimate < k.upper
    for method in ("Wald", "bootstrap"):
        told = exponent(events, method)
        assert told.method == "none: no scatter seen between evaluations"
        assert math.isnan(told.lower) and math.isnan(told.upper)
    assert np.isnan(found.covariance).all() and np.isnan(found.median([0.1])[1]).all()
    assert found.resolution == 666


def test_all_tied_everywhere() -> None:
    found = fitted(tied((0.1, 0, 666), (0.03, 1000, 1666), (0.01, 1000, 1666)))
    assert found.sigma == 0 and found.r2 == 1 and found.resolution == 666
    found = fitted(tied((0.1, 1000, 1666), (0.01, 1000, 1666)))
    assert math.isnan(found.r2) and math.isnan(found.lack_of_fit)
    k = found.exponents["weight_decay"]
    assert [k.lower, k.estimate, k.upper] == pytest.approx(
        [-math.log10(1.666), 0, math.log10(1.666)], abs=1e-6
    )


def test_each_law_has_its_own_way_through_the_intervals() -> None:
    events = tied((0.1, 900, 1100), (0.01, 1900, 2100), (0.001, 2900, 3100))
    assert fitted(events, law="logarithmic").sigma == 0 < fitted(events).sigma


def test_one_seed_and_as_few_runs_as_coefficients() -> None:
    one = grid(draws(13), seeds=1, every=1)
    assert exponent(one, "bootstrap").method == "none: one seed"
    assert exponent(one).bounded
    assert math.isnan(fitted(one).lack_of_fit)  # no grid point has two runs
    two = one[one["weight_decay"].isin(DECAYS[:2])]
    k = exponent(two)
    assert (k.lower, k.upper) == (-math.inf, math.inf)
    three = one.iloc[:3]
    assert exponent(three, "Wald").method == "none: 3 observed runs for 3 parameters"
    assert exponent(three).bounded


def test_seen_at_the_first_evaluation_is_before_it() -> None:
    """(0, 666] by the grid and lower = upper = 666 say the same."""
    events = grid(draws(14), every=6000)
    first = events["lower"] == 0
    assert first.any()
    other = events.assign(lower=events["lower"].mask(first, events["upper"]))
    assert fitted(other) == fitted(events)


def test_a_run_without_information_changes_nothing() -> None:
    events = grid(draws(15))
    lost = events.iloc[[0]].assign(seed=99, observed=False, step=0.0, lower=0.0, upper=math.inf)
    more = fitted(pd.concat([events, lost]))
    assert more.n == 21 and more.observed == 20
    assert more.exponents["weight_decay"].lower == pytest.approx(exponent(events).lower, abs=1e-8)
    assert more.log_likelihood == pytest.approx(fitted(events).log_likelihood, abs=1e-8)


def test_row_order_and_units_do_not_matter() -> None:
    events = grid(draws(16), budget=20_000)
    shuffled = events.sample(frac=1, random_state=1)
    for method in power_law.METHODS:
        assert fitted(shuffled, method) == fitted(events, method)
    times = ["step", "lower", "upper", "budget"]
    scaled = fitted(events.assign(**events[times] * 10, weight_decay=events["weight_decay"] / 7))
    k, expected = scaled.exponents["weight_decay"], exponent(events)
    assert [k.estimate, k.lower, k.upper] == pytest.approx(
        [expected.estimate, expected.lower, expected.upper], abs=1e-6
    )
    assert scaled.constant == pytest.approx(fitted(events).constant * 10 * 7**-k.estimate)


# The table


def test_table_keeps_what_cannot_be_fitted() -> None:
    late = grid(draws(22), budget=20_000)
    never = late.assign(event="t_grok", observed=False, lower=1e5, upper=math.inf)
    over = grid(draws(22), every=0.1).assign(event="tau2/tau1")
    long = pd.concat([late, never, over])
    names = ["t_grok", "tau2", "tau2/tau1", "tau9"]
    table = power_law.exponents(long, names, ALONE, draws()).set_index("event")
    assert list(table.index) == names and list(table.columns) == power_law.COLUMNS[1:]
    assert table["note"].tolist() == [
        "t_grok: observed in 0 of 20 runs; nothing to fit", "", "",
        "no run has this event; nothing to fit",
    ]  # fmt: skip
    assert table["n"].tolist() == [20, 20, 20, 0]
    assert table["runs"].tolist() == [20] * 4
    assert table["k"].isna().tolist() == [True, False, False, True]
    found, k = fitted(late), exponent(late, power_law.DEFAULT_FEW)
    row = table.loc["tau2"]
    assert (row["k"], row["lower"], row["upper"], row["method"]) == (
        k.estimate, k.lower, k.upper, power_law.DEFAULT_FEW,
    )  # fmt: skip
    assert (row["min"], row["max"], row["seeds"], row["observed"]) == (
        0.003, 0.3, 5, found.observed,
    )  # fmt: skip
    compared = power_law.compare_laws(late).set_index("law")["aic"]
    assert row["delta_aic_exponential"] == compared["exponential"] - compared["power"]
    assert row["delta_aic_logarithmic"] == compared["logarithmic"] - compared["power"]


def test_table_of_a_joint_fit_has_a_row_per_column() -> None:
    events = grid(draws(23), rates=(1e-3, 3e-3))
    table = power_law.exponents(events, ["tau2"], JOINT, draws())
    assert table["column"].tolist() == JOINT and table["max"].tolist() == [0.3, 3e-3]
    assert table["delta_aic_exponential"].isna().all()
    with pytest.raises(InputError, match="no such column"):
        power_law.exponents(events, ["tau2"], ["momentum"], draws())
    ties = power_law.exponents(tied((0.1, 9, 10), (0.01, 19, 20)), ["tau2"], ALONE, draws())
    assert ties["note"].tolist() == [
        "no scatter seen between evaluations; 2 values of weight_decay cannot tell laws apart"
    ]
