"""What is read from one made-up run of known course, by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis.papers.flatness.estimates import curves


def run(**columns: object) -> pd.DataFrame:
    """Memorises at step 200 and generalises at 800; κ rises from 4 to 8 by 500, then falls to 1."""
    steps = np.arange(0, 1_001, 100)
    kappa = np.interp(steps, [0, 500, 800], [4.0, 8.0, 1.0])
    made = {
        "step": steps,
        "train_accuracy": np.where(steps >= 200, 1.0, 0.1),
        "test_accuracy": np.where(steps >= 800, 1.0, 0.01),
        "collapse/cdnv": np.interp(steps, [0, 200], [40.0, 5.0]),
        "collapse/rnc1": np.where(steps >= 900, 0.05, 0.5),
        "flatness/kappa": kappa,
        "flatness/kappa_surrogate": 10 * kappa,
    }
    return pd.DataFrame({**made, **columns})


def test_changes_while_memorising() -> None:
    assert curves.cdnv_while_memorising(run()) == pytest.approx(math.log(5 / 40))
    assert curves.kappa_while_memorising(run()) == pytest.approx(math.log(5.6 / 4))
    assert curves.surrogate_while_memorising(run()) == pytest.approx(math.log(5.6 / 4))


def test_changes_at_generalisation_are_from_the_peak() -> None:
    assert curves.kappa_at_generalisation(run()) == pytest.approx(math.log(1 / 8))
    assert curves.surrogate_at_generalisation(run()) == pytest.approx(math.log(1 / 8))
    never = run(test_accuracy=0.5)
    assert math.isnan(curves.kappa_at_generalisation(never))


def test_what_was_not_measured_or_never_came_has_no_number() -> None:
    assert math.isnan(curves.released_while_memorising(run()))
    assert math.isnan(curves.released_at_generalisation(run()))
    assert math.isnan(curves.cdnv_while_memorising(run(train_accuracy=0.5)))
    unknown = run(**{"flatness/kappa": math.nan})
    assert math.isnan(curves.kappa_while_memorising(unknown))
    assert math.isnan(curves.final(run(), "flatness/kappa_released"))


def test_a_spike_is_no_final_value() -> None:
    accuracy = np.where(np.arange(11) == 10, 0.2, 0.97)
    assert curves.final(run(test_accuracy=accuracy), "test_accuracy") == 0.97


def test_the_bound_is_asked_of_collapsed_networks_alone() -> None:
    steps = np.arange(0, 1_001, 100)
    bound = np.where(steps >= 900, 2.0, 0.1)  # too small before the collapse, which does not count
    of = run(**{"simplex/bound": bound, "simplex/kappa": 0.5})
    assert curves.within_bound(of) is True
    assert curves.log_ratio_to_simplex(of) == pytest.approx(math.log(1 / 0.5))
    assert curves.within_bound(of.assign(**{"simplex/bound": 0.9})) is False
    assert curves.within_bound(of.assign(**{"collapse/rnc1": 0.5})) is None
    assert math.isnan(curves.log_ratio_to_simplex(of.assign(**{"collapse/rnc1": 0.5})))
    assert curves.within_bound(run()) is None
