"""The commands of a reproduction, in their order."""

from pathlib import Path

from analysis.reproduce.plan import Experiment, Plan
from analysis.reproduce.stages import stages, training

PLAN = Plan(
    "made", (Experiment("base", ("logits", "spectral"), ("steps=9",)), Experiment("held")), {}
)
FOLDER = Path("outputs/made")


def test_each_experiment_is_trained_measured_and_gathered_before_the_report() -> None:
    commands = training(PLAN, ["seed=range(2)"], small=True)
    assert commands == {
        "base": ("-m", "experiment=made/base", "steps=9", "seed=range(2)"),
        "held": ("-m", "experiment=made/held", "seed=range(2)"),
    }
    found = [" ".join(stage.command) for stage in stages(PLAN, FOLDER, training(PLAN, ["a=1"]))]
    assert found == [
        "grokpipe -m experiment=made/base a=1",
        "grokpipe.remeasure outputs/made measures=logits,spectral experiment=made/base",
        "analysis gather outputs/made --experiment made/base --to outputs/made/gathered/base",
        "grokpipe -m experiment=made/held a=1",
        "analysis gather outputs/made --experiment made/held --to outputs/made/gathered/held",
        "analysis report made --runs outputs/made",
    ]


def test_a_report_on_tables_that_are_kept_elsewhere() -> None:
    *_, gather, report = stages(PLAN, FOLDER, training(PLAN, []), Path("kept"))
    assert gather.command[-2:] == ("--to", "kept/held")
    assert gather.made == (Path("kept/held/cells.parquet"), Path("kept/held/curves.parquet"))
    assert report.command == ("analysis", "report", "made", "--runs", "kept")
    assert report.made == (Path("kept/report/report.html"),)
