"""Arms that are shown to be alike within a margin."""

import pytest

from analysis.commands.compare import readable
from analysis.times.compare import Margin
from grokpipe.errors import InputError
from tests.helpers.arm_events import events
from tests.helpers.compared_arms import RUNS, compared


def test_equivalence_is_shown_by_an_interval_within_the_margin_and_never_by_a_large_p() -> None:
    table, _ = compared(margin=Margin(60, relative=False))
    rows = table.set_index("arm")
    assert rows.loc["noise", "equivalent"] == True  # noqa: E712
    assert -60 < rows.loc["noise", "difference_lower_90"] < rows.loc["noise", "difference_upper_90"]
    assert rows.loc["mixing", "equivalent"] == False  # noqa: E712
    narrow, _ = compared(margin=Margin(0.05, relative=True))
    row = narrow.set_index("arm").loc["noise"]
    assert row["margin"] == pytest.approx(0.05 * 120)
    assert row["p"] > 0.5
    assert row["equivalent"] == False  # noqa: E712


def test_arms_of_which_nearly_no_run_had_the_event_are_not_called_alike() -> None:
    few = events({"none": [None] * 10, "mixing": [390, *[None] * 9]})
    for margin in (Margin(60, relative=False), Margin(0.1, relative=True)):
        table, _ = compared(few, margin=margin)
        assert table["equivalent"][1] == False  # noqa: E712
        said = readable(table)["within margin"][1]
        assert said == "not shown: fewer than half of the runs of an arm had the event"
    enough = events({"none": [*[100, 110] * 3, *[None] * 4], "mixing": [110, 100] * 5})
    assert "90 % [" in readable(compared(enough, margin=Margin(300, False))[0])["within margin"][1]


def test_equivalence_of_ratios_has_decimals_and_no_margin_in_steps() -> None:
    ratios = RUNS.assign(event="tau2_half/tau1", observed=True)
    for column in ("step", "lower", "upper", "budget"):
        ratios[column] = ratios[column] / 100
    with pytest.raises(InputError, match="--margin 5: steps, but tau2_half/tau1 is a ratio"):
        compared(ratios, margin=Margin(5, relative=False))
    table, _ = compared(ratios, margin=Margin(0.4, relative=True))
    said = readable(table).set_index("arm")["within margin"]["noise"]
    assert said.startswith("yes: 90 % [−0.") and said.endswith("] in ±0.48")
