"""What experiments say that they were asked for: the runs behind figures and tables."""

from pathlib import Path

import pytest

from analysis.runs.experiments import Experiments, NotRun
from grokpipe.store import manifest
from tests.helpers.entropy_runs import Run, arm, baseline, write
from tests.helpers.made_runs import write_run


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


def test_run_logs_of_another_paper_lie_in_the_folder_of_its_name(tmp_path: Path) -> None:
    """Of the runs of a folder an experiment's are those that it asked for."""
    for paper, seed in (("entropy", 0), ("collapse", 1)):
        for asked in (True, False):
            key = write_run(tmp_path / paper, seed + 5 * (not asked), 0.3, 100).name
            if asked:
                row = {"key": key, "experiment": f"{paper}/sweep", "seed": seed}
                manifest.record_asked(tmp_path / paper, [row])
    experiments = Experiments(tmp_path / "entropy", "entropy")
    assert experiments.tables("sweep").cells["seed"].tolist() == [0]
    assert experiments.tables("collapse/sweep").cells["seed"].tolist() == [1]
    for name in ("swep", "collapse/swep", "flatness/sweep"):
        with pytest.raises(NotRun, match=f"{name}: not run"):
            experiments.tables(name)
