"""Arms: which runs are in them, and what is said where there are none."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.claims.arms import ArmNode, Runs, equation, matching
from analysis.runs.experiments import Experiments, NotRun, Unmatched
from analysis.runs.tables import write_gathered
from grokpipe.errors import InputError
from tests.helpers.entropy_runs import Run, arm, baseline, tables, write

TIMES = [1_500, 2_000, 2_600]


def runs(folder: Path, **arms: ArmNode) -> Runs:
    """Three of the baseline, and three at each of four strengths."""
    mixed = [run for a in (-0.5, 0.05, 0.1, 1) for run in arm("mixing", TIMES, {"alpha": a})]
    write(folder, e1_baseline=baseline(TIMES), e2_mixing=mixed)
    return Runs(Experiments(folder, "entropy"), arms)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (0.1, [0.1]), (1, [1]), ("< 0", [-0.5]), ("<0.1", [-0.5, 0.05]),
        ("<= 0.1", [-0.5, 0.05, 0.1]),
        (">= 0.1", [0.1, 1]), ("> 0.1", [1]), ("!= 0.1", [-0.5, 0.05, 1]),
    ],
)  # fmt: skip
def test_where_compares_numbers(tmp_path: Path, wanted: object, found: list[float]) -> None:
    node = ArmNode("e2_mixing", "intervention.alpha", {"intervention.alpha": wanted})
    one = runs(tmp_path, mixing=node).arm("mixing")
    assert sorted(one.tables.cells["intervention.alpha"].unique()) == found
    assert set(one.all_events["key"]) == set(one.tables.cells["key"])
    assert list(one.strengths("t_grok")) == sorted(found, key=abs)


def test_words_are_equal_or_not() -> None:
    column = pd.Series(["mod_add", "mod_mul", None], name="task.name")
    assert matching(column, "mod_mul").tolist() == [False, True, False]
    assert matching(column, "!= mod_mul").tolist() == [True, False, True]
    assert matching(pd.Series([True, False]), True).tolist() == [True, False]
    with pytest.raises(InputError, match="< mod_mul: must compare with a number"):
        matching(column, "< mod_mul")


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (ArmNode("e2_mixing", None, {"intervention.alpha": 0.3}),
         r"arm x: no run of e2_mixing has intervention\.alpha: 0\.3; there are: -0\.5, 0\.05, "),
        (ArmNode("e2_mixing", None, {"intervention.alpha": "> 2"}), r"alpha: > 2; there are"),
        (ArmNode("e2_mixing", None, {"seed": 9}), r"seed: 9; there are: 0, 1, 2"),
        (ArmNode("e2_mixing", "intervention.alpa"),
         r"arm x: e2_mixing: the runs have no column intervention\.alpa; nearest: intervention"),
        (ArmNode("e1_baseline", None, {"intervention.alpha": 0.1}), "no column intervention.alpha"),
    ],
)  # fmt: skip
def test_an_arm_without_a_run_says_which_there_are(
    tmp_path: Path, node: ArmNode, said: str
) -> None:
    with pytest.raises(Unmatched, match=said):
        runs(tmp_path, x=node).arm("x")


def test_an_experiment_that_was_not_run_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(NotRun, match="e9: not run") as error:
        runs(tmp_path, x=ArmNode("e9")).arm("x")
    assert not isinstance(error.value, Unmatched)


def test_an_event_that_no_run_has_names_those_that_there_are(tmp_path: Path) -> None:
    one = runs(tmp_path, x=ArmNode("e1_baseline")).arm("x")
    with pytest.raises(Unmatched, match="arm x: no run has t_other; there are: tau1, tau2_rise"):
        one.strengths("t_other")


def test_labels_name_the_strength(tmp_path: Path) -> None:
    node = ArmNode("e2_mixing", "intervention.alpha", label="mixing")
    one = runs(tmp_path, x=node).arm("x")
    labels = [strength.label for strength in one.strengths("t_grok").values()]
    assert labels == ["mixing, α = 0.05", "mixing, α = 0.1", "mixing, α = −0.5", "mixing, α = 1"]
    assert equation("weight_decay", 0.3) == "λ = 0.3"
    assert equation("task.fraction", 0.3) == "fraction = 0.3"


def test_another_paper_s_runs_lie_beside_this_one_s(tmp_path: Path) -> None:
    write_gathered(
        tables("other", [Run(7, 2_000)], tmp_path), tmp_path / "collapse" / "weight_decay"
    )
    here = tmp_path / "entropy"
    write(here, e1_baseline=baseline(TIMES))
    both = Runs(Experiments(here, "entropy"), {"x": ArmNode("collapse/weight_decay")})
    assert both.arm("x").tables.cells["seed"].tolist() == [7]
    _, names = both.experiments.reading(lambda: both.arm("x"))
    assert names == ["collapse/weight_decay"]


def test_values_at_an_event_are_those_of_its_evaluation(tmp_path: Path) -> None:
    several = [Run(0, 2_000, at_grok=0.6), Run(1, 1_500, at_grok=0.55), Run(2, None)]
    one = write(tmp_path, e1_baseline=several).arm("baseline")
    found = one.at("spectral/entropy_train", "t_grok")
    assert list(found.index) == [run.key("e1_baseline") for run in several]
    np.testing.assert_allclose(found[:2], [0.6, 0.55])
    assert np.isnan(found.iloc[2])
    assert [curve["step"].iloc[-1] for curve in one.until("t_grok").values()] == [2_000, 1_500]


def test_fewer_evaluations_and_one_strength(tmp_path: Path) -> None:
    node = ArmNode("e2_mixing", "intervention.alpha")
    every = runs(tmp_path, mixing=node, base=ArmNode("e1_baseline"))
    assert set(every.every(200).arm("base").tables.curves["step"] % 200) == {0}
    only = every.at("intervention.alpha", 0.1)
    assert only.arm("mixing").tables.cells["intervention.alpha"].unique().tolist() == [0.1]
    assert len(only.arm("base").tables.cells) == 3  # is not divided
    assert list(every.divided("mixing")) == [-0.5, 0.05, 0.1, 1]
    assert [len(one.tables.cells) for one in every.arm("mixing").settings()] == [3, 3, 3, 3]
