"""What experiments say that they were asked for: the runs behind figures and tables."""

from pathlib import Path

import pytest

from analysis.runs.experiments import Experiments, NotRun
from analysis.runs.selection.conditions import parse
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


def test_conditions_and_longer_runs_are_looked_for_in_each_experiment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A longer run of another experiment does not stand for one of this."""
    folder = tmp_path / "entropy"
    for key, steps, names in (("a", 400, ("sweep", "short")), ("b", 800, ("sweep",))):
        log = write_run(folder, 0, 0.3, 100, key=key)
        text = (log / "config.yaml").read_text()
        (log / "config.yaml").write_text(text.replace("steps: 400", f"steps: {steps}"))
        result = (log / "result.json").read_text().replace('"steps": 400', f'"steps": {steps}')
        (log / "result.json").write_text(result)
        for name in names:
            manifest.record_asked(folder, [{"key": key, "experiment": f"entropy/{name}"}])
    every = Experiments(folder, "entropy")
    assert every.tables("short").cells["key"].tolist() == ["a"]
    assert every.tables("sweep").cells["key"].tolist() == ["b"]
    said = "note: sweep: 2 runs are 1 trajectory, as some differ only in steps: "
    assert said in capsys.readouterr().err
    chosen = Experiments(folder, "entropy", parse("steps=400"))
    assert chosen.tables("sweep").cells["key"].tolist() == ["a"]
    with pytest.raises(NotRun, match="sweep: --where seed=7: no run; seed has 0"):
        Experiments(folder, "entropy", parse("seed=7")).tables("sweep")
