"""Medians of one set of runs: held to pandas' pivot; where they end; what is said of it."""

import numpy as np
import pandas as pd
import pytest

from analysis.figures.medians import Panel, curves_of, notes, panel, without
from tests.helpers.arm_curves import arm_curves


def made(column: str = "test_accuracy") -> pd.DataFrame:
    """One arm of three runs."""
    return arm_curves(decays=[0.3])[["key", "step", column]]


def panels(curves: pd.DataFrame, *names: str) -> list[Panel]:
    arms = {
        f"{decay:g}": set(curves.loc[curves["weight_decay"] == decay, "key"])
        for decay in curves["weight_decay"].unique()
    }
    return [panel(curves, arms, name) for name in names]


@pytest.mark.parametrize("zero", [False, True])
def test_median_and_range_are_those_of_all_runs(zero: bool) -> None:
    runs = made()
    found = curves_of(runs, "test_accuracy", zero)
    wide = runs[zero | (runs["step"] > 0)].pivot(
        index="step", columns="key", values="test_accuracy"
    )
    assert found.steps.tolist() == wide.index.tolist()
    assert found.median == pytest.approx(np.median(wide, axis=1))
    assert found.least.tolist() == wide.min(axis=1).tolist()
    assert found.greatest.tolist() == wide.max(axis=1).tolist()
    for key, run in found.runs.items():
        assert run.tolist() == [wide.index.tolist(), wide[key].tolist()]
    assert found.beyond() == [] and found.last == 1000


def test_a_median_ends_with_its_first_run_and_the_others_go_on() -> None:
    runs = made()
    first, *others = runs["key"].unique()
    runs = runs[(runs["key"] != first) | (runs["step"] <= 10)]
    found = curves_of(runs, "test_accuracy")
    assert found.steps.tolist() == [1, 10]
    goes_on = [part.tolist() for part in found.beyond()]
    assert goes_on == [
        runs.loc[(runs["key"] == key) & (runs["step"] >= 10), ["step", "test_accuracy"]]
        .to_numpy()
        .T.tolist()
        for key in others
    ]


def test_a_median_has_only_the_evaluations_that_all_runs_have() -> None:
    runs = made()
    first = runs["key"].iloc[0]
    lacks = (runs["key"] == first) & (runs["step"] == 100)
    assert curves_of(runs[~lacks], "test_accuracy").steps.tolist() == [1, 10, 1000]
    runs.loc[lacks, "test_accuracy"] = np.nan  # as measured at snapshots
    assert curves_of(runs, "test_accuracy").steps.tolist() == [1, 10, 1000]


def test_a_run_without_the_column_is_no_part_of_its_arm() -> None:
    curves = arm_curves()
    lacking = curves["key"].iloc[0]
    curves.loc[(curves["key"] == lacking) & (curves["step"] > 0), "my/measure"] = np.nan
    (one,) = panels(curves, "my/measure")
    assert lacking not in one.arms["0.3"].runs
    assert one.arms["0.3"].steps.tolist() == [1, 10, 100, 1000]
    assert without(one, set(curves["key"])) == {lacking}


def test_infinite_values_are_known() -> None:
    runs = made("collapse/rnc1")
    at = runs["step"] == 10
    runs.loc[at, "collapse/rnc1"] = [1.0, np.inf, np.inf]
    found = curves_of(runs, "collapse/rnc1")
    assert found.median[1] == np.inf and found.least[1] == 1


def test_an_arm_of_which_a_logarithmic_axis_shows_nothing_is_left_out() -> None:
    curves = arm_curves()
    curves.loc[curves["weight_decay"] == 0.1, ["collapse/rnc1", "test_accuracy"]] = 0.0
    rnc1, accuracy = panels(curves, "collapse/rnc1", "test_accuracy")
    assert rnc1.logarithmic and list(rnc1.arms) == ["0.3"] and list(accuracy.arms) == ["0.3", "0.1"]
    assert without(rnc1, set(curves["key"])) == {"001-000-0", "001-000-1", "001-000-2"}
    curves["collapse/rnc1"] = -1.0  # of other programs: no logarithm, but a picture
    (negative,) = panels(curves, "collapse/rnc1")
    assert not negative.logarithmic and list(negative.arms) == ["0.3", "0.1"]


def test_what_is_said_of_medians() -> None:
    curves = arm_curves()
    assert notes(panels(curves, "test_accuracy", "my/measure")) == []
    first = curves["key"].iloc[0]
    shorter = curves[(curves["key"] != first) | (curves["step"] <= 10)]
    assert notes(panels(shorter, "test_accuracy", "my/measure")) == [
        "note: the median of arm 0.3 ends with its first run, at step 10 of 1,000: thin lines are "
        "single runs"
    ]
    curves.loc[(curves["key"] == first) & (curves["step"] > 1), "step"] += 7
    assert notes(panels(curves, "test_accuracy")) == [
        "note: the runs of arm 0.3 share fewer than two evaluations: single runs, no median"
    ]
    (one,) = panels(curves, "test_accuracy")
    assert len(one.arms["0.3"].beyond()) == 3  # whole
    curves["collapse/rnc1"] = np.where(curves["step"] == 100, 0, 1)
    (below,) = notes(panels(curves, "collapse/rnc1"))[1:]
    assert below == "note: collapse/rnc1: values ≤ 0 lie below the logarithmic axis"


def test_a_median_of_few_shared_evaluations_is_said_to_be_one() -> None:
    many = arm_curves(decays=[0.3], seeds=2, steps=range(0, 1000, 10))
    odd = many["key"].str.endswith("1") & (many["step"] % 100 > 0)
    many.loc[odd, "step"] += 3
    assert notes(panels(many, "test_accuracy")) == [
        "note: the runs of an arm were evaluated at different steps: a median has those that they "
        "share: 0.3 (9)"
    ]
