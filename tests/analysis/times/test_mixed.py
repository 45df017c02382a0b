"""Delays by the mixed model, from rows of events."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.times import mixed
from grokpipe.errors import InputError


def rows(seeds: int = 8, **ratios: float) -> pd.DataFrame:
    """Arms of the same seeds, whose log times are arm + seed + scatter."""
    generator = np.random.default_rng(11)
    of_seed = generator.normal(0, 0.4, seeds)
    tables = [
        pd.DataFrame(
            {
                "arm": arm,
                "seed": range(seeds),
                "processor": "one",
                "step": 1000 * ratio * np.exp(of_seed + generator.normal(0, 0.1, seeds)),
                "observed": True,
                "budget": 1e5,
            }
        )
        for arm, ratio in {"none": 1.0, **ratios}.items()
    ]
    return pd.concat(tables, ignore_index=True)


def log_times(events: pd.DataFrame) -> pd.DataFrame:
    return np.log(events.pivot(index="seed", columns="arm", values="step"))


def test_a_ratio_is_the_paired_t_of_logarithms() -> None:
    events = rows(mixing=1.5)
    found = mixed.delays(events, "none")
    logs = log_times(events)
    difference = logs["mixing"] - logs["none"]
    expected = stats.ttest_1samp(difference, 0).confidence_interval()
    ratio = found.ratio("mixing")
    assert ratio.estimate == pytest.approx(math.exp(difference.mean()))
    assert (ratio.lower, ratio.upper) == pytest.approx(np.exp(expected), rel=1e-3)
    assert ratio.method == "mixed model, t with 7.0 degrees of freedom"
    assert found.note == "no term of the machine: one level only"
    assert math.isnan(found.machine_sd) and 0.5 < found.intraclass < 1
    assert found.intraclass == pytest.approx(
        found.seed_sd**2 / (found.seed_sd**2 + found.rest_sd**2)
    )


def test_seeds_that_an_arm_lacks_still_count() -> None:
    events = rows(mixing=1.5, held=0.5)
    lacking = events[~((events["arm"] == "held") & (events["seed"] < 4))]
    found = mixed.delays(lacking, "none")
    assert (found.n, found.observed, found.arms) == (20, 20, ("none", "mixing", "held"))
    # closer to that of all seeds than the means of whoever is there
    logs = log_times(lacking)
    every, naive = log_times(events), logs.mean()
    truth = (every["held"] - every["none"]).mean()
    assert abs(math.log(found.ratio("held").estimate) - truth) < abs(
        naive["held"] - naive["none"] - truth
    )


def test_censored_runs_are_later() -> None:
    events = rows(mixing=1.5)
    late = events["step"] > 1800
    cut = events.assign(step=events["step"].clip(upper=1800), observed=~late)
    found, taken = mixed.delays(cut, "none"), mixed.delays(cut.assign(observed=True), "none")
    assert found.ratio("mixing").estimate > taken.ratio("mixing").estimate
    assert f"{late.sum()} of 16 runs without the event" in found.note
    assert 0 < late.sum() < 8


def test_machines_are_a_term_and_unknown_ones_one_level() -> None:
    events = rows(mixing=1.5)
    events["processor"] = [None, "a", "a", "b"] * 2 + ["a", "a", "b", "b"] * 2
    events.loc[events["processor"] == "b", "step"] *= 2
    found = mixed.delays(events, "none")
    assert found.machine_sd > 0.2 and found.note == ""
    # three machines: fixed; least squares over arm, seed and machine are the oracle
    columns = [pd.get_dummies(events[c].fillna("-")).astype(float) for c in ("seed", "processor")]
    design = np.column_stack([events["arm"] == "mixing", *columns])
    oracle = np.linalg.lstsq(design, np.log(events["step"]), rcond=None)[0][0]
    assert math.log(found.ratio("mixing").estimate) == pytest.approx(oracle, abs=0.03)
    apart = events.assign(processor=events["arm"])
    assert "its levels are those of the arms" in mixed.delays(apart, "none").note


def test_arms_without_events_and_too_few() -> None:
    events = rows(mixing=1.5, never=3.0)
    events.loc[events["arm"] == "never", "observed"] = False
    found = mixed.delays(events, "none")
    assert found.note.startswith("no run of never had the event")
    assert found.ratio("never").method == "none: no run of the arm had the event"
    two = mixed.delays(rows(mixing=1.5).groupby("arm").head(1), "none")
    assert two.ratio("mixing").method == "none: too few events (2)"
    assert math.isnan(two.rest_sd)
    with pytest.raises(ValueError, match="arm=none: must be one of mixing, never"):
        found.ratio("none")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"arm": "other"}, "baseline none: no such arm; valid: other"),
        ({"observed": False}, "baseline none: none of its 8 runs had the event"),
        ({"step": 0}, "16 of 16 runs had the event at step 0"),
    ],
)
def test_refusals(changed: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        mixed.delays(rows(mixing=1.5).assign(**changed), "none")
