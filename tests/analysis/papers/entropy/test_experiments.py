"""What experiments say that they were asked for: the runs behind figures and tables."""

from pathlib import Path

import pytest

from analysis.runs.experiments import NotRun
from tests.helpers.entropy_runs import Run, arm, baseline, write


def test_what_was_read_is_told_also_by_what_was_made_before(tmp_path: Path) -> None:
    mixed = arm("mixing", [2_000], {"alpha": 0.1})
    experiments = write(
        tmp_path, e1_baseline=baseline([2_000]), e2_mixing=mixed, e6_s5=[Run(0, None)]
    ).experiments

    def costly() -> int:
        return len(experiments.once("cells", lambda: experiments.tables("e2_mixing").cells))

    experiments.tables("e6_s5")  # nobody asks what this is for
    assert experiments.reading(costly) == (1, ["e2_mixing"])
    assert experiments.reading(costly) == (1, ["e2_mixing"])  # made before, rests on the same

    def both() -> str:
        with pytest.raises(NotRun):
            experiments.tables("e7_mlp")
        _, within = experiments.reading(costly)
        experiments.tables("e1_baseline")
        return ", ".join(within)

    assert experiments.reading(both) == ("e2_mixing", ["e2_mixing", "e1_baseline"])
