"""What allows no fit is refused in one line."""

import math

import pandas as pd
import pytest

from analysis.times import power_law, regression
from grokpipe.errors import InputError
from tests.helpers.power_laws import ALONE, JOINT, draws, fitted, grid


def changed(**columns: object) -> pd.DataFrame:
    return grid(draws(19), rates=(1e-3, 3e-3)).assign(**columns)


@pytest.mark.parametrize(
    ("events", "against", "said"),
    [
        (changed(), ["momentum"], "momentum: no such column; valid: weight_decay, lr"),
        (changed(task="add"), ["task"], "task=add: must be a column of numbers"),
        (
            changed(lr=[0.0, 1.0] * 20),
            JOINT,
            "lr=0 in 20 of 40 runs has no logarithm; valid: positive numbers",
        ),
        (changed(lr=[math.nan, 1.0] * 20), JOINT, "lr: not finite in 20 of 40 runs"),
        (changed(lr=1.0, seed=range(40)), JOINT, "lr=1 in all runs: needs two values"),
        (
            changed(lr=lambda runs: runs["weight_decay"] * 3, seed=range(40)),
            JOINT,
            "weight_decay, lr: vary only together; fit against one of them",
        ),
        (
            changed(),
            ALONE,
            "weight_decay=0.003, seed=0: 2 runs that differ in lr; fit against that too",
        ),
        (changed().iloc[:0], JOINT, "no run has this event; nothing to fit"),
        (
            changed(observed=False, lower=1e4, upper=math.inf),
            JOINT,
            "tau2: observed in 0 of 40 runs",
        ),
        (
            changed(lower=[0, 5] * 20, upper=[0, 9] * 20),
            JOINT,
            "tau2: 20 of 40 runs had it at step 0, which has no logarithm",
        ),
        (
            changed(lower=0, upper=666),
            JOINT,
            "tau2: seen between two evaluations in no run; needs 3 values to bound the exponent",
        ),
    ],
)
def test_refusals(events: pd.DataFrame, against: list[str], said: str) -> None:
    with pytest.raises(InputError) as refusal:
        power_law.fit(events, against, draws())
    assert said in str(refusal.value) and "\n" not in str(refusal.value)


def test_an_exponent_that_nothing_bounds_is_refused() -> None:
    """Any exponent that is large enough explains runs that are censored at all other decays."""
    events = grid(draws(20))
    others = events["weight_decay"] < 0.3
    events.loc[others, ["observed", "lower", "upper"]] = [False, 1e5, math.inf]
    with pytest.raises(InputError, match=r"at weight_decay=0\.3 only; needs 2 values"):
        fitted(events)


def test_misuse_is_an_error() -> None:
    events = grid(draws(21))
    with pytest.raises(ValueError, match="law=cubic"):
        fitted(events, law="cubic")
    with pytest.raises(ValueError, match="method=t"):
        fitted(events, method="t")
    with pytest.raises(ValueError, match="logarithmic law has one column"):
        power_law.fit(changed(), JOINT, draws(), "logarithmic")
    with pytest.raises(ValueError, match="rows of 2 events"):
        fitted(events.assign(event=["tau1", "tau2"] * 10))


def test_runs_without_a_logarithm_are_left_out_and_counted_once() -> None:
    """Ten events of 20 runs: 5 runs, not 50 rows."""
    runs = grid(draws(19)).replace({"weight_decay": {0.003: 0.0}})
    several = pd.concat([runs.assign(event=f"event {i}") for i in range(10)])
    kept, notes = regression.with_logarithms(several, ALONE)
    assert notes == ["note: 5 of 20 runs are left out: weight_decay=0 has no logarithm"]
    assert len(kept) == 150 and (kept["weight_decay"] > 0).all()
    assert regression.with_logarithms(kept, ALONE)[1] == []
    with pytest.raises(InputError, match="weight_decay=0 in 5 of 20 runs has no logarithm"):
        power_law.exponents(several, ["event 1"], ALONE, draws())
    with pytest.raises(InputError, match="not positive in any run"):
        regression.with_logarithms(several.assign(weight_decay=0.0), ALONE)
    with pytest.raises(InputError, match="momentum: no such column"):
        regression.with_logarithms(several, ["momentum"])
