"""Tables of arms beside a baseline, against scipy and sums by hand."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.claims import arm_tables
from analysis.claims.arm_tables import ONE_SIDED, strengths
from analysis.claims.arms import ArmNode, Runs
from analysis.runs.experiments import NotRun
from grokpipe.curves.events import ENTROPY
from tests.helpers.entropy_runs import arm, baseline, write

TIMES = [1_500, 2_000, 2_600, 3_100, 1_900]
BY = "intervention.alpha"


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    mixed = [
        run
        for alpha, more in ((0.5, 900), (0.1, 300), (0.2, 500))
        for run in arm("mixing", [time + more for time in TIMES], {"alpha": alpha})
    ]
    arms = {"baseline": ArmNode("base"), "mixing": ArmNode("mixed", BY), "absent": ArmNode("e9")}
    return Runs(write(tmp_path, base=baseline(TIMES), mixed=mixed).experiments, arms)


def test_the_arms_that_were_run_come_from_the_weakest(runs: Runs) -> None:
    assert [one.label for one in strengths(runs, ("absent", "mixing"), "t_grok")] == [
        "mixing, α = 0.1", "mixing, α = 0.2", "mixing, α = 0.5"
    ]  # fmt: skip
    with pytest.raises(NotRun, match="e9: not run"):
        strengths(runs, ("absent",), "t_grok")


@pytest.mark.parametrize(("earlier", "alternative"), [((), "greater"), (("mixing",), "less")])
def test_one_sided_tests_are_those_of_scipy(
    runs: Runs, earlier: tuple[str, ...], alternative: str
) -> None:
    every, base = strengths(runs, ["mixing"], "t_grok"), runs.arm("baseline").whole("t_grok")
    tested = arm_tables.tests(every, base, earlier)
    found = tested[tested["test"] == ONE_SIDED].set_index("arm")["p"]
    later = np.add(TIMES, 900)
    expected = stats.mannwhitneyu(later, TIMES, alternative=alternative, method="exact").pvalue
    assert found["mixing, α = 0.5"] == pytest.approx(expected)
    assert arm_tables.readable_tests(tested)["arm"].tolist() == tested["arm"].tolist()


def test_delays_and_a_trend(runs: Runs) -> None:
    every, base = strengths(runs, ["mixing"], "t_grok"), runs.arm("baseline").whole("t_grok")
    delays = [arm_tables.delay(one.times, base, runs.generator()).estimate for one in every]
    assert delays == pytest.approx([300, 500, 900])
    alone, with_base = arm_tables.trend(every, base)["order"]
    assert with_base == f"baseline → {alone}" == "baseline → α = 0.1 → α = 0.2 → α = 0.5"


def test_differences_where_the_baseline_has_the_event(runs: Runs) -> None:
    """The entropy falls by 0.2 over the 500 steps before a run groks: 300 steps before it is at
    0.72, 500 or more before at 0.8, where the baseline has 0.6."""
    every, base = strengths(runs, ["mixing"], "t_grok"), runs.arm("baseline")
    table = arm_tables.differences(runs, every, base, ENTROPY, "t_grok", "H̃")
    said = [text.split(" ")[0] for text in table["H̃, arm less baseline [95 %]"]]
    assert said == ["+0.120", "+0.200", "+0.200"]
    assert table["runs"].tolist() == ["5", "5", "5"]


def test_without_a_baseline_again_there_is_no_table_of_one_processor(runs: Runs) -> None:
    every, base = strengths(runs, ["mixing"], "t_grok"), runs.arm("baseline").whole("t_grok")
    assert arm_tables.on_one_processor(runs, every, base, "absent").empty
